// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';
import { entriesOf, onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-pipe',
  title: '64 bytes, one way over a connection, by both backends and without this package',
  pattern: 'oneWay',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('pipe-recv-sync', 'sendSync recvSync'),
    ...onBothBackends('pipe-for-await', 'send for await'),
    ...entriesOf('unix-socket-framed', 'child-process-json', 'child-process-advanced'),
  ],
  metrics: MESSAGES,
  targets: [
    { entry: 'socket sendSync recvSync', of: 'unix-socket-framed', atLeast: 0.9 },
    { entry: 'socket send for await', of: 'unix-socket-framed', atLeast: 0.9 },
  ],
  maxRounds: 3,
};
