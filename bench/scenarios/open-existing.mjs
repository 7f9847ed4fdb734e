// @ts-check
import { formatMicroseconds } from '../harness/format.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'open-existing',
  title: 'opening and closing a queue that another process has open',
  pattern: 'openExisting',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'queue-open',
  entries: entriesOf('queue-open'),
  metrics: [
    { key: 'p50Us', heading: 'p50', format: formatMicroseconds },
    { key: 'p99Us', heading: 'p99', format: formatMicroseconds },
    { key: 'meanUs', heading: 'mean', format: formatMicroseconds },
  ],
  targets: [{ entry: 'queue-open', atMost: 200 }],
};
