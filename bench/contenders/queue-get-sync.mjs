// @ts-check
import { putSyncProducer, queueConsumer, queueOneWay } from '../harness/queue-sides.mjs';

/** @param {import('../harness/contender.mjs').SideContext} context */
function consumer(context) {
  return queueConsumer(context, (queue, check) => {
    while (check.accept(queue.getSync()));
  });
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-get-sync',
  what: 'Queue: putSync and getSync, a fresh array for each message',
  patterns: {
    oneWay: queueOneWay(putSyncProducer, consumer),
    // As many bytes as the values have, for comparison.
    oneWayValues: queueOneWay(putSyncProducer, consumer),
  },
};
