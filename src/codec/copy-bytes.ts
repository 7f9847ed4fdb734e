import { markAsUntransferable } from 'node:worker_threads';

// The time of one copy, in ns, of a slice of the inbox against a view of a slab that many messages share:
//   64 B: 50 / 107     65 B: 540 / 105     1 KiB: 980 / 200     4 KiB: 1,570 / 640     16 KiB: 3,100 / 2,260
// V8 keeps typed arrays of up to 64 bytes on its heap; a larger one costs an allocation and a finalizer of its own.
const ON_HEAP_BYTES = 64;
const SLAB_BYTES = 32 * 1024;
// Above it the slab saves little, and a message that is kept keeps its slab alive.
const SLAB_MESSAGE_BYTES = SLAB_BYTES / 8;

/** Makes copies of messages; those of some sizes share their memory. */
export class ByteCopies {
  /** All of the slab. Empty at first, and again if somebody has taken its memory away: then the next copy makes another. */
  #slab = new Uint8Array(0);
  #used = 0;

  /** A plain Uint8Array with a copy of `source[offset, offset + length)`. */
  copy(source: Uint8Array, offset: number, length: number): Uint8Array {
    if (length <= ON_HEAP_BYTES || length > SLAB_MESSAGE_BYTES) {
      return source.slice(offset, offset + length);
    }
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      // Who transfers one message does not mean the others that stand there.
      markAsUntransferable(this.#slab.buffer);
      this.#used = 0;
    }
    const bytes = new Uint8Array(this.#slab.buffer, this.#used, length);
    // Aligned, so that a Float64Array can be laid over a message.
    this.#used += (length + 7) & ~7;
    bytes.set(source.subarray(offset, offset + length));
    return bytes;
  }
}

const results = new ByteCopies();

/**
 * A plain Uint8Array with a copy of `inbox[offset, offset + length)`, to be handed out. From 65 bytes to 4 KiB it is a
 * view: its `buffer` holds other messages as well.
 */
export function copyBytes(inbox: Uint8Array, offset: number, length: number): Uint8Array {
  return results.copy(inbox, offset, length);
}
