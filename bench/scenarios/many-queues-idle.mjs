// @ts-check
import { formatBytes, formatPercent, formatPerSecond } from '../harness/format.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'many-queues-idle',
  title: 'many queues in one process, all with a pending get and none with a message',
  pattern: 'idle',
  parameters: { bytes: 24, producers: 1, consumers: 1, capacityBytes: 4096 },
  reference: 'node-idle',
  entries: [
    { label: 'node-idle', contender: 'node-idle' },
    { label: '1-queue', contender: 'queues-waiting', parameters: { queues: 1 } },
    { label: '10000-queues', contender: 'queues-waiting', parameters: { queues: 10_000 } },
  ],
  metrics: [
    { key: 'cpuPercent', heading: 'processor time', format: formatPercent },
    { key: 'contextSwitchesPerSecond', heading: 'context switches', format: formatPerSecond },
    { key: 'residentBytesPerQueue', heading: 'own memory per queue', format: formatBytes },
    { key: 'sharedBytesPerQueue', heading: 'shared memory per queue', format: formatBytes },
  ],
  // 0 %, as `top` would show it.
  targets: [{ entry: '10000-queues', atMost: 0.1 }],
  maxRounds: 3,
};
