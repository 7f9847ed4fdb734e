// @ts-check
import { BATCH, batchProducer } from '../harness/queue-batches.mjs';
import { queueConsumer, queueOneWay } from '../harness/queue-sides.mjs';

/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/** @param {SideContext} context */
function producer(context) {
  return batchProducer(context, (queue, messages) => queue.putMany(messages));
}

/** @param {SideContext} context */
function consumer(context) {
  return queueConsumer(context, async (queue, check) => {
    for (let isOver = false; !isOver;) {
      for (const message of await queue.getMany({ max: BATCH })) isOver = !check.accept(message);
    }
  });
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-many',
  what: `Queue: await putMany and await getMany of ${BATCH}, a fresh array for each message`,
  patterns: { oneWay: queueOneWay(producer, consumer) },
};
