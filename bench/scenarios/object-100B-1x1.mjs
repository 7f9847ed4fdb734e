// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'object-100B-1x1',
  title: 'an object of about 100 bytes, one way, from one process to another',
  pattern: 'oneWayValues',
  parameters: { bytes: 120, value: 'record', producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'codec-alone',
  entries: entriesOf('codec-alone', 'queue-values', 'child-process-json', 'child-process-advanced'),
  metrics: MESSAGES,
  targets: [
    { entry: 'queue-values', of: 'child-process-advanced', atLeast: 8 },
    { entry: 'queue-values', of: 'child-process-json', atLeast: 4 },
    { entry: 'queue-values', of: 'codec-alone', atLeast: 0.75 },
  ],
};
