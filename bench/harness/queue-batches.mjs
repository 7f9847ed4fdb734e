// @ts-check
import { openBenchQueue } from './bench-queue.mjs';
import { MessageSource } from './verified-message.mjs';

/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */
/** @typedef {import('./queue-sides.mjs').BenchQueue} BenchQueue */

export const BATCH = 256;

/**
 * A producer that puts so many messages per call.
 * @param {SideContext} context
 * @param {(queue: BenchQueue, messages: Uint8Array[]) => void | Promise<void>} putBatch
 * @returns {Side}
 */
export function batchProducer(context, putBatch) {
  const queue = openBenchQueue('bench');
  return {
    async run(count) {
      const source = new MessageSource(context.parameters, context.index);
      const messages = Array.from({ length: BATCH }, () => source.createMessage());
      const arrays = messages.map((message) => message.bytes);
      source.start();
      let left = count;
      while (left > 0) {
        const batch = Math.min(left, BATCH);
        for (const message of batch === BATCH ? messages : messages.slice(0, batch)) {
          source.stamp(message);
        }
        await putBatch(queue, batch === BATCH ? arrays : arrays.slice(0, batch));
        left -= batch;
      }
      const stop = source.createMessage();
      source.stampStop(stop);
      await putBatch(queue, [stop.bytes]);
      return source.report();
    },
    close: () => queue.close(),
  };
}
