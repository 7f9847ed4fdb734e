// @ts-check
import { BATCH, batchProducer } from '../harness/queue-batches.mjs';
import { queueConsumer, queueOneWay } from '../harness/queue-sides.mjs';

/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/** @param {SideContext} context */
function producer(context) {
  return batchProducer(context, (queue, messages) => queue.putManySync(messages));
}

/** @param {SideContext} context */
function consumer(context) {
  return queueConsumer(context, (queue, check) => {
    for (let isOver = false; !isOver;) {
      for (const message of queue.getManySync({ max: BATCH })) isOver = !check.accept(message);
    }
  });
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-many-sync',
  what: `Queue: putManySync and getManySync of ${BATCH}, a fresh array for each message`,
  patterns: { oneWay: queueOneWay(producer, consumer) },
};
