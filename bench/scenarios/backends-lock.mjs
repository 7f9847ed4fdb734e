// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-lock',
  title:
    'acquiring and releasing a lock that nobody else wants, by both backends, and asked of a parent',
  pattern: 'calls',
  parameters: { bytes: 0, producers: 1, consumers: 1, capacityBytes: 0 },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('lock-sync', 'acquireSync', { callsPerSample: 1 }),
    ...onBothBackends('lock-await', 'acquire', { callsPerSample: 1 }),
    {
      label: 'child-process-json',
      contender: 'child-process-lock',
      parameters: { callsPerSample: 1 },
    },
  ],
  metrics: REPETITIONS,
  targets: [],
  maxRounds: 3,
};
