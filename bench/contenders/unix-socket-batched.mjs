// @ts-check
import { once } from 'node:events';

import { PREFIX_BYTES } from '../harness/message-frames.mjs';
import { framedConsumer, framedProducer } from '../harness/socket-sides.mjs';

/** @typedef {import('../harness/verified-message.mjs').MessageSource} MessageSource */

const CHUNK_BYTES = 65_536;

/**
 * Gathers frames and writes them a chunk at a time: the most that a socket gives, for those who can wait for the chunk to
 * fill. The counterpart of putMany.
 */
class ChunkSender {
  #socket;
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #filled = 0;

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * @param {MessageSource} source
   * @param {number} count
   */
  async sendAll(source, count) {
    const message = source.createMessage();
    for (let i = 0; i < count; i += 1) {
      source.stamp(message);
      if (!this.#append(message.bytes)) await once(this.#socket, 'drain');
    }
  }

  /** @param {MessageSource} source */
  async sendStop(source) {
    const message = source.createMessage();
    source.stampStop(message);
    this.#append(message.bytes);
    this.#flush();
  }

  /** @param {Uint8Array} bytes */
  #append(bytes) {
    const frameBytes = PREFIX_BYTES + bytes.length;
    const hasRoom = this.#filled + frameBytes <= CHUNK_BYTES || this.#flush();
    this.#chunk.writeUInt32LE(bytes.length, this.#filled);
    this.#chunk.set(bytes, this.#filled + PREFIX_BYTES);
    this.#filled += frameBytes;
    return hasRoom;
  }

  #flush() {
    const hasRoom = this.#socket.write(this.#chunk.subarray(0, this.#filled));
    this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    this.#filled = 0;
    return hasRoom;
  }
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'unix-socket-batched',
  what: 'node:net over a Unix socket, length-prefixed, messages gathered into writes of 64 KiB',
  patterns: {
    oneWay: {
      launch: ['producer', 'consumer'],
      roles: {
        producer: (context) => framedProducer(context, (socket) => new ChunkSender(socket)),
        consumer: framedConsumer,
      },
    },
  },
};
