// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-queue-round-trip',
  title: '64 bytes there and back over two queues, by both backends and without this package',
  pattern: 'roundTrip',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'child-process-json',
  entries: [
    { label: 'native blocking', contender: 'queue-sync' },
    { label: 'socket blocking', contender: 'queue-sync', parameters: { backend: 'socket' } },
    { label: 'native awaited', contender: 'queue-await' },
    { label: 'socket awaited', contender: 'queue-await', parameters: { backend: 'socket' } },
    { label: 'unix-socket', contender: 'unix-socket' },
    { label: 'child-process-json', contender: 'child-process-json' },
    { label: 'child-process-advanced', contender: 'child-process-advanced' },
  ],
  metrics: REPETITIONS,
  targets: [{ entry: 'native awaited', of: 'socket awaited', atMost: 1 / 1.5 }],
  maxRounds: 3,
};
