// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'event-round-trip',
  title: 'two event loops that wake each other',
  pattern: 'roundTrip',
  parameters: { bytes: 16, producers: 1, consumers: 1, capacityBytes: 65_536 },
  reference: 'fifo-epoll-bare',
  entries: entriesOf('fifo-epoll-bare', 'event-await'),
  metrics: REPETITIONS,
  targets: [{ entry: 'event-await', of: 'fifo-epoll-bare', atMost: 1.5 }],
};
