// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-pipe-round-trip',
  title: '64 bytes there and back over a connection, by both backends and without this package',
  pattern: 'roundTrip',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'child-process-json',
  entries: [
    { label: 'native blocking', contender: 'pipe-sync' },
    { label: 'socket blocking', contender: 'pipe-sync', parameters: { backend: 'socket' } },
    { label: 'native awaited', contender: 'pipe-await' },
    { label: 'socket awaited', contender: 'pipe-await', parameters: { backend: 'socket' } },
    { label: 'unix-socket', contender: 'unix-socket' },
    { label: 'child-process-json', contender: 'child-process-json' },
  ],
  metrics: REPETITIONS,
  targets: [{ entry: 'native awaited', of: 'socket awaited', atMost: 1 / 1.5 }],
  maxRounds: 3,
};
