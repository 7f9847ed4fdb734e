// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'pipe-64B',
  title: '64 bytes, one way, over a connection',
  pattern: 'oneWay',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'native-spsc',
  entries: entriesOf(
    'native-spsc',
    'pipe-sync',
    'pipe-recv-sync',
    'pipe-for-await',
    'pipe-many-sync',
    'unix-socket-framed',
    'unix-socket-batched',
    'child-process-json',
    'child-process-advanced',
  ),
  metrics: MESSAGES,
  targets: [
    { entry: 'pipe-sync', of: 'native-spsc', atLeast: 0.12 },
    { entry: 'pipe-many-sync', of: 'native-spsc', atLeast: 0.25 },
    { entry: 'pipe-sync', of: 'unix-socket-framed', atLeast: 8 },
    { entry: 'pipe-sync', of: 'child-process-advanced', atLeast: 30 },
  ],
};
