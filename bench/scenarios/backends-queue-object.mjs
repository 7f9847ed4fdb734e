// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';
import { entriesOf, onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-queue-object',
  title:
    'an object of about 100 bytes, one way over a queue, by both backends and without this package',
  pattern: 'oneWayValues',
  parameters: { bytes: 120, value: 'record', producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('queue-values', 'putSync getSync'),
    ...onBothBackends('queue-values-await', 'put for await'),
    ...entriesOf('child-process-json', 'child-process-advanced'),
  ],
  metrics: MESSAGES,
  targets: [
    { entry: 'socket putSync getSync', of: 'child-process-json', atLeast: 1.2 },
    { entry: 'socket put for await', of: 'child-process-json', atLeast: 1.2 },
  ],
  maxRounds: 3,
};
