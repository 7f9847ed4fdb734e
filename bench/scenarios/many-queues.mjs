// @ts-check
import { REPETITIONS } from '../harness/metrics.mjs';

/** @type {import('../harness/scenario.mjs').Scenario} */
export default {
  name: 'many-queues',
  title: 'waking one of many queues, all with a pending get in one process that sleeps',
  pattern: 'wakeOne',
  parameters: { bytes: 24, producers: 1, consumers: 1, capacityBytes: 4096 },
  reference: '1-queue',
  entries: [
    { label: '1-queue', contender: 'queues-waiting', parameters: { queues: 1 } },
    { label: '10000-queues', contender: 'queues-waiting', parameters: { queues: 10_000 } },
  ],
  metrics: REPETITIONS,
  targets: [{ entry: '10000-queues', of: '1-queue', atMost: 1.5 }],
};
