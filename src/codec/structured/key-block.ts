import { KEY_BLOCK_WORDS } from './format.js';
import { Malformed } from './byte-reader.js';

/**
 * The keys of an object in bytes, which say which shape it has:
 *
 *     { uint8 keys, for each: { uint8 WIDE? | characters, a byte or two for each }, zeros up to a multiple of 4 }
 *
 * Both sides keep the shapes they have met. The sender then copies the block, the receiver compares it with
 * the one it has; each message carries its blocks and can be read without any before it.
 */
const WIDE = 0x80;
const KEY_CHARACTERS = 0x7f;
/** Objects of more keys are more likely maps than records: remembering their keys would not pay. */
export const SHAPE_KEYS = 64;

/** The words of the block, or undefined for keys that do not go into one. */
export function keyBlockOf(keys: readonly string[]): Int32Array | undefined {
  if (keys.length > SHAPE_KEYS || keys.some((key) => key.length > KEY_CHARACTERS)) return undefined;
  const block: number[] = [keys.length];
  for (const key of keys) {
    const codes = Array.from({ length: key.length }, (_, i) => key.charCodeAt(i));
    if (codes.every((code) => code < 256)) {
      block.push(key.length, ...codes);
    } else {
      block.push(WIDE | key.length, ...codes.flatMap((code) => [code & 0xff, code >> 8]));
    }
  }
  const words = Math.ceil(block.length / 4);
  if (words > KEY_BLOCK_WORDS) return undefined;
  const bytes = new Uint8Array(4 * words);
  bytes.set(block);
  const view = new DataView(bytes.buffer);
  return Int32Array.from({ length: words }, (_, word) => view.getInt32(4 * word, true));
}

/** Where a receiver looks for a block first. Nothing but the speed depends on it. */
export function hashOf(words: Int32Array): number {
  let hash = words.length;
  for (const word of words) hash = Math.imul(hash ^ word, 0x9e3779b1) ^ (hash >>> 15);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The keys of the block that is `bytes`. */
export function keysOf(bytes: Uint8Array): string[] {
  const keys: string[] = [];
  let at = 1;
  for (let count = bytes[0] ?? 0; count > 0; count--) {
    const head = bytes[at] ?? NaN;
    const isWide = (head & WIDE) !== 0;
    const start = at + 1;
    at = start + (head & KEY_CHARACTERS) * (isWide ? 2 : 1);
    if (!(at <= bytes.length)) throw new Malformed('its keys do not end');
    keys.push(Buffer.from(bytes.subarray(start, at)).toString(isWide ? 'utf16le' : 'latin1'));
  }
  return keys;
}
