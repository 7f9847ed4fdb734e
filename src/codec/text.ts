import { InterprocError } from '../errors.js';

/**
 * Text as messages: { ONE_BYTE, a byte per character } when every character is below 256, else { UTF_16, 0,
 * two bytes per character }, little-endian. These are the two forms V8 itself keeps: both ways are plain
 * copies, and lone surrogates survive.
 */
const ONE_BYTE = 0;
const UTF_16 = 1;
const ONE_BYTE_START = 1;
const UTF_16_START = 2;

/**
 * Up to this length a loop over the characters is cheaper than a call out of JavaScript: 8 characters 23 ns
 * against 100, 32 about even.
 */
const LOOP_CHARACTERS = 16;

// V8 answers this for a string it keeps as one byte per character without looking at it.
const WIDE = /[\u0100-\uffff]/;

/** `Buffer` has the calls that copy strings; the inbox and the outbox are wrapped once, not at each message. */
class Wrapped {
  #bytes: Uint8Array | undefined;
  #buffer: Buffer = Buffer.alloc(0);

  of(bytes: Uint8Array): Buffer {
    if (bytes !== this.#bytes) {
      this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#bytes = bytes;
    }
    return this.#buffer;
  }
}

const wrappedOutbox = new Wrapped();
const wrappedInbox = new Wrapped();

/** Writes `text` to the start of `outbox` and returns the length, or returns bytes of its own if it does not fit. */
export function encodeText(text: string, outbox: Uint8Array): number | Uint8Array {
  const { length } = text;
  if (length <= LOOP_CHARACTERS && length + ONE_BYTE_START <= outbox.length) {
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const character = text.charCodeAt(i);
      seen |= character;
      outbox[ONE_BYTE_START + i] = character;
    }
    if (seen < 256) {
      outbox[0] = ONE_BYTE;
      return ONE_BYTE_START + length;
    }
  }
  const isWide = WIDE.test(text);
  const size = isWide ? UTF_16_START + 2 * length : ONE_BYTE_START + length;
  const fits = size <= outbox.length;
  const target = fits ? wrappedOutbox.of(outbox) : Buffer.allocUnsafeSlow(size);
  target[0] = isWide ? UTF_16 : ONE_BYTE;
  if (isWide) {
    target[1] = 0;
    target.write(text, UTF_16_START, 'utf16le');
  } else {
    target.write(text, ONE_BYTE_START, 'latin1');
  }
  return fits ? size : target;
}

export function decodeText(inbox: Uint8Array, offset: number, length: number): string {
  return textOf(wrappedInbox.of(inbox), offset, length);
}

/** As `decodeText`, of an array that is nobody's inbox: nothing of it is remembered. */
export function decodeOwnText(bytes: Uint8Array): string {
  return textOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
}

function textOf(buffer: Buffer, offset: number, length: number): string {
  const form = length > 0 ? buffer[offset] : undefined;
  const end = offset + length;
  if (form === ONE_BYTE) return buffer.toString('latin1', offset + ONE_BYTE_START, end);
  if (form === UTF_16 && length >= UTF_16_START && length % 2 === 0) {
    return buffer.toString('utf16le', offset + UTF_16_START, end);
  }
  throw new InterprocError(
    'ERR_DECODE',
    `A message of ${length} bytes is no text of this package's; let every process open the queue with its own codec`,
  );
}
