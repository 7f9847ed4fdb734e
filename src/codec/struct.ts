import { createHash } from 'node:crypto';

import { InterprocError } from '../errors.js';
import { shapeOf } from '../shapes/struct.js';
import type { StructType } from '../shapes/struct.js';
import type { Codec } from './codec.js';

/** What the names of these codecs begin with. */
const PREFIX = 'struct:';
/** A codec's name has 63 bytes; 128 bits of a hash do not meet another. */
const HASH_CHARACTERS = 32;

/**
 * Up to this size a record is copied into the outbox; a larger one is handed over as it is, as in codec 'raw', where this
 * was measured.
 */
const OUTBOX_BYTES = 256;

/** Whether an object's codec, by its name, is that of some struct. */
export function isStructCodecName(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Records of a struct: its bytes as they stand in memory, padding zeroed. */
export function structCodec<T>(struct: StructType<T, unknown>): Codec<T> {
  const shape = shapeOf(struct);
  const { byteLength } = shape;
  const hash = createHash('sha256').update(struct.schema).digest('hex');
  // Records are read where they stand in the inbox, which is the thread's for good.
  let inboxView = new DataView<ArrayBufferLike>(new ArrayBuffer(0));

  function checkLength(length: number): void {
    if (length === byteLength) return;
    throw new InterprocError(
      'ERR_DECODE',
      `A message of ${length} bytes is no record of this queue's struct, which has ${byteLength}; let every process open the queue with its own codec`,
    );
  }

  return {
    name: PREFIX + hash.slice(0, HASH_CHARACTERS),
    schema: struct.schema,

    encode(value, outbox) {
      // Not put together in the outbox: getters of the caller's may put something else meanwhile.
      const bytes = shape.pack(value);
      if (byteLength > OUTBOX_BYTES || byteLength > outbox.length) return bytes;
      outbox.set(bytes);
      return byteLength;
    },

    decode(inbox, offset, length) {
      checkLength(length);
      if (inboxView.buffer !== inbox.buffer) inboxView = new DataView(inbox.buffer);
      return shape.read(inboxView, inbox.byteOffset + offset) as T;
    },

    decodeOwn(bytes) {
      checkLength(bytes.length);
      return shape.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0) as T;
    },
  };
}
