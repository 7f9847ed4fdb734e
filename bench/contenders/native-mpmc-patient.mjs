// @ts-check

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'native-mpmc-patient',
  what: 'the same, but who finds nothing looks away for some microseconds, so that the two do not fight for the same cache lines',
  patterns: {
    oneWay: {
      program: 'ring_processes',
      programArguments: ({ capacityBytes }) => [
        'mpmc',
        '--capacity',
        String(capacityBytes),
        '--pause',
        '256',
      ],
    },
  },
};
