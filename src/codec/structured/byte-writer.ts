import {
  DOUBLE,
  FALSE,
  GATHERED_CHARACTERS,
  GATHERED_TEXT,
  INTEGER,
  LATIN1_TEXT,
  PIECE_CHARACTERS,
  SHORT_TEXT,
  SMALL_INTEGER,
  TRUE,
  UTF16_TEXT,
} from './format.js';

const FIRST_BYTES = 8 * 1024;
/** More than this is given back after the message that needed it. */
const KEPT_BYTES = 1024 * 1024;

/** Up to this length a loop over the characters is cheaper than a call out of JavaScript, at about 70 ns. */
const LOOP_CHARACTERS = 20;

// V8 answers this for a string it keeps as one byte per character without looking at it.
const WIDE = /[\u0100-\uffff]/;

/**
 * Growing private memory that a message is written to: what runs between two writes may use the outbox.
 * Writes of fixed size go to what was reserved before.
 */
export class ByteWriter {
  /** Written up to `at`. Changes when it grows. */
  bytes: Buffer = Buffer.alloc(FIRST_BYTES);
  view = new DataView(this.bytes.buffer);
  at = 0;
  // Views of the first bytes by length: a copy of a small message needs none of its own.
  #starts: Array<Uint8Array | undefined> = [];
  // Texts for the end of the message, where each piece takes the two calls out of JavaScript, 85 ns, that else each text takes.
  // A message with one such text is encoded in 210 ns instead of 190, with two in 340 instead of 290, with four in 400
  // instead of 490, and one with 34 and 85 objects in 14.4 us instead of 17.4.
  #piece = '';
  readonly #fullPieces: string[] = [];

  reserve(length: number): void {
    if (this.at + length > this.bytes.length) this.#grow(this.at + length);
  }

  uint8(value: number): void {
    this.bytes[this.at++] = value;
  }

  uint16(value: number): void {
    this.view.setUint16(this.at, value, true);
    this.at += 2;
  }

  uint32(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  int32(value: number): void {
    this.view.setInt32(this.at, value, true);
    this.at += 4;
  }

  float64(value: number): void {
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  bigint64(value: bigint): void {
    this.view.setBigInt64(this.at, value, true);
    this.at += 8;
  }

  /** Reserves for itself. */
  copy(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Reserves for itself. */
  boolean(value: boolean): void {
    this.reserve(1);
    this.uint8(value ? TRUE : FALSE);
  }

  /** A number with its tag. Reserves for itself. */
  number(value: number): void {
    const { at } = this;
    if (at + 9 > this.bytes.length) this.#grow(at + 9);
    const integer = value | 0;
    if (integer !== value || (value === 0 && 1 / value < 0)) {
      this.bytes[at] = DOUBLE;
      this.view.setFloat64(at + 1, value, true);
      this.at = at + 9;
    } else if (integer >= 0 && integer < SMALL_INTEGER) {
      this.bytes[at] = SMALL_INTEGER | integer;
      this.at = at + 1;
    } else {
      this.bytes[at] = INTEGER;
      this.view.setInt32(at + 1, integer, true);
      this.at = at + 5;
    }
  }

  /** A string with its tag. Reserves for itself. */
  text(text: string): void {
    const { length } = text;
    if (length > LOOP_CHARACTERS) {
      if (length > GATHERED_CHARACTERS) this.#longText(text);
      else this.#gather(text);
      return;
    }
    this.reserve(1 + length);
    const { bytes, view, at } = this;
    let seen = 0;
    let to = at + 1;
    let i = 0;
    // Four with one write: 13 characters in 22 ns instead of 29.
    for (; i + 4 <= length; i += 4) {
      const a = text.charCodeAt(i);
      const b = text.charCodeAt(i + 1);
      const c = text.charCodeAt(i + 2);
      const d = text.charCodeAt(i + 3);
      seen |= a | b | c | d;
      view.setInt32(to, a | (b << 8) | (c << 16) | (d << 24), true);
      to += 4;
    }
    for (; i < length; i++) {
      const character = text.charCodeAt(i);
      seen |= character;
      bytes[to++] = character;
    }
    if (seen > 255) {
      this.#gather(text);
      return;
    }
    bytes[at] = SHORT_TEXT | length;
    this.at = to;
  }

  /** What was written, valid until the next message. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  /** As `written`; a large message takes its memory along. */
  handOver(): Uint8Array {
    const written = this.written();
    this.#giveBack();
    return written;
  }

  /** Copies what was written, which must fit, to the start of `target`. */
  copyTo(target: Uint8Array): void {
    target.set((this.#starts[this.at] ??= this.written()));
  }

  /** What was written stays there until it is written over, or is zeros then. */
  reset(): void {
    this.at = 0;
    // Of one that could not be encoded to its end.
    this.#giveBack();
  }

  #giveBack(): void {
    if (this.bytes.length > KEPT_BYTES) this.#replace(Buffer.alloc(FIRST_BYTES));
  }

  /** Writes the texts for the end of the message; false if there are none. */
  gathered(): boolean {
    if (this.#piece === '') return false;
    const start = this.at;
    for (const piece of this.#fullPieces) this.#writePiece(piece);
    this.#writePiece(this.#piece);
    this.reserve(4);
    this.uint32(this.at - start);
    return true;
  }

  /** Keeps no text alive. */
  clear(): void {
    this.#piece = '';
    if (this.#fullPieces.length > 0) this.#fullPieces.length = 0;
  }

  #gather(text: string): void {
    const { length } = text;
    const { at } = this;
    this.reserve(2);
    this.bytes[at] = GATHERED_TEXT;
    this.bytes[at + 1] = length;
    this.at = at + 2;
    if (this.#piece === '') {
      this.#piece = text;
    } else if (this.#piece.length + length <= PIECE_CHARACTERS) {
      this.#piece += text;
    } else {
      this.#fullPieces.push(this.#piece);
      this.#piece = text;
    }
  }

  #writePiece(piece: string): void {
    const isWide = WIDE.test(piece);
    this.reserve(3 + (isWide ? 2 : 1) * piece.length);
    this.uint8(isWide ? 2 : 1);
    this.uint16(piece.length);
    this.#characters(piece, isWide);
  }

  #longText(text: string): void {
    const { length } = text;
    const isWide = WIDE.test(text);
    this.reserve(5 + (isWide ? 2 : 1) * length);
    this.uint8(isWide ? UTF16_TEXT : LATIN1_TEXT);
    this.uint32(length);
    this.#characters(text, isWide);
  }

  #characters(text: string, isWide: boolean): void {
    this.at += this.bytes.write(text, this.at, isWide ? 'utf16le' : 'latin1');
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.written());
    this.#replace(larger);
  }

  #replace(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.#starts = [];
  }
}
