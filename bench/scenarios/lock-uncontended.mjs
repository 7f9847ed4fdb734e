// @ts-check
import { formatMicroseconds } from '../harness/format.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'lock-uncontended',
  title: 'acquiring and releasing a lock that nobody else wants',
  pattern: 'calls',
  parameters: { bytes: 0, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'native-call',
  entries: entriesOf('native-call', 'lock-sync', 'lock-await'),
  metrics: [
    { key: 'p50Us', heading: 'p50', format: formatMicroseconds },
    { key: 'p99Us', heading: 'p99', format: formatMicroseconds },
    { key: 'meanUs', heading: 'mean', format: formatMicroseconds },
  ],
  targets: [{ entry: 'lock-sync', of: 'native-call', atMost: 10 }],
};
