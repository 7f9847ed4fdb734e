// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-event',
  title: 'two events, one set each way',
  pattern: 'roundTrip',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'child-process-json',
  entries: [
    { label: 'native', contender: 'event-await' },
    { label: 'socket', contender: 'event-await', parameters: { backend: 'socket' } },
    { label: 'child-process-json', contender: 'child-process-json' },
  ],
  metrics: REPETITIONS,
  targets: [],
  maxRounds: 3,
};
