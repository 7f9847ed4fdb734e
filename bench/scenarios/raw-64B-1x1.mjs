// @ts-check
import { MESSAGES } from '../harness/metrics.mjs';
import { entriesOf } from '../harness/scenario.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'raw-64B-1x1',
  title: '64 bytes, one way, from one process to another',
  pattern: 'oneWay',
  parameters: { bytes: 64, producers: 1, consumers: 1, capacityBytes: 2 ** 20 },
  reference: 'native-mpmc',
  entries: entriesOf(
    'native-mpmc',
    'native-mpmc-patient',
    'native-spsc',
    'queue-sync',
    'queue-get-sync',
    'queue-for-await',
    'queue-many',
    'queue-many-sync',
    'unix-socket-framed',
    'unix-socket-batched',
    'child-process-json',
    'child-process-advanced',
  ),
  metrics: MESSAGES,
  targets: [
    { entry: 'native-mpmc', atLeast: 12e6 },
    { entry: 'queue-sync', of: 'native-mpmc', atLeast: 0.25 },
    { entry: 'queue-sync', of: 'child-process-advanced', atLeast: 30 },
    { entry: 'queue-sync', of: 'unix-socket-framed', atLeast: 8 },
    { entry: 'queue-get-sync', of: 'native-mpmc', atLeast: 0.2 },
    { entry: 'queue-for-await', of: 'native-mpmc', atLeast: 0.12 },
    { entry: 'queue-many', of: 'native-mpmc', atLeast: 0.35 },
  ],
};
