// @ts-check
import { openBenchQueue } from '../harness/bench-queue.mjs';
import { queueOneWay } from '../harness/queue-sides.mjs';
import { MessageSource } from '../harness/verified-message.mjs';
import { getIntoConsumer } from './queue-sync.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function producer(context) {
  const queue = openBenchQueue('bench');
  return {
    run(count) {
      const { producers } = context.parameters;
      const source = new MessageSource(context.parameters, context.index);
      const message = source.createMessage();
      source.start();
      for (let i = 0; i < count / producers; i += 1) {
        source.write(message);
        source.stamp(message);
        queue.putSync(message.bytes);
      }
      source.stampStop(message);
      for (let i = 0; i < source.stops; i += 1) queue.putSync(message.bytes);
      return source.report();
    },
    close: () => queue.close(),
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-sync-anew',
  what: 'Queue: putSync of a message that is made anew each time, and getInto',
  patterns: { oneWay: queueOneWay(producer, getIntoConsumer) },
};
