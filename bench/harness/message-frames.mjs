// @ts-check
/** Messages in a byte stream: four bytes of length, little endian, then the message. */

export const PREFIX_BYTES = 4;

/** Cuts a byte stream into messages. */
export class FrameReader {
  #onMessage;
  /** The frame that the last chunk broke off in, prefix included. */
  #partial;
  #partialLength = 0;

  /**
   * @param {number} maxBytes the longest message
   * @param {(message: Uint8Array) => void} onMessage the message is its own only until it returns
   */
  constructor(maxBytes, onMessage) {
    this.#partial = Buffer.alloc(PREFIX_BYTES + maxBytes);
    this.#onMessage = onMessage;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    let offset = this.#partialLength > 0 ? this.#complete(chunk) : 0;
    for (;;) {
      const end = offset + this.#frameBytes(chunk, offset, chunk.length);
      if (end > chunk.length) break;
      this.#onMessage(chunk.subarray(offset + PREFIX_BYTES, end));
      offset = end;
    }
    this.#keep(chunk, offset, chunk.length);
  }

  /**
   * Ends the partial frame, if the chunk goes that far; returns how far it did.
   * @param {Buffer} chunk
   */
  #complete(chunk) {
    let offset = 0;
    if (this.#partialLength < PREFIX_BYTES) {
      offset = Math.min(PREFIX_BYTES - this.#partialLength, chunk.length);
      this.#keep(chunk, 0, offset);
    }
    const frameBytes = this.#frameBytes(this.#partial, 0, this.#partialLength);
    if (frameBytes === Infinity) return offset;
    const end = Math.min(offset + frameBytes - this.#partialLength, chunk.length);
    this.#keep(chunk, offset, end);
    if (this.#partialLength === frameBytes) {
      this.#partialLength = 0;
      this.#onMessage(this.#partial.subarray(PREFIX_BYTES, frameBytes));
    }
    return end;
  }

  /**
   * Infinity while the prefix is not whole.
   * @param {Buffer} from
   * @param {number} offset
   * @param {number} end
   */
  #frameBytes(from, offset, end) {
    if (end - offset < PREFIX_BYTES) return Infinity;
    const frameBytes = PREFIX_BYTES + from.readUInt32LE(offset);
    if (frameBytes > this.#partial.length) {
      throw new Error(`a frame of ${frameBytes} bytes: the stream is out of step`);
    }
    return frameBytes;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} from
   * @param {number} to
   */
  #keep(chunk, from, to) {
    chunk.copy(this.#partial, this.#partialLength, from, to);
    this.#partialLength += to - from;
  }
}
