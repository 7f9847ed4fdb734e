/** A ring of bytes with one writer and one reader, each of whom stores one position: `tail`, and `head`. */

import { InterprocError } from '../../../errors.js';

export class RingWriter {
  readonly #words: Int32Array;
  readonly #tailAt: number;
  readonly #headAt: number;
  readonly #bytes: Uint8Array;
  #tail: number;
  /** As last loaded; the true one is the same or further. */
  #head: number;

  /** `bytes`: as many as a power of two. */
  constructor(words: Int32Array, tailAt: number, headAt: number, bytes: Uint8Array) {
    this.#words = words;
    this.#tailAt = tailAt;
    this.#headAt = headAt;
    this.#bytes = bytes;
    this.#tail = Atomics.load(words, tailAt);
    this.#head = Atomics.load(words, headAt);
  }

  /** Whether there is room for anything, loaded afresh. */
  hasRoom(): boolean {
    return this.#room() > 0;
  }

  /** Whether all that was written has been read, loaded afresh. */
  isRead(): boolean {
    return this.#room() === this.#bytes.length;
  }

  /** Writes what fits of `source` from there on; how many bytes. */
  write(source: Uint8Array, from: number): number {
    const size = this.#bytes.length;
    const left = source.length - from;
    let room = size - ((this.#tail - this.#head) >>> 0);
    if (room < left) room = this.#room();
    const length = Math.min(left, room);
    if (length === 0) return 0;
    const at = this.#tail & (size - 1);
    const first = Math.min(length, size - at);
    const isWhole = from === 0 && first === source.length;
    this.#bytes.set(isWhole ? source : source.subarray(from, from + first), at);
    if (first < length) this.#bytes.set(source.subarray(from + first, from + length), 0);
    this.#tail = (this.#tail + length) | 0;
    // SYNC ring.written: pairs with the load in RingReader.available.
    Atomics.store(this.#words, this.#tailAt, this.#tail);
    return length;
  }

  #room(): number {
    // SYNC ring.read: pairs with the store in RingReader.release. What is overwritten has been copied out.
    this.#head = Atomics.load(this.#words, this.#headAt);
    return this.#bytes.length - ((this.#tail - this.#head) >>> 0);
  }
}

export class RingReader {
  readonly #words: Int32Array;
  readonly #tailAt: number;
  readonly #headAt: number;
  readonly #bytes: Uint8Array;
  #head: number;

  constructor(words: Int32Array, tailAt: number, headAt: number, bytes: Uint8Array) {
    this.#words = words;
    this.#tailAt = tailAt;
    this.#headAt = headAt;
    this.#bytes = bytes;
    this.#head = Atomics.load(words, headAt);
  }

  /** Whether there is anything, loaded afresh. */
  hasBytes(): boolean {
    // SYNC ring.written: pairs with the store in RingWriter.write.
    return Atomics.load(this.#words, this.#tailAt) !== this.#head;
  }

  /** Moves what there is, as far as it fits, to the beginning of `target`; how many bytes. @throws ERR_CORRUPT */
  read(target: Uint8Array): number {
    const length = this.copy(target);
    if (length > 0) this.release(length);
    return length;
  }

  /** The same, but to the writer it has not been read before `release`. @throws ERR_CORRUPT */
  copy(target: Uint8Array): number {
    const size = this.#bytes.length;
    // SYNC ring.written: as above.
    const available = (Atomics.load(this.#words, this.#tailAt) - this.#head) >>> 0;
    if (available === 0) return 0;
    if (available > size) {
      throw new InterprocError(
        'ERR_CORRUPT',
        `A ring of ${size} bytes claims to hold ${available}`,
      );
    }
    const length = Math.min(available, target.length);
    const at = this.#head & (size - 1);
    const first = Math.min(length, size - at);
    target.set(this.#bytes.subarray(at, at + first), 0);
    if (first < length) target.set(this.#bytes.subarray(0, length - first), first);
    return length;
  }

  release(length: number): void {
    this.#head = (this.#head + length) | 0;
    // SYNC ring.read: pairs with the load in RingWriter.#room.
    Atomics.store(this.#words, this.#headAt, this.#head);
  }
}
