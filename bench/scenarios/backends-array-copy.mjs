// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-array-copy',
  title:
    'an array of 1,000 numbers copied out and in again as a whole, by both backends, and asked of a parent',
  pattern: 'copyArray',
  parameters: { bytes: 8, producers: 1, consumers: 1, capacityBytes: 0, type: 'float64' },
  reference: 'child-process-json',
  entries: [
    { label: 'native', contender: 'shared-array', parameters: { callsPerSample: 10 } },
    {
      label: 'socket',
      contender: 'shared-array',
      parameters: { backend: 'socket', callsPerSample: 1 },
    },
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
