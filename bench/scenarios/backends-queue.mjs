// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';
import { entriesOf, onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-queue',
  title: '64 bytes, one way over a queue, by both backends and without this package',
  pattern: 'oneWay',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('queue-sync', 'putSync getInto'),
    ...onBothBackends('queue-get-sync', 'putSync getSync'),
    ...onBothBackends('queue-await', 'put get'),
    ...onBothBackends('queue-many', 'putMany getMany'),
    ...entriesOf('unix-socket-framed', 'child-process-json', 'child-process-advanced'),
  ],
  metrics: MESSAGES,
  targets: [
    { entry: 'native putSync getInto', of: 'socket putSync getInto', atLeast: 5 },
    { entry: 'native putSync getSync', of: 'socket putSync getSync', atLeast: 5 },
    { entry: 'socket putSync getSync', of: 'unix-socket-framed', atLeast: 0.7 },
    { entry: 'socket put get', of: 'unix-socket-framed', atLeast: 0.7 },
  ],
  maxRounds: 3,
};
