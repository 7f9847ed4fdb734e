// @ts-check
import { BYTES } from '../harness/bench-queue.mjs';
import {
  putSyncEach,
  queueConsumer,
  queueOneWay,
  queueProducer,
  queueRoundTrip,
} from '../harness/queue-sides.mjs';
import { BLOCKING } from '../harness/round-trips.mjs';

/** A consumer with one buffer, into which it gets every message. */
export const getIntoConsumer = queueConsumer(BYTES, (queue, check, { parameters }) => {
  const buffer = new Uint8Array(parameters.bytes);
  const words = new Int32Array(buffer.buffer);
  while (check.acceptWords(words, queue.getInto(buffer)));
});

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-sync',
  what: 'Queue: putSync and getInto one way, putSync and getSync there and back',
  patterns: {
    oneWay: queueOneWay(queueProducer(BYTES, putSyncEach), getIntoConsumer),
    roundTrip: queueRoundTrip(
      BLOCKING,
      (queue, bytes) => queue.putSync(bytes),
      (queue) => queue.getSync(),
    ),
  },
};
