// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'pipe-round-trip-64B',
  title: '64 bytes there and back over a connection',
  pattern: 'roundTrip',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'futex-bare',
  entries: entriesOf(
    'futex-bare',
    'fifo-epoll-bare',
    'pipe-sync',
    'pipe-await',
    'unix-socket',
    'child-process-json',
  ),
  metrics: REPETITIONS,
  targets: [
    { entry: 'pipe-sync', of: 'futex-bare', atMost: 1.4 },
    { entry: 'pipe-await', of: 'fifo-epoll-bare', atMost: 1.5 },
  ],
};
