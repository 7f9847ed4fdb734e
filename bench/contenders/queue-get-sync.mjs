// @ts-check
import { BYTES } from '../harness/bench-queue.mjs';
import { putSyncEach, queueConsumer, queueOneWay, queueProducer } from '../harness/queue-sides.mjs';
import { receiveEach } from '../harness/receiving.mjs';

const sides = queueOneWay(
  queueProducer(BYTES, putSyncEach),
  queueConsumer(BYTES, (queue, check) => receiveEach(check, () => queue.getSync())),
);

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-get-sync',
  what: 'Queue: putSync and getSync, a fresh array for each message',
  // Of values as many bytes as they have, for comparison.
  patterns: { oneWay: sides, oneWayValues: sides },
};
