// @ts-check
import { formatPercent, formatPerSecond } from '../harness/format.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'many-connections-idle',
  title: 'connections with a pending recv on both ends, and no message',
  pattern: 'idle',
  parameters: { bytes: 24, producers: 1, consumers: 1, capacityBytes: 4096 },
  reference: 'node-idle',
  entries: [
    { label: 'node-idle', contender: 'node-idle' },
    { label: '1-connection', contender: 'pipe-await', parameters: { connections: 1 } },
    { label: '1000-connections', contender: 'pipe-await', parameters: { connections: 1000 } },
  ],
  metrics: [
    { key: 'cpuPercent', heading: 'processor time', format: formatPercent },
    { key: 'contextSwitchesPerSecond', heading: 'context switches', format: formatPerSecond },
  ],
  targets: [{ entry: '1000-connections', atMost: 0.1 }],
  maxRounds: 3,
};
