// @ts-check
import { formatByteRate, formatMessageRate } from '../harness/format.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'pipe-1MiB',
  title: '1 MiB, one way, over a connection',
  pattern: 'oneWay',
  parameters: { bytes: 2 ** 20, producers: 1, consumers: 1, capacityBytes: 4 * 2 ** 20 },
  reference: 'copy-bare',
  entries: [
    { label: 'copy-bare', contender: 'copy-bare' },
    { label: 'pipe-of-4MiB', contender: 'pipe-sync' },
    // In parts: the connection holds a sixteenth of a message.
    { label: 'pipe-of-64KiB', contender: 'pipe-sync', parameters: { capacityBytes: 65_536 } },
    { label: 'unix-socket-framed', contender: 'unix-socket-framed' },
  ],
  metrics: [
    { key: 'bytesPerSecond', heading: 'throughput', format: formatByteRate },
    { key: 'messagesPerSecond', heading: 'messages', format: formatMessageRate },
  ],
  targets: [
    { entry: 'pipe-of-4MiB', of: 'copy-bare', atLeast: 0.6 },
    { entry: 'pipe-of-64KiB', of: 'copy-bare', atLeast: 0.6 },
  ],
};
