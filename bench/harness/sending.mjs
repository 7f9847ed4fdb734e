// @ts-check
/** The ways to send a run's messages over anything that takes one, or many, with a call. */

/** Messages that go with one call, where a call takes many. */
export const BATCH = 256;

/** @typedef {import('./verified-message.mjs').MessageSource} MessageSource */

/**
 * The messages of one producer in one run.
 * @template Message
 * @typedef {object} Source
 * @property {() => void} start the clock of the run
 * @property {() => Message} next
 * @property {() => Message} stop one that ends a consumer's run
 * @property {number} stops how many consumers this producer has to stop
 * @property {() => import('./contender.mjs').Report} report
 */

/**
 * @template Message
 * @param {Source<Message>} source
 * @param {number} count
 * @param {(message: Message) => void} send blocks while there is no room
 */
export function sendEach(source, count, send) {
  for (let i = 0; i < count; i += 1) send(source.next());
  for (let i = 0; i < source.stops; i += 1) send(source.stop());
}

/**
 * @template Message
 * @param {Source<Message>} source
 * @param {number} count
 * @param {(message: Message) => Promise<unknown>} send
 */
export async function sendEachAwaited(source, count, send) {
  for (let i = 0; i < count; i += 1) await send(source.next());
  for (let i = 0; i < source.stops; i += 1) await send(source.stop());
}

/**
 * @param {MessageSource} source
 * @param {number} count
 * @param {(messages: Uint8Array[]) => void | Promise<void>} sendMany
 */
export async function sendBatches(source, count, sendMany) {
  const messages = Array.from({ length: BATCH }, () => source.createMessage());
  const arrays = messages.map((message) => message.bytes);
  for (let left = count; left > 0; left -= BATCH) {
    const isWhole = left >= BATCH;
    for (const message of isWhole ? messages : messages.slice(0, left)) source.stamp(message);
    await sendMany(isWhole ? arrays : arrays.slice(0, left));
  }
  for (let i = 0; i < source.stops; i += 1) await sendMany([source.stop()]);
}

/**
 * @template Message
 * @param {Source<Message>} source
 * @param {() => void | Promise<void>} sendAll
 */
export async function timeSending(source, sendAll) {
  source.start();
  await sendAll();
  return source.report();
}
