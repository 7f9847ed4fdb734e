// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { entriesOf, onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-pipe-round-trip',
  title: '64 bytes there and back over a connection, by both backends and without this package',
  pattern: 'roundTrip',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('pipe-sync', 'blocking'),
    ...onBothBackends('pipe-await', 'awaited'),
    ...entriesOf('unix-socket', 'child-process-json'),
  ],
  metrics: REPETITIONS,
  targets: [{ entry: 'native awaited', of: 'socket awaited', atMost: 1 / 1.5 }],
  maxRounds: 3,
};
