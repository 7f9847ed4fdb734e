// @ts-check
import { createBenchQueue, openBenchQueue } from '../harness/bench-queue.mjs';
import { putSyncProducer, queueConsumer, queueOneWay } from '../harness/queue-sides.mjs';
import { TimedSamples } from '../harness/timed-samples.mjs';
import { MessageCheck, MessageSource } from '../harness/verified-message.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * A consumer with one buffer, into which it gets every message.
 * @param {SideContext} context
 */
export function getIntoConsumer(context) {
  const buffer = new Uint8Array(context.parameters.bytes);
  const words = new Int32Array(buffer.buffer);
  return queueConsumer(context, (queue, check) => {
    while (check.acceptWords(words, queue.getInto(buffer)));
  });
}

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function answerer(context) {
  const there = createBenchQueue(context, 'there');
  const back = createBenchQueue(context, 'back');
  return {
    run(count) {
      for (let i = 0; i < count; i += 1) back.putSync(there.getSync());
      return [];
    },
    close() {
      there.close();
      back.close();
    },
  };
}

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function asker({ parameters }) {
  const there = openBenchQueue('there');
  const back = openBenchQueue('back');
  return {
    run(count) {
      const samples = new TimedSamples(count);
      const source = new MessageSource(parameters);
      const check = new MessageCheck(parameters);
      const message = source.createMessage();
      for (let i = 0; i < count; i += 1) {
        source.stamp(message);
        const askedAt = performance.now();
        there.putSync(message.bytes);
        const reply = back.getSync();
        samples.add(performance.now() - askedAt);
        check.accept(reply);
      }
      return samples.report();
    },
    close() {
      there.close();
      back.close();
    },
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-sync',
  what: 'Queue: putSync and getInto one way, putSync and getSync there and back',
  patterns: {
    oneWay: queueOneWay(putSyncProducer, getIntoConsumer),
    roundTrip: { launch: ['answerer', 'asker'], roles: { answerer, asker } },
  },
};
