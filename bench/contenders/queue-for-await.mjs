// @ts-check
import { BYTES } from '../harness/bench-queue.mjs';
import { putSyncEach, queueConsumer, queueOneWay, queueProducer } from '../harness/queue-sides.mjs';
import { receiveIterated } from '../harness/receiving.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-for-await',
  what: 'Queue: putSync, and for await on the other side',
  patterns: {
    oneWay: queueOneWay(
      queueProducer(BYTES, putSyncEach),
      queueConsumer(BYTES, (queue, check) => receiveIterated(check, queue)),
    ),
  },
};
