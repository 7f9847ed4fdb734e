// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'object-5KiB-1x1',
  title:
    'an object of about 5 KiB in JSON with 80 others in it, one way, from one process to another',
  pattern: 'oneWayValues',
  parameters: {
    bytes: 5120,
    value: 'document',
    producers: 1,
    consumers: 1,
    capacityBytes: 2 ** 20,
  },
  reference: 'codec-alone',
  entries: entriesOf('codec-alone', 'queue-values', 'child-process-json', 'child-process-advanced'),
  metrics: MESSAGES,
  targets: [{ entry: 'queue-values', of: 'child-process-advanced', atLeast: 3 }],
};
