// @ts-check
import { formatPercent, formatPerSecond } from '../harness/format.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'idle',
  title: 'a process that does nothing but wait for a message that does not come',
  pattern: 'idle',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'node-idle',
  entries: entriesOf('node-idle', 'queue-await'),
  metrics: [
    { key: 'cpuPercent', heading: 'processor time', format: formatPercent },
    { key: 'contextSwitchesPerSecond', heading: 'context switches', format: formatPerSecond },
  ],
  // 0 %, as `top` would show it.
  targets: [{ entry: 'queue-await', atMost: 0.05 }],
  maxRounds: 3,
};
