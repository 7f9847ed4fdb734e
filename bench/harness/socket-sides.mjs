// @ts-check
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

import { Arrivals } from './arrivals.mjs';
import { FrameReader } from './message-frames.mjs';
import { MessageCheck, MessageSource } from './verified-message.mjs';

/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */
/** @typedef {import('node:net').Socket} Socket */

/** @param {SideContext} context */
export function socketPath({ directory }) {
  return `${directory}/socket`;
}

/**
 * Listens for one peer. Resolves when it can connect.
 * @param {string} path
 * @returns {Promise<{ connected: Promise<Socket> }>}
 */
export async function listenForOne(path) {
  const server = createServer();
  const connected = once(server, 'connection').then(([socket]) => {
    server.close();
    return /** @type {Socket} */ (socket);
  });
  server.listen(path);
  await once(server, 'listening');
  return { connected };
}

/**
 * Every chunk lands in one buffer: a socket that allocates one for each is slower. Only who connects can ask for that,
 * so the side that receives does.
 * @param {string} path
 * @param {(chunk: Buffer) => void} onChunk
 */
export async function connectInto(path, onChunk) {
  const buffer = Buffer.alloc(256 * 1024);
  const socket = connect({
    path,
    onread: {
      buffer,
      callback(length) {
        onChunk(buffer.subarray(0, length));
        return true;
      },
    },
  });
  await once(socket, 'connect');
  return socket;
}

/**
 * A producer that hands over its messages by `send`, which may put off the writing and resolves when it is time for
 * the next; `flush` ends a run.
 * @param {SideContext} context
 * @param {(socket: Socket, context: SideContext) => MessageSender} createSender
 * @returns {Promise<Side>}
 *
 * @typedef {object} MessageSender
 * @property {(source: MessageSource, count: number) => Promise<void>} sendAll so many messages, stamped
 * @property {(source: MessageSource) => Promise<void>} sendStop
 */
export async function framedProducer(context, createSender) {
  const { connected } = await listenForOne(socketPath(context));
  /** @type {MessageSender | undefined} */
  let sender;
  return {
    async run(count) {
      sender ??= createSender(await connected, context);
      const source = new MessageSource(context.parameters);
      source.start();
      await sender.sendAll(source, count);
      await sender.sendStop(source);
      return source.report();
    },
    async close() {
      (await connected).destroy();
    },
  };
}

/**
 * @param {SideContext} context
 * @returns {Promise<Side>}
 */
export async function framedConsumer(context) {
  const arrivals = new Arrivals(() => new MessageCheck(context.parameters));
  const reader = new FrameReader(context.parameters.bytes, (message) => arrivals.accept(message));
  const socket = await connectInto(socketPath(context), (chunk) => {
    try {
      reader.push(chunk);
    } catch (error) {
      arrivals.fail(error);
    }
  });
  return {
    run: () => arrivals.nextReport(),
    close() {
      socket.destroy();
    },
  };
}
