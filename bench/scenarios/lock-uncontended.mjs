// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'lock-uncontended',
  title: 'acquiring and releasing a lock that nobody else wants',
  pattern: 'calls',
  parameters: { bytes: 0, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'native-call',
  entries: entriesOf('native-call', 'lock-sync', 'lock-await'),
  metrics: REPETITIONS,
  targets: [{ entry: 'lock-sync', of: 'native-call', atMost: 10 }],
};
