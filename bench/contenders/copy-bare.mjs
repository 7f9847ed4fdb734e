// @ts-check

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'copy-bare',
  what: 'two C++ processes that copy once each through a shared buffer',
  patterns: { oneWay: { program: 'shared_copy' } },
};
