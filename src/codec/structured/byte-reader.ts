/** Up to this many bytes of a message are turned into text at once. */
const WINDOW_BYTES = 1024;
/** A longer text is read alone: it would not gain by a window. */
const WINDOWED_CHARACTERS = WINDOW_BYTES / 4;

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
  }

  /** The memory of the message may go. */
  forget(): void {
    this.#inbox = undefined;
    this.bytes = NOTHING;
    this.view = new DataView(NOTHING.buffer);
  }

  finish(): void {
    this.#window = '';
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

  /** A view of the inbox, valid while the message is. */
  part(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }
}
