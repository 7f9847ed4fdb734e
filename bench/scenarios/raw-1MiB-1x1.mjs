// @ts-check
import { formatByteRate, formatMessageRate } from '../harness/format.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'raw-1MiB-1x1',
  title: '1 MiB, one way, from one process to another',
  pattern: 'oneWay',
  parameters: { bytes: 2 ** 20, producers: 1, consumers: 1, capacityBytes: 8 * 2 ** 20 },
  reference: 'copy-bare',
  entries: entriesOf('copy-bare', 'queue-sync', 'unix-socket-framed', 'child-process-advanced'),
  metrics: [
    { key: 'bytesPerSecond', heading: 'throughput', format: formatByteRate },
    { key: 'messagesPerSecond', heading: 'messages', format: formatMessageRate },
  ],
  targets: [{ entry: 'queue-sync', of: 'copy-bare', atLeast: 0.6 }],
};
