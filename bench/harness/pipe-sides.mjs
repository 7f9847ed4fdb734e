// @ts-check
import { makeConnections, only, takeConnections } from './bench-pipe.mjs';
import { TimedSamples } from './timed-samples.mjs';
import { MessageCheck, MessageSource } from './verified-message.mjs';

/** @typedef {import('./bench-pipe.mjs').BenchConnection} BenchConnection */
/** @typedef {import('./contender.mjs').NodeSides} NodeSides */
/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */

/**
 * One way: the consumer makes the connection.
 * @param {(connection: BenchConnection, source: MessageSource, count: number) => void | Promise<void>} send
 *   sends so many messages, and the one that ends the run
 * @param {(connection: BenchConnection, check: MessageCheck, context: SideContext) => void | Promise<void>} receive
 *   until one ends the run
 * @returns {NodeSides}
 */
export function pipeOneWay(send, receive) {
  return {
    launch: ['consumer', 'producer'],
    roles: {
      consumer(context) {
        const connection = only(makeConnections(context));
        return {
          async run() {
            const check = new MessageCheck(context.parameters);
            await receive(connection, check, context);
            return check.report();
          },
          close: () => connection.close(),
        };
      },
      producer(context) {
        const connection = only(takeConnections());
        return {
          async run(count) {
            const source = new MessageSource(context.parameters);
            source.start();
            await send(connection, source, count);
            return source.report();
          },
          close: () => connection.close(),
        };
      },
    },
  };
}

/**
 * There and back over one connection.
 * @param {(connection: BenchConnection, count: number) => void | Promise<void>} answer
 * @param {(connection: BenchConnection, bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>} ask
 * @param {boolean} isAwaited whether `ask` is to be awaited
 * @returns {NodeSides}
 */
export function pipeRoundTrip(answer, ask, isAwaited) {
  return {
    launch: ['answerer', 'asker'],
    roles: {
      answerer(context) {
        const connection = only(makeConnections(context));
        return {
          async run(count) {
            await answer(connection, count);
            return [];
          },
          close: () => connection.close(),
        };
      },
      asker({ parameters }) {
        const connection = only(takeConnections());
        return {
          async run(count) {
            const samples = new TimedSamples(count);
            const source = new MessageSource(parameters);
            const check = new MessageCheck(parameters);
            const message = source.createMessage();
            for (let i = 0; i < count; i += 1) {
              source.stamp(message);
              const askedAt = performance.now();
              const asked = ask(connection, message.bytes);
              const reply = isAwaited ? await asked : /** @type {Uint8Array} */ (asked);
              samples.add(performance.now() - askedAt);
              check.accept(reply);
            }
            return samples.report();
          },
          close: () => connection.close(),
        };
      },
    },
  };
}
