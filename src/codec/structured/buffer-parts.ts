/**
 * Of a buffer that is met through views only, this many bytes that no view shows travel along: it arrives with
 * its own length, and the views with their offsets. Of one that has more, only the part from the first to the
 * last byte shown travels: a small view of a large buffer is a small message.
 */
const UNSEEN_BYTES = 1024;
/** So that a part of a buffer can be seen as any kind of elements that the whole could be seen as. */
const ALIGNMENT = 8;

/** A buffer of a message, and how much of it has to travel. */
export class BufferPart {
  readonly buffer: ArrayBuffer;
  readonly byteLength: number;
  /** Where in the message it is said which part travels. */
  readonly headerAt: number;
  #from = Infinity;
  #to = 0;

  constructor(buffer: ArrayBuffer, byteLength: number, headerAt: number) {
    this.buffer = buffer;
    this.byteLength = byteLength;
    this.headerAt = headerAt;
  }

  show(from: number, to: number): void {
    this.#from = Math.min(this.#from, from);
    this.#to = Math.max(this.#to, to);
  }

  /** What has to travel, once all views of it are known. */
  get shown(): { from: number; length: number } {
    const { byteLength } = this;
    const from = Math.min(this.#from - (this.#from % ALIGNMENT), this.#to);
    const length = this.#to - from;
    return byteLength - length <= UNSEEN_BYTES ? { from: 0, length: byteLength } : { from, length };
  }
}
