// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-value-add',
  title: 'an addition of 1 that no other comes between, by both backends, and asked of a parent',
  pattern: 'addToValue',
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
  targets: [],
  maxRounds: 3,
};
