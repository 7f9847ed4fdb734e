// @ts-check
import { formatByteRate, formatMessageRate } from '../harness/format.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'raw-any-size',
  title: '1 MiB, one way, through a queue that is larger than it, and through one that is smaller',
  pattern: 'oneWay',
  parameters: { bytes: 2 ** 20, producers: 1, consumers: 1, capacityBytes: 4 * 2 ** 20 },
  reference: 'fits',
  entries: [
    { label: 'fits', contender: 'queue-sync' },
    { label: 'beside', contender: 'queue-sync', parameters: { capacityBytes: 65_536 } },
    { label: 'fits, getSync', contender: 'queue-get-sync' },
    {
      label: 'beside, getSync',
      contender: 'queue-get-sync',
      parameters: { capacityBytes: 65_536 },
    },
  ],
  metrics: [
    { key: 'bytesPerSecond', heading: 'throughput', format: formatByteRate },
    { key: 'messagesPerSecond', heading: 'messages', format: formatMessageRate },
  ],
  // A message that goes beside the ring costs at most twice as much a byte.
  targets: [{ entry: 'beside', of: 'fits', atLeast: 0.5 }],
};
