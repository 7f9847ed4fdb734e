import { copyBytes } from '../frames.js';

const SLAB_BYTES = 2 ** 13;
/** A larger message has memory of its own. */
const LARGEST_BYTES = 2 ** 10;

/**
 * Memory for messages: small ones stand together, for an array of its own costs more than all else that is done with one. A slab
 * is garbage when its last message is.
 */
export class MessageSlabs {
  /** Where the message stands that was kept last. */
  memory = Buffer.alloc(0);
  #filled = 0;
  #slab = this.memory;

  /** Copies `from[start, start + length)` to `memory`; where it stands there. */
  keep(from: Uint8Array, start: number, length: number): number {
    if (length > LARGEST_BYTES) {
      this.memory = Buffer.allocUnsafeSlow(length);
      copyBytes(from, start, this.memory, 0, length);
      return 0;
    }
    if (this.#filled + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#filled = 0;
    }
    const at = this.#filled;
    this.#filled += length;
    this.memory = this.#slab;
    copyBytes(from, start, this.memory, at, length);
    return at;
  }
}
