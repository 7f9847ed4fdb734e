// @ts-check
/** Listens, connects, accepts and talks as it is told, call by call. A call that waits does not hold up the next one. */
import { Pipe, prune } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

/**
 * @typedef {{ id: number, call: string, target: string, args: unknown[] }} Order
 * @typedef {import('../../../dist/index.js').Listener} Listener
 * @typedef {import('../../../dist/index.js').Connection} Connection
 */

/** @type {Map<string, Listener>} */
const listeners = new Map();
/** @type {Map<string, Connection>} */
const connections = new Map();

/**
 * @template T
 * @param {Map<string, T>} map
 * @param {string} name
 */
function found(map, name) {
  const value = map.get(name);
  if (value === undefined) throw new Error(`the terminal has no '${name}'`);
  return value;
}

/**
 * Gives every client back what it sends, until the listener closes.
 * @param {Listener} listener
 */
async function serve(listener) {
  for await (const connection of listener) void echo(connection);
}

/** @param {Connection} connection */
async function echo(connection) {
  try {
    await connection.send(await connection.recv());
  } catch {
    // It was killed.
  }
  connection.close();
}

/** What one may meet whose listener is killed; the next one is asked then. */
const LOST = ['ERR_EOF', 'ERR_PEER_DEAD'];

/**
 * Asks until somebody gives it back.
 * @param {string} name
 * @param {unknown} question
 * @param {object} options
 */
async function ask(name, question, options) {
  for (;;) {
    const connection = await Pipe.connect(name, options);
    try {
      await connection.send(question);
      return await connection.recv();
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error);
      if (!LOST.includes(code ?? '')) throw error;
    } finally {
      connection.close();
    }
  }
}

/**
 * @param {Order} order
 * @returns {unknown}
 */
function obey({ call, target, args }) {
  const options = /** @type {object} */ (args[1] ?? {});
  const kept = (/** @type {Connection} */ connection) =>
    void connections.set(String(args[0]), connection);
  switch (call) {
    case 'listen':
      return void listeners.set(target, Pipe.listen(target, /** @type {object} */ (args[0])));
    case 'accept':
      return found(listeners, target).accept(options).then(kept);
    case 'connect':
      return Pipe.connect(target, options).then(kept);
    case 'serve':
      return serve(found(listeners, target));
    case 'ask':
      return ask(target, args[0], options);
    case 'waiting':
      return found(listeners, target).waiting;
    case 'rejected':
      return found(listeners, target).rejected;
    case 'stopListening':
      return found(listeners, target).close();
    case 'prune':
      return prune();
    default: {
      const methods = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (
        /** @type {unknown} */ (found(connections, target))
      );
      return methods[call]?.(...args);
    }
  }
}

/** @param {Order} order */
async function answer(order) {
  try {
    const result = obey(order);
    say(`began:${order.id}`);
    say(`reply:${order.id}`, { value: await result });
  } catch (error) {
    const { code, message } = /** @type {Error & { code?: string }} */ (error);
    say(`reply:${order.id}`, { code: code ?? 'none', message });
  }
}

const ears = new Ears();
for (let line = await ears.line(); line !== undefined; line = await ears.line()) {
  void answer(JSON.parse(line));
}
