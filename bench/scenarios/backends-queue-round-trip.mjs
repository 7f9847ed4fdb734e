// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { entriesOf, onBothBackends } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'backends-queue-round-trip',
  title: '64 bytes there and back over two queues, by both backends and without this package',
  pattern: 'roundTrip',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'child-process-json',
  entries: [
    ...onBothBackends('queue-sync', 'blocking'),
    ...onBothBackends('queue-await', 'awaited'),
    ...entriesOf('unix-socket', 'child-process-json', 'child-process-advanced'),
  ],
  metrics: REPETITIONS,
  targets: [{ entry: 'native awaited', of: 'socket awaited', atMost: 1 / 1.5 }],
  maxRounds: 3,
};
