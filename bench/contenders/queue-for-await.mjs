// @ts-check
import { putSyncProducer, queueConsumer, queueOneWay } from '../harness/queue-sides.mjs';

/** @param {import('../harness/contender.mjs').SideContext} context */
function consumer(context) {
  return queueConsumer(context, async (queue, check) => {
    for await (const message of queue) {
      if (!check.accept(message)) break;
    }
  });
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-for-await',
  what: 'Queue: putSync, and for await on the other side',
  patterns: { oneWay: queueOneWay(putSyncProducer, consumer) },
};
