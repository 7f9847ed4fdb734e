/**
 * The bytes of a structured message. Numbers are little-endian; `uint` is 32 bits, `size` a double that holds
 * an integer (buffers may be larger than 4 GiB).
 *
 *     message   = { version | IRREGULAR | TEXTS, value, the bytes of each ArrayBuffer in the order of their headers, texts },
 *                 or a text as in text.ts, which begins with a smaller number than any version
 *     value     = { tag, what the tag says below }
 *     keys      = { uint8 words, uint hash, 4 * words bytes: a key block (key-block.ts) }
 *     texts     = nothing without TEXTS, else { pieces: count bytes, uint count }
 *     piece     = { uint8 bytes of a character: 1 or 2, uint16 characters, the characters }
 *     pairs     = { uint count, count * { value: a string, value } }
 *     buffer    = { ARRAY_BUFFER, uint8 resizable, size from, uint length, size maximum } or { REF, uint id }
 *
 * Objects are numbered as they are met, the outer one before the inner ones; REF names one by its number.
 */

export const VERSION = 3;
/** Set in the version byte where an object is met twice, or has vanished while it was encoded: only then does the decoder number objects. */
export const IRREGULAR = 0x80;
/** Set in the version byte where there are texts at the end. */
export const TEXTS = 0x40;

/** 0x80-0xff: the integers 0 to 127. */
export const SMALL_INTEGER = 0x80;
/** 0x40-0x7f: a string of up to 63 characters below 256, one byte each. */
export const SHORT_TEXT = 0x40;

export const UNDEFINED = 0;
export const NULL = 1;
export const FALSE = 2;
export const TRUE = 3;
/** int32 */
export const INTEGER = 4;
/** float64 */
export const DOUBLE = 5;
/** int64 */
export const BIGINT = 6;
/** uint8 negative, value: the magnitude in hexadecimal digits */
export const LARGE_BIGINT = 7;
/** uint characters, a byte each */
export const LATIN1_TEXT = 8;
/** uint characters, two bytes each */
export const UTF16_TEXT = 9;
/** keys, a value or ABSENT for each */
export const OBJECT = 10;
/** uint16 which of the key blocks of this message so far, a value or ABSENT for each key */
export const OBJECT_AGAIN = 11;
/** pairs */
export const OBJECT_OF_PAIRS = 12;
/** uint length, a value or HOLE for each */
export const ARRAY = 13;
/** as ARRAY, then pairs */
export const ARRAY_AND_PAIRS = 14;
/** uint length, uint count, count * { uint index, value or ABSENT }, pairs */
export const SPARSE_ARRAY = 15;
export const HOLE = 16;
/** A property that was there when the keys were listed, and was not when its turn came. */
export const ABSENT = 17;
/** uint id */
export const REF = 18;
/** float64 */
export const DATE = 19;
/** value: the source, value: the flags */
export const REGEXP = 20;
/** uint count, count * { value, value } */
export const MAP = 21;
/** uint count, count * value */
export const SET = 22;
/** value: a primitive */
export const BOXED = 23;
/** uint8 which of ERRORS, then the message, the stack and the cause: each a value or ABSENT */
export const ERROR = 24;
/** See above: buffer. */
export const ARRAY_BUFFER = 25;
/** uint8 which of VIEWS, uint8 follows the length of its buffer, size offset, uint length in elements, buffer */
export const VIEW = 26;
/** uint length, bytes: a Buffer of Node's */
export const NODE_BUFFER = 27;
/** The rest of the message: a Uint8Array alone. */
export const BYTES = 28;
/** value: the name of the travel, uint length, bytes */
export const TRAVELLER = 29;
/** uint8 characters, which are the next of the texts at the end; all of them in one piece */
export const GATHERED_TEXT = 30;

export const GATHERED_CHARACTERS = 255;
/** What is longer than that takes another piece. A text that is kept may keep its piece alive. */
export const PIECE_CHARACTERS = 1024;

/** What a key block must be smaller than; `words` has to fit a byte. */
export const KEY_BLOCK_WORDS = 255;

/**
 * Holes take a byte each in an array of up to this length, or of which half is there. Others are decoded into
 * V8's dictionaries, which hold no memory for holes: below, V8 would reserve it, and a small message could
 * make a large array.
 */
export const SPARSE_LENGTH = 1024;

/** How much address space the resizable buffers of one message may reserve. */
export const RESERVED_BYTES = 2 ** 32;

/** The order is part of the format: add at the end only. */
export const ERRORS = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
] as const;

/** The order is part of the format: add at the end only. */
export const VIEWS = [
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
] as const;
export const DATA_VIEW = 0;
