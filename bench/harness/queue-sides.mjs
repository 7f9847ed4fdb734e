// @ts-check
import { BYTES } from './bench-queue.mjs';
import { sendEach, timeSending } from './sending.mjs';

/** @typedef {import('interproc').Queue<Uint8Array>} BytesQueue */
/** @typedef {import('./contender.mjs').NodeSides} NodeSides */
/** @typedef {import('./contender.mjs').SideContext} SideContext */
/** @typedef {import('./contender.mjs').SideSetUp} SideSetUp */

/**
 * One way over one queue: consumers first, for a producer needs somebody who has made it.
 * @param {SideSetUp} producer
 * @param {SideSetUp} consumer
 * @returns {NodeSides}
 */
export function queueOneWay(producer, consumer) {
  return { launch: ['consumer', 'producer'], roles: { consumer, producer } };
}

/**
 * A producer whose `send` sends so many messages, and those that end the run.
 * @template Message
 * @template {import('./arrivals.mjs').Check<Message>} Check
 * @template {import('./sending.mjs').Source<Message>} Source
 * @param {import('./bench-queue.mjs').Cargo<Message, Check, Source>} cargo
 * @param {(queue: import('interproc').Queue<Message>, source: Source, count: number, context: SideContext) => void | Promise<void>} send
 * @returns {SideSetUp}
 */
export function queueProducer(cargo, send) {
  return (context) => {
    const queue = cargo.openQueue('bench');
    return {
      run(count) {
        const source = cargo.createSource(context);
        const own = count / context.parameters.producers;
        return timeSending(source, () => send(queue, source, own, context));
      },
      close: () => queue.close(),
    };
  };
}

/**
 * A consumer whose `take` takes messages from the queue until it has met one that ends the run.
 * @template Message
 * @template {import('./arrivals.mjs').Check<Message>} Check
 * @template {import('./sending.mjs').Source<Message>} Source
 * @param {import('./bench-queue.mjs').Cargo<Message, Check, Source>} cargo
 * @param {(queue: import('interproc').Queue<Message>, check: Check, context: SideContext) => void | Promise<void>} take
 * @returns {SideSetUp}
 */
export function queueConsumer(cargo, take) {
  return (context) => {
    const queue =
      context.index === 0 ? cargo.createQueue(context, 'bench') : cargo.openQueue('bench');
    return {
      async run() {
        const check = cargo.createCheck(context);
        await take(queue, check, context);
        return check.report();
      },
      close: () => queue.close(),
    };
  };
}

/**
 * Puts one message per call, and waits in the call when the queue is full.
 * @template Message
 * @param {import('interproc').Queue<Message>} queue
 * @param {import('./sending.mjs').Source<Message>} source
 * @param {number} count
 */
export function putSyncEach(queue, source, count) {
  sendEach(source, count, (message) => queue.putSync(message));
}

/**
 * There and back over two queues.
 * @template Sent, Received
 * @param {import('./round-trips.mjs').Manner<Sent, Received>} manner
 * @param {(queue: BytesQueue, bytes: Uint8Array) => Sent} put
 * @param {(queue: BytesQueue) => Received} get
 * @returns {NodeSides}
 */
export function queueRoundTrip(manner, put, get) {
  /**
   * @param {BytesQueue} to
   * @param {BytesQueue} from
   */
  const callsOf = (to, from) => ({
    send: (/** @type {Uint8Array} */ bytes) => put(to, bytes),
    receive: () => get(from),
  });
  return {
    launch: ['answerer', 'asker'],
    roles: {
      answerer(context) {
        const there = BYTES.createQueue(context, 'there');
        const back = BYTES.createQueue(context, 'back');
        return {
          async run(count) {
            await manner.answer(callsOf(back, there), count);
            return [];
          },
          close() {
            there.close();
            back.close();
          },
        };
      },
      asker({ parameters }) {
        const there = BYTES.openQueue('there');
        const back = BYTES.openQueue('back');
        return {
          run: (count) => manner.ask(callsOf(there, back), count, parameters),
          close() {
            there.close();
            back.close();
          },
        };
      },
    },
  };
}
