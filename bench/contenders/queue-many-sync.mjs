// @ts-check
import { BYTES } from '../harness/bench-queue.mjs';
import { queueConsumer, queueOneWay, queueProducer } from '../harness/queue-sides.mjs';
import { receiveBatches } from '../harness/receiving.mjs';
import { BATCH, sendBatches } from '../harness/sending.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-many-sync',
  what: `Queue: putManySync and getManySync of ${BATCH}, a fresh array for each message`,
  patterns: {
    oneWay: queueOneWay(
      queueProducer(BYTES, (queue, source, count) =>
        sendBatches(source, count, (messages) => queue.putManySync(messages)),
      ),
      queueConsumer(BYTES, (queue, check) =>
        receiveBatches(check, () => queue.getManySync({ max: BATCH })),
      ),
    ),
  },
};
