// @ts-check
import { VALUES } from '../harness/bench-queue.mjs';
import { putSyncEach, queueConsumer, queueOneWay, queueProducer } from '../harness/queue-sides.mjs';
import { receiveEach } from '../harness/receiving.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-values',
  what: "Queue: putSync and getSync with the codec that it has by default, 'structured'",
  patterns: {
    oneWayValues: queueOneWay(
      queueProducer(VALUES, putSyncEach),
      queueConsumer(VALUES, (queue, check) => receiveEach(check, () => queue.getSync())),
    ),
  },
};
