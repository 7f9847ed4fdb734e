// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-value',
  title: 'one number read, and stored with 1 more, by both backends, and asked of a parent',
  pattern: 'accessValue',
  parameters: { bytes: 4, producers: 1, consumers: 1, capacityBytes: 0, type: 'int32' },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('value', '', { callsPerSample: 1 }),
    {
      label: 'child-process-json',
      contender: 'child-process-state',
      parameters: { callsPerSample: 1 },
    },
  ],
  metrics: REPETITIONS,
  targets: [{ entry: 'native', of: 'socket', atMost: 1 / 30 }],
  maxRounds: 3,
};
