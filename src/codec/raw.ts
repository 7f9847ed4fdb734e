import { isUint8Array } from 'node:util/types';

import { invalidArgument } from '../errors.js';
import type { Codec } from './codec.js';

// Measured on Node 20, ns per message; a slice of the inbox against a view of a slab that many messages share:
//   64 B: 50 / 107     65 B: 540 / 105     1 KiB: 980 / 200     4 KiB: 1,570 / 640     16 KiB: 3,100 / 2,260
// V8 keeps typed arrays of up to 64 bytes on its heap; a larger one costs an allocation and a finalizer of its own.
const ON_HEAP_BYTES = 64;
const SLAB_BYTES = 32 * 1024;
/** A message that is kept keeps its slab alive: at most eight times its size for the largest. */
const SLAB_MESSAGE_BYTES = SLAB_BYTES / 8;

/**
 * Up to this size copying into the outbox is cheaper than handing an array to native code, which costs about 20 ns, and a
 * microsecond the first time for one that lives on V8's heap. 64 B: 80 against 94 ns; 256 B: 103 / 98; 4 KiB: 229 / 173.
 */
const OUTBOX_BYTES = 256;

let slab = new ArrayBuffer(SLAB_BYTES);
let slabUsed = 0;

/** A plain Uint8Array with a copy of `inbox[offset, offset + length)`; from 65 bytes to 4 KiB its `buffer` holds other messages as well. */
export function copyBytes(inbox: Uint8Array, offset: number, length: number): Uint8Array {
  if (length <= ON_HEAP_BYTES || length > SLAB_MESSAGE_BYTES) {
    return inbox.slice(offset, offset + length);
  }
  if (slabUsed + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabUsed = 0;
  }
  const bytes = new Uint8Array(slab, slabUsed, length);
  // Aligned, so that a Float64Array can be laid over a message.
  slabUsed += (length + 7) & ~7;
  bytes.set(inbox.subarray(offset, offset + length));
  return bytes;
}

function isDetached(bytes: Uint8Array): boolean {
  if (bytes.length > 0) return false;
  try {
    void new Uint8Array(bytes.buffer);
    return false;
  } catch {
    return true;
  }
}

/** Bytes as they are: any Uint8Array in (Buffers included), a plain Uint8Array out. */
export const rawCodec: Codec<Uint8Array> = {
  name: 'raw',

  encode(value, outbox) {
    if (!isUint8Array(value)) {
      throw invalidArgument("A queue with codec 'raw'", 'Uint8Arrays (Buffers are)', value);
    }
    const { length } = value;
    if (length === 0 && isDetached(value)) {
      throw invalidArgument(
        "A queue with codec 'raw'",
        'Uint8Arrays whose buffer was not transferred away',
        value,
      );
    }
    if (length > OUTBOX_BYTES || length > outbox.length) return value;
    outbox.set(value);
    return length;
  },

  decode: copyBytes,
};
