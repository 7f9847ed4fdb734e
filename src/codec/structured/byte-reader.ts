import { SHORT_CHARACTERS, shortText } from './short-text.js';

/** Up to this many bytes of a message are turned into text at once. */
const WINDOW_BYTES = 1024;
/** A longer text is read alone: it would not gain by a window. */
const WINDOWED_CHARACTERS = WINDOW_BYTES / 4;
/**
 * So many short texts of a message are made one by one, before a window is opened for more: it costs as much as 4 of them,
 * and many messages have no more. One of 100 bytes with 4 is decoded in 208 ns instead of 287.
 */
const SINGLE_TEXTS = 4;

/** A message says something that no encoder writes. */
export class Malformed extends Error {}

const NOTHING = Buffer.from(new ArrayBuffer(0));

/** Checked reads from a message, which stands in an inbox: nothing beyond its end is looked at. */
export class ByteReader {
  bytes: Buffer = NOTHING;
  view: DataView = new DataView(NOTHING.buffer);
  at = 0;
  end = 0;
  #inbox: Uint8Array | undefined;
  // A call that makes a string costs 70 ns, a part of a string 15: texts are parts of this one, which stands
  // for the bytes from windowStart to windowEnd. What a kept text keeps alive with it is a window.
  #window = '';
  #windowStart = 0;
  #windowEnd = 0;
  #singlesLeft = 0;
  // Of the texts at the end of the message: the piece that is read, and where the next one stands.
  #piece = '';
  #pieceAt = 0;
  #nextPiece = 0;
  #textsEnd = 0;

  /** Wraps an inbox once, not at each message. */
  start(inbox: Uint8Array, offset: number, length: number): void {
    if (inbox !== this.#inbox) {
      this.#inbox = inbox;
      this.bytes = Buffer.from(inbox.buffer, inbox.byteOffset, inbox.byteLength);
      this.view = new DataView(inbox.buffer, inbox.byteOffset, inbox.byteLength);
    }
    this.at = offset;
    this.end = offset + length;
    this.#windowEnd = 0;
    this.#singlesLeft = SINGLE_TEXTS;
  }

  /** There are texts at the end of the message, which ends before them from now on. */
  openTexts(): void {
    const countAt = this.end - 4;
    const count = countAt < this.at ? NaN : this.view.getUint32(countAt, true);
    if (!(count <= countAt - this.at)) throw new Malformed('it has no texts at its end');
    this.end = countAt - count;
    this.#nextPiece = this.end;
    this.#textsEnd = countAt;
  }

  /** Whether texts at the end of the message are left. */
  get hasTexts(): boolean {
    return this.#nextPiece < this.#textsEnd || this.#pieceAt < this.#piece.length;
  }

  /** The memory of the message may go. */
  forget(): void {
    this.#inbox = undefined;
    this.bytes = NOTHING;
    this.view = new DataView(NOTHING.buffer);
  }

  finish(): void {
    this.#window = '';
    this.#piece = '';
    this.#pieceAt = 0;
    this.#nextPiece = 0;
    this.#textsEnd = 0;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** The position of the next `length` bytes, which are passed over. */
  skip(length: number): number {
    const { at } = this;
    // Written so that NaN is refused as well.
    if (!(length <= this.end - at)) {
      throw new Malformed(`it ends where ${length} more bytes should be`);
    }
    this.at = at + length;
    return at;
  }

  uint8(): number {
    return this.bytes[this.skip(1)] as number;
  }

  /** The next byte, which is not passed over. */
  peek(): number {
    if (this.at >= this.end) throw new Malformed('it ends too early');
    return this.bytes[this.at] as number;
  }

  uint16(): number {
    return this.view.getUint16(this.skip(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.skip(4), true);
  }

  float64(): number {
    return this.view.getFloat64(this.skip(8), true);
  }

  bigint64(): bigint {
    return this.view.getBigInt64(this.skip(8), true);
  }

  /** How many entries follow: no more than there are bytes for. */
  count(bytesEach: number): number {
    const count = this.uint32();
    if (count > this.left / bytesEach) {
      throw new Malformed(`${count} entries cannot stand in ${this.left} bytes`);
    }
    return count;
  }

  latin1(length: number): string {
    const start = this.skip(length);
    const end = start + length;
    if (start < this.#windowStart || end > this.#windowEnd) {
      if (length <= SHORT_CHARACTERS && this.#singlesLeft > 0) {
        this.#singlesLeft--;
        return shortText(this.bytes, start, length);
      }
      if (length === 0) return '';
      if (length > WINDOWED_CHARACTERS) return this.bytes.toString('latin1', start, end);
      this.#windowStart = start;
      this.#windowEnd = Math.min(this.end, start + WINDOW_BYTES);
      this.#window = this.bytes.toString('latin1', start, this.#windowEnd);
    }
    return this.#window.substring(start - this.#windowStart, end - this.#windowStart);
  }

  utf16(length: number): string {
    const start = this.skip(2 * length);
    return this.bytes.toString('utf16le', start, start + 2 * length);
  }

  /** The next of the texts at the end of the message. */
  gathered(characters: number): string {
    const from = this.#pieceAt < this.#piece.length ? this.#pieceAt : this.#turnToNextPiece();
    const to = from + characters;
    if (to > this.#piece.length) throw new Malformed('a text goes beyond its piece');
    this.#pieceAt = to;
    return this.#piece.substring(from, to);
  }

  #turnToNextPiece(): number {
    const { bytes, view } = this;
    const head = this.#nextPiece;
    const start = head + 3;
    if (start > this.#textsEnd) throw new Malformed('it has too few texts at its end');
    const isWide = bytes[head] === 2;
    const end = start + (isWide ? 2 : 1) * view.getUint16(head + 1, true);
    if (end > this.#textsEnd) throw new Malformed('a piece of text goes beyond its end');
    this.#piece = bytes.toString(isWide ? 'utf16le' : 'latin1', start, end);
    this.#pieceAt = 0;
    this.#nextPiece = end;
    return 0;
  }

  /** A view of the inbox, valid while the message is. */
  part(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }
}
