// @ts-check
import { formatMicroseconds, formatMessageRate } from '../harness/format.mjs';
import { onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-lock-contended',
  title: 'counting up a number in a file under a lock that another process always wants too',
  pattern: 'contend',
  parameters: { bytes: 0, producers: 1, consumers: 1, capacityBytes: 0 },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('lock-sync', 'acquireSync'),
    ...onBothBackends('lock-await', 'acquire'),
    { label: 'child-process-json', contender: 'child-process-lock' },
  ],
  metrics: [
    { key: 'sectionsPerSecond', heading: 'counted', format: formatMessageRate },
    { key: 'p50Us', heading: 'p50', format: formatMicroseconds },
    { key: 'p99Us', heading: 'p99', format: formatMicroseconds },
  ],
  targets: [],
  maxRounds: 3,
};
