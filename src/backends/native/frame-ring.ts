/**
 * One direction of a pipe, as JavaScript moves it without a call into native code, which does the same in
 * native/ring/frame_ring.h: there the format and its proof stand. Every offset comes from the addon.
 *
 * Only whole messages without marks come this way. Native code moves the positions too: the other side's, as it was last seen, is
 * trusted only as long as ours is where we left it. Otherwise it could be 2^32 units old, and mean something else.
 */

const HEADER_BYTES = 8;
/** Up to this size copying word by word beats a call of `set`, which costs 30 ns whatever it copies. */
const LOOP_BYTES = 256;

/** What stands in front of an index that is none. */
export const NOTHING = -1;
/** The next frame is for native code: it has marks, is a part, or is not sound. */
export const NOT_PLAIN = -2;

abstract class FrameRing {
  protected readonly words: Int32Array;
  protected readonly tailAt: number;
  protected readonly headAt: number;
  protected readonly bytes: Uint8Array;
  protected readonly frames: Int32Array;
  protected readonly units: number;
  protected readonly mask: number;

  /** `memory`: the ring twice in a row. */
  constructor(words: Int32Array, tailAt: number, headAt: number, memory: ArrayBuffer) {
    this.words = words;
    this.tailAt = tailAt;
    this.headAt = headAt;
    this.bytes = new Uint8Array(memory);
    this.frames = new Int32Array(memory);
    this.units = memory.byteLength / 16;
    this.mask = this.units - 1;
  }
}

/** Copies whole words, so up to 3 bytes more than asked for: both sides have room for them. */
function copyWords(from: Int32Array, fromAt: number, to: Int32Array, toAt: number, length: number) {
  const words = (length + 3) >>> 2;
  for (let i = 0; i < words; i++) to[toAt + i] = from[fromAt + i] as number;
}

export class SendingRing extends FrameRing {
  #head: number;
  /** Where we left ours when `#head` was good. */
  #tail: number;

  constructor(words: Int32Array, tailAt: number, headAt: number, memory: ArrayBuffer) {
    super(words, tailAt, headAt, memory);
    this.#tail = words[tailAt] as number;
    this.#head = Atomics.load(words, headAt);
  }

