// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'raw-64B-4x4',
  title: '64 bytes, one way, four producers on one core, four consumers on another',
  pattern: 'oneWay',
  parameters: { bytes: 64, producers: 4, consumers: 4, capacityBytes: 2 ** 20 },
  reference: 'queue-sync 1x1',
  entries: [
    // raw-64B-1x1 once more, so that both are measured by turns.
    {
      label: 'queue-sync 1x1',
      contender: 'queue-sync',
      parameters: { producers: 1, consumers: 1 },
    },
    { label: 'queue-sync 4x4', contender: 'queue-sync' },
  ],
  metrics: MESSAGES,
  targets: [{ entry: 'queue-sync 4x4', of: 'queue-sync 1x1', atLeast: 0.4 }],
};
