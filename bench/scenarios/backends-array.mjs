// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-array',
  title:
    'an element of an array of 1,000 read, and stored with 1 more, by both backends, and asked of a parent',
  pattern: 'accessElements',
  parameters: { bytes: 4, producers: 1, consumers: 1, capacityBytes: 0, type: 'int32' },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('shared-array', '', { callsPerSample: 1 }),
    {
      label: 'child-process-json',
      contender: 'child-process-state',
      parameters: { callsPerSample: 1 },
    },
  ],
  metrics: REPETITIONS,
  targets: [],
  maxRounds: 3,
};
