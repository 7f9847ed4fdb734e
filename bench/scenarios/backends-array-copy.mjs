// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-array-copy',
  title:
    'an array of 1,000 numbers copied out and in again as a whole, by both backends, and asked of a parent',
  pattern: 'copyArray',
  parameters: {
    bytes: 8,
    producers: 1,
    consumers: 1,
    capacityBytes: 0,
    type: 'float64',
    callsPerSample: 1,
  },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('shared-array'),
    { label: 'child-process-json', contender: 'child-process-state' },
  ],
  metrics: REPETITIONS,
  targets: [],
  maxRounds: 3,
};
