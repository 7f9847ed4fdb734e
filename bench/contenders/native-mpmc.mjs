// @ts-check

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'native-mpmc',
  what: "this project's MPMC ring between two C++ processes, without JavaScript",
  patterns: {
    oneWay: {
      program: 'ring_processes',
      programArguments: ({ capacityBytes }) => ['mpmc', '--capacity', String(capacityBytes)],
    },
  },
};
