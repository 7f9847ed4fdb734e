// @ts-check
import { makeConnections, only, takeConnections } from './bench-pipe.mjs';
import { timeSending } from './sending.mjs';
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
          run(count) {
            const source = new MessageSource(context.parameters);
            return timeSending(source, () => send(connection, source, count));
          },
          close: () => connection.close(),
        };
      },
    },
  };
}

/**
 * There and back over one connection.
 * @template Sent, Received
 * @param {import('./round-trips.mjs').Manner<Sent, Received>} manner
 * @param {(connection: BenchConnection, bytes: Uint8Array) => Sent} send
 * @param {(connection: BenchConnection) => Received} receive
 * @returns {NodeSides}
 */
export function pipeRoundTrip(manner, send, receive) {
  /** @param {BenchConnection} connection */
  const callsOf = (connection) => ({
    send: (/** @type {Uint8Array} */ bytes) => send(connection, bytes),
    receive: () => receive(connection),
  });
  return {
    launch: ['answerer', 'asker'],
    roles: {
      answerer(context) {
        const connection = only(makeConnections(context));
        return {
          async run(count) {
            await manner.answer(callsOf(connection), count);
            return [];
          },
          close: () => connection.close(),
        };
      },
      asker({ parameters }) {
        const connection = only(takeConnections());
        return {
          run: (count) => manner.ask(callsOf(connection), count, parameters),
          close: () => connection.close(),
        };
      },
    },
  };
}
