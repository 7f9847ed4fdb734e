// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { entriesOf, onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-event',
  title: 'two events, one set each way',
  pattern: 'roundTrip',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'child-process-json',
  entries: [...onBothBackends('event-await'), ...entriesOf('child-process-json')],
  metrics: REPETITIONS,
  targets: [],
  maxRounds: 3,
};
