// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-pipe',
  title: '64 bytes, one way over a connection, by both backends and without this package',
  pattern: 'oneWay',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'child-process-json',
  entries: [
    { label: 'native sendSync recvSync', contender: 'pipe-recv-sync' },
    {
      label: 'socket sendSync recvSync',
      contender: 'pipe-recv-sync',
      parameters: { backend: 'socket' },
    },
    { label: 'native send for await', contender: 'pipe-for-await' },
    {
      label: 'socket send for await',
      contender: 'pipe-for-await',
      parameters: { backend: 'socket' },
    },
    { label: 'unix-socket-framed', contender: 'unix-socket-framed' },
    { label: 'child-process-json', contender: 'child-process-json' },
    { label: 'child-process-advanced', contender: 'child-process-advanced' },
  ],
  metrics: MESSAGES,
  targets: [
    { entry: 'socket sendSync recvSync', of: 'unix-socket-framed', atLeast: 0.9 },
    { entry: 'socket send for await', of: 'unix-socket-framed', atLeast: 0.9 },
  ],
  maxRounds: 3,
};
