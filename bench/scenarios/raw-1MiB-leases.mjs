// @ts-check
import { formatByteRate, formatMessageRate } from '../harness/format.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/**
 * What leases save: here every message is made anew, all of its bytes, in the queue's own memory or in the producer's, and
 * read there or in the consumer's. In the scenarios that copy, a message is made once and then only stamped.
 * @type {import('../harness/scenario.mjs').Scenario}
 */
export default {
  name: 'raw-1MiB-leases',
  title: '1 MiB, made anew for each message, one way, from one process to another',
  pattern: 'oneWay',
  parameters: { bytes: 2 ** 20, producers: 1, consumers: 1, capacityBytes: 8 * 2 ** 20 },
  reference: 'queue-sync-anew',
  entries: entriesOf('queue-sync-anew', 'queue-leases'),
  metrics: [
    { key: 'bytesPerSecond', heading: 'throughput', format: formatByteRate },
    { key: 'messagesPerSecond', heading: 'messages', format: formatMessageRate },
  ],
  targets: [{ entry: 'queue-leases', of: 'queue-sync-anew', atLeast: 1.5 }],
};
