// @ts-check
import { VALUES } from '../harness/bench-queue.mjs';
import { queueConsumer, queueOneWay, queueProducer } from '../harness/queue-sides.mjs';
import { receiveIterated } from '../harness/receiving.mjs';
import { sendEachAwaited } from '../harness/sending.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-values-await',
  what: 'Queue: await put and for await with the codec that it has by default',
  patterns: {
    oneWayValues: queueOneWay(
      queueProducer(VALUES, (queue, source, count) =>
        sendEachAwaited(source, count, (value) => queue.put(value)),
      ),
      queueConsumer(VALUES, (queue, check) => receiveIterated(check, queue)),
    ),
  },
};
