// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'string-64B-1x1',
  title: 'strings of 64 characters, one way, from one process to another',
  pattern: 'oneWayValues',
  parameters: { bytes: 64, value: 'text', producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  // The same number of bytes as bytes.
  reference: 'queue-get-sync',
  entries: entriesOf(
    'queue-get-sync',
    'codec-alone',
    'queue-values',
    'child-process-json',
    'child-process-advanced',
  ),
  metrics: MESSAGES,
  targets: [{ entry: 'queue-values', of: 'queue-get-sync', atLeast: 0.5 }],
};