  /** Where the bytes of a message of that length go, in bytes; NOTHING if there is no room. */
  #place(length: number): number {
    const units = (length + HEADER_BYTES + 7) >>> 3;
    const tail = this.words[this.tailAt] as number;
    if (tail !== this.#tail || ((tail - this.#head) >>> 0) + units > this.units) {
      this.#head = Atomics.load(this.words, this.headAt);
      this.#tail = tail;
      if (((tail - this.#head) >>> 0) + units > this.units) return NOTHING;
    }
    const at = (tail & this.mask) * 2;
    this.frames[at] = length;
    this.frames[at + 1] = 0;
    return at * 4 + HEADER_BYTES;
  }

  #publish(length: number): void {
    this.#tail = (this.#tail + ((length + HEADER_BYTES + 7) >>> 3)) | 0;
    // An RMW, ordered before the look at who sleeps.
    Atomics.exchange(this.words, this.tailAt, this.#tail);
  }

  send(message: Uint8Array): boolean {
    const { length } = message;
    const at = this.#place(length);
    if (at === NOTHING) return false;
    this.bytes.set(message, at);
    this.#publish(length);
    return true;
  }

  /** Sends the first `length` bytes of those words. */
  sendWords(words: Int32Array, length: number): boolean {
    const at = this.#place(length);
    if (at === NOTHING) return false;
    copyWords(words, 0, this.frames, at >>> 2, length);
    this.#publish(length);
    return true;
  }

  /** Sends as many as there is room for, which all become visible at once. Returns how many. */
  sendMany(messages: readonly Uint8Array[], from: number): number {
    let tail = this.words[this.tailAt] as number;
    this.#head = Atomics.load(this.words, this.headAt);
    let used = (tail - this.#head) >>> 0;
    let index = from;
    for (; index < messages.length; index++) {
      const message = messages[index] as Uint8Array;
      const { length } = message;
      const units = (length + HEADER_BYTES + 7) >>> 3;
      if (used + units > this.units) break;
      const at = (tail & this.mask) * 2;
      this.frames[at] = length;
      this.frames[at + 1] = 0;
      this.bytes.set(message, at * 4 + HEADER_BYTES);
      tail = (tail + units) | 0;
      used += units;
    }
    this.#tail = tail;
    if (index > from) Atomics.exchange(this.words, this.tailAt, tail);
    return index - from;
  }
}

export class ReceivingRing extends FrameRing {
  #tail: number;
  /** Where we left ours when `#tail` was good. */
  #head: number;
  /** Of the frame that `front` found. */
  #length = 0;
  #target: Uint8Array | undefined;
  #targetWords: Int32Array | undefined;

  constructor(words: Int32Array, tailAt: number, headAt: number, memory: ArrayBuffer) {
    super(words, tailAt, headAt, memory);
    this.#head = words[headAt] as number;
    this.#tail = Atomics.load(words, tailAt);
  }

  /** Where the bytes of the next message stand; NOTHING or NOT_PLAIN. Its length is `length`. */
  front(): number {
    const head = this.words[this.headAt] as number;
    let used = (this.#tail - head) >>> 0;
    if (head !== this.#head || used === 0) {
      this.#tail = Atomics.load(this.words, this.tailAt);
      this.#head = head;
      used = (this.#tail - head) >>> 0;
      if (used === 0) return NOTHING;
    }
    const at = (head & this.mask) * 2;
    // Copied once, checked, then used.
    const length = (this.frames[at] as number) >>> 0;
    if (this.frames[at + 1] !== 0) return NOT_PLAIN;
    if (used > this.units || length > used * 8 - HEADER_BYTES) return NOT_PLAIN;
    this.#length = length;
    return at * 4 + HEADER_BYTES;
  }

  get length(): number {
    return this.#length;
  }

  /** The message that `front` found is consumed. */
  pop(): void {
    this.#head = (this.#head + ((this.#length + HEADER_BYTES + 7) >>> 3)) | 0;
    // An RMW, ordered after our reading and before the look at who sleeps.
    Atomics.exchange(this.words, this.headAt, this.#head);
  }

  copy(at: number): Uint8Array {
    return this.bytes.slice(at, at + this.#length);
  }

  /** Copies to the start of those words, of which `into` are the bytes. */
  copyInto(at: number, into: Uint8Array, words: Int32Array): void {
    if (this.#length <= LOOP_BYTES) copyWords(this.frames, at >>> 2, words, 0, this.#length);
    else into.set(this.bytes.subarray(at, at + this.#length));
  }

  copyTo(at: number, into: Uint8Array, offset: number): void {
    const length = this.#length;
    const words = length <= LOOP_BYTES && (offset & 3) === 0 ? this.#wordsOf(into) : undefined;
    const whole = length >> 2;
    const first = offset >> 2;
    if (words === undefined || words.length < first + whole) {
      into.set(this.bytes.subarray(at, at + length), offset);
      return;
    }
    const from = at >> 2;
    for (let i = 0; i < whole; i++) words[first + i] = this.frames[from + i] as number;
    for (let i = whole * 4; i < length; i++) into[offset + i] = this.bytes[at + i] as number;
  }

  /** A buffer's memory as words; callers mostly come with the same one again. Undefined if it is not aligned. */
  #wordsOf(buffer: Uint8Array): Int32Array | undefined {
    if (buffer !== this.#target) {
      const { byteOffset, byteLength } = buffer;
      this.#target = buffer;
      this.#targetWords =
        (byteOffset & 3) === 0
          ? new Int32Array(buffer.buffer, byteOffset, byteLength >> 2)
          : undefined;
    }
    return this.#targetWords;
  }

  /**
   * Copies up to `max` plain messages to the start of `into`, in one piece, and says where each of them is. Returns how many: 0 if the
   * first is not plain, does not fit, or is not there.
   */
  receiveMany(max: number, into: Uint8Array, offsets: Uint32Array, lengths: Uint32Array): number {
    const first = this.words[this.headAt] as number;
    this.#tail = Atomics.load(this.words, this.tailAt);
    const used = (this.#tail - first) >>> 0;
    if (used > this.units) return 0;
    const from = (first & this.mask) * 8;
    let count = 0;
    let units = 0;
    while (count < max && units < used) {
      const at = (from >>> 2) + units * 2;
      const length = (this.frames[at] as number) >>> 0;
      const end = units * 8 + HEADER_BYTES + length;
      if (this.frames[at + 1] !== 0 || end > used * 8 || end > into.length) break;
      offsets[count] = units * 8 + HEADER_BYTES;
      lengths[count] = length;
      units += (length + HEADER_BYTES + 7) >>> 3;
      count++;
    }
    if (count === 0) return 0;
    into.set(this.bytes.subarray(from, Math.min(from + units * 8, from + into.length)));
    this.#head = (first + units) | 0;
    Atomics.exchange(this.words, this.headAt, this.#head);
    return count;
  }
}

/** Whether a message so long is better copied word by word. */
export function isShort(length: number): boolean {
  return length <= LOOP_BYTES;
}
