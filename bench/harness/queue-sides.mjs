// @ts-check
import { createBenchQueue, openBenchQueue } from './bench-queue.mjs';
import { MessageCheck, MessageSource } from './verified-message.mjs';

/** @typedef {import('./contender.mjs').NodeSides} NodeSides */
/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */
/** @typedef {ReturnType<typeof openBenchQueue>} BenchQueue */

/**
 * One way over one queue: consumers first, for a producer needs somebody who has made it.
 * @param {(context: SideContext) => Side} producer
 * @param {(context: SideContext) => Side} consumer
 * @returns {NodeSides}
 */
export function queueOneWay(producer, consumer) {
  return { launch: ['consumer', 'producer'], roles: { consumer, producer } };
}

/**
 * A consumer that takes messages from the queue until `take` has met one that ends the run.
 * @param {SideContext} context
 * @param {(queue: BenchQueue, check: MessageCheck) => void | Promise<void>} take
 * @returns {Side}
 */
export function queueConsumer(context, take) {
  const queue = context.index === 0 ? createBenchQueue(context, 'bench') : openBenchQueue('bench');
  return {
    async run() {
      const check = new MessageCheck(context.parameters);
      await take(queue, check);
      return check.report();
    },
    close: () => queue.close(),
  };
}

/**
 * A producer that puts one message per call and waits in the call when the queue is full.
 * @param {SideContext} context
 * @returns {Side}
 */
export function putSyncProducer(context) {
  const queue = openBenchQueue('bench');
  return {
    run(count) {
      const { producers } = context.parameters;
      const source = new MessageSource(context.parameters, context.index);
      const message = source.createMessage();
      source.start();
      for (let i = 0; i < count / producers; i += 1) {
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
