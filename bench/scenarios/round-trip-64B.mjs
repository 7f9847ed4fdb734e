// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'round-trip-64B',
  title: '64 bytes there and back, the queues one each way',
  pattern: 'roundTrip',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'futex-bare',
  entries: entriesOf(
    'futex-bare',
    'fifo-epoll-bare',
    'queue-sync',
    'queue-await',
    'unix-socket',
    'child-process-json',
    'child-process-advanced',
  ),
  metrics: REPETITIONS,
  targets: [
    { entry: 'queue-sync', of: 'futex-bare', atMost: 1.5 },
    { entry: 'queue-await', of: 'fifo-epoll-bare', atMost: 1.7 },
    { entry: 'queue-await', of: 'child-process-json', atMost: 0.6 },
  ],
};
