import { InterprocError, shown } from '../errors.js';
import type { Codec } from './codec.js';
import { Decoder } from './structured/decoder.js';
import { Encoder } from './structured/encoder.js';
import { VERSION } from './structured/format.js';
import { refusalOf } from './structured/refusal.js';
import { decodeOwnText, decodeText, encodeText } from './text.js';

// One of each for the thread. While one is at work, code of the caller's (a getter, a travel) may need another.
let idleEncoder: Encoder | undefined = new Encoder();
let idleDecoder: Decoder | undefined = new Decoder();

function encodeError(value: unknown, thrown: unknown): InterprocError {
  const refusal = refusalOf(thrown);
  const { cause, path } = refusal;
  const what = cause === undefined ? shown(refusal.value) : shown(value);
  return new InterprocError(
    'ERR_ENCODE',
    `Structured clone cannot carry ${what}, at ${path}: ${refusal.message}; leave it out, or put what the other side needs to make one`,
    { cause: cause ?? refusal },
  );
}

/**
 * What the structured clone algorithm carries, as it carries it: cycles, Map, Set, Date, RegExp, BigInt, Error,
 * ArrayBuffer and its views, undefined, -0. Functions, symbols, proxies and SharedArrayBuffers are refused; class
 * instances come back as plain objects.
 *
 * Other than there, a Buffer travels as its own bytes and comes back as a Buffer; of a large ArrayBuffer that is in the
 * message only by its views, only the part that they show travels; and objects may be registered to travel
 * in ways of their own (travel.ts).
 */
export const structuredCodec: Codec<unknown> = {
  name: 'structured',
  carriesHandles: true,

  encode(value, outbox) {
    // Runs no code of the caller's, so it can go straight into the outbox.
    if (typeof value === 'string') return encodeText(value, outbox);
    const encoder = idleEncoder ?? new Encoder();
    idleEncoder = undefined;
    try {
      return encoder.encode(value, outbox);
    } catch (thrown) {
      throw encodeError(value, thrown);
    } finally {
      idleEncoder = encoder;
    }
  },

  // In place: the bytes are private memory, and everything that is made of them is a copy.
  decode,
  decodeOwn(bytes) {
    if (isText(bytes, 0, bytes.length)) return decodeOwnText(bytes);
    try {
      return decode(bytes, 0, bytes.length);
    } finally {
      // An inbox is met again, this is not.
      idleDecoder?.forget();
    }
  },
};

function isText(bytes: Uint8Array, offset: number, length: number): boolean {
  return length > 0 && (bytes[offset] as number) < VERSION;
}

function decode(bytes: Uint8Array, offset: number, length: number): unknown {
  if (isText(bytes, offset, length)) return decodeText(bytes, offset, length);
  const decoder = idleDecoder ?? new Decoder();
  idleDecoder = undefined;
  try {
    return decoder.decode(bytes, offset, length);
  } catch (cause) {
    throw new InterprocError(
      'ERR_DECODE',
      `A message of ${length} bytes is no structured clone: ${cause instanceof Error ? cause.message : shown(cause)}`,
      { cause },
    );
  } finally {
    idleDecoder = decoder;
  }
}
