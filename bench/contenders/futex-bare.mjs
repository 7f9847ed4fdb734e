// @ts-check

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'futex-bare',
  what: 'two C++ processes that wake each other by futex and never spin',
  patterns: { roundTrip: { program: 'futex_ping_pong' } },
};
