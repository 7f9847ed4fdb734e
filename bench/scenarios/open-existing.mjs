// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'open-existing',
  title: 'opening and closing a queue that another process has open',
  pattern: 'openExisting',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'queue-open',
  entries: entriesOf('queue-open'),
  metrics: REPETITIONS,
  targets: [{ entry: 'queue-open', atMost: 200 }],
};
