// @ts-check

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'native-spsc',
  what: "this project's SPSC ring between two C++ processes, without JavaScript",
  patterns: {
    oneWay: {
      program: 'ring_processes',
      programArguments: ({ capacityBytes }) => ['spsc', '--capacity', String(capacityBytes)],
    },
  },
};
