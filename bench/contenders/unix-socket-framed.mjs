// @ts-check
import { once } from 'node:events';

import { PREFIX_BYTES } from '../harness/message-frames.mjs';
import { framedConsumer, framedProducer } from '../harness/socket-sides.mjs';

/** @typedef {import('../harness/verified-message.mjs').Message} Message */
/** @typedef {import('../harness/verified-message.mjs').MessageSource} MessageSource */

/** Longer messages are not copied next to their prefix: the two leave in one `writev`. */
const COPIED_BYTES = 4096;

/**
 * @param {import('node:net').Socket} socket
 * @returns {Promise<unknown>}
 */
async function roomIn(socket) {
  return socket.writableNeedDrain ? once(socket, 'drain') : undefined;
}

/** Each message leaves by a write of its own, as soon as it is there: what one call per message means on a socket. */
class SmallMessageSender {
  #socket;
  /** @type {Message | undefined} */
  #message;

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * @param {MessageSource} source
   * @param {number} count
   */
  async sendAll(source, count) {
    const message = (this.#message ??= source.createMessage());
    for (let i = 0; i < count; i += 1) {
      source.stamp(message);
      if (!this.#write(message.bytes)) await roomIn(this.#socket);
    }
  }

  /** @param {MessageSource} source */
  async sendStop(source) {
    const message = (this.#message ??= source.createMessage());
    source.stampStop(message);
    this.#write(message.bytes);
  }

  /** @param {Uint8Array} bytes */
  #write(bytes) {
    // Fresh, because the socket keeps it until it is written; small ones come from Node's pool.
    const frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length);
    frame.writeUInt32LE(bytes.length);
    frame.set(bytes, PREFIX_BYTES);
    return this.#socket.write(frame);
  }
}

/** Two messages by turns: one is stamped while the other is written. */
class LargeMessageSender {
  #socket;
  /** @type {{ message: Message, written: Promise<void> }[]} */
  #turns = [];
  #turn = 0;
  #prefix = Buffer.alloc(PREFIX_BYTES);

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * @param {MessageSource} source
   * @param {number} count
   */
  async sendAll(source, count) {
    for (let i = 0; i < count; i += 1) {
      await this.#send(source, (message) => source.stamp(message));
    }
  }

  /** @param {MessageSource} source */
  async sendStop(source) {
    await this.#send(source, (message) => source.stampStop(message));
  }

  /**
   * @param {MessageSource} source
   * @param {(message: Message) => void} stamp
   */
  async #send(source, stamp) {
    const turn = (this.#turns[this.#turn] ??= {
      message: source.createMessage(),
      written: Promise.resolve(),
    });
    this.#turn = 1 - this.#turn;
    await turn.written;
    stamp(turn.message);
    const { bytes } = turn.message;
    this.#prefix.writeUInt32LE(bytes.length);
    this.#socket.cork();
    this.#socket.write(this.#prefix);
    turn.written = new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    this.#socket.uncork();
  }
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'unix-socket-framed',
  what: 'node:net over a Unix socket, length-prefixed, a write for each message',
  patterns: {
    oneWay: {
      launch: ['producer', 'consumer'],
      roles: {
        producer: (context) =>
          framedProducer(context, (socket) =>
            context.parameters.bytes <= COPIED_BYTES
              ? new SmallMessageSender(socket)
              : new LargeMessageSender(socket),
          ),
        consumer: framedConsumer,
      },
    },
  },
};
