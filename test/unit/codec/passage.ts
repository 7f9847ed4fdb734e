import type { Codec } from '../../../src/codec/codec.js';

/** Surrounds the message in the inbox: decoders must neither need nor touch it. */
const NEIGHBOUR = 0xa5;

/**
 * A value through a codec, as it passes through a queue: encoded into an outbox of `outboxBytes`, then decoded from the
 * middle of an inbox that is overwritten as soon as the call is over.
 */
export function pass<T>(codec: Codec<T>, value: T, outboxBytes = 1024, offset = 0): T {
  const outbox = new Uint8Array(outboxBytes).fill(NEIGHBOUR);
  const encoded = codec.encode(value, outbox);
  const bytes = typeof encoded === 'number' ? outbox.slice(0, encoded) : encoded;
  if (typeof encoded === 'number' && outbox.subarray(encoded).some((byte) => byte !== NEIGHBOUR)) {
    throw new Error('the codec wrote beyond the length it returned');
  }
  return decodeAt(codec, bytes, offset);
}

/** Decodes bytes that stand at `offset` of an inbox. */
export function decodeAt<T>(codec: Codec<T>, bytes: Uint8Array, offset = 0): T {
  const inbox = new Uint8Array(offset + bytes.length + 16).fill(NEIGHBOUR);
  inbox.set(bytes, offset);
  const before = inbox.slice();
  const value = codec.decode(inbox, offset, bytes.length);
  if (Buffer.compare(inbox, before) !== 0) throw new Error('the codec changed the inbox');
  inbox.fill(0);
  return value;
}
