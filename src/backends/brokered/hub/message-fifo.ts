/** Packed messages, first in, first out, in memory that grows with them. */

import { packedAt } from '../packed-messages.js';

/** What an empty one keeps: pipes are mostly idle. */
const KEPT_BYTES = 2 ** 12;
const NOTHING = Buffer.alloc(0);

export class MessageFifo {
  #buffer = NOTHING;
  #begin = 0;
  #end = 0;

  get bytes(): number {
    return this.#end - this.#begin;
  }

  push(packed: Uint8Array): void {
    const needed = this.bytes + packed.length;
    if (this.#end + packed.length > this.#buffer.length) this.#makeRoom(needed);
    this.#buffer.set(packed, this.#end);
    this.#end += packed.length;
  }

  /** Puts them in front of all others. */
  unshift(packed: Uint8Array): void {
    if (packed.length === 0) return;
    const rest = Buffer.from(this.#buffer.subarray(this.#begin, this.#end));
    this.#begin = 0;
    this.#end = 0;
    this.push(packed);
    this.push(rest);
  }

  /** All of them. Good until the next call. */
  shiftAll(): Buffer {
    const taken = this.#buffer.subarray(this.#begin, this.#end);
    this.clear();
    return taken;
  }

  /** The first ones, so many at most, together not longer than `bytes` but for a single one. Good until the next call. */
  shift(bytes: number, messages: number): Buffer {
    const begin = this.#begin;
    let at = begin;
    for (let count = 0; count < messages && at < this.#end; count++) {
      const { end } = packedAt(this.#buffer, at);
      if (count > 0 && end - begin > bytes) break;
      at = end;
    }
    const taken = this.#buffer.subarray(begin, at);
    this.#begin = at;
    if (at === this.#end) this.clear();
    return taken;
  }

  clear(): void {
    this.#begin = 0;
    this.#end = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = NOTHING;
  }

  #makeRoom(needed: number): void {
    const { bytes } = this;
    // Twice as much as is there: a message is moved twice on average.
    const into =
      2 * needed <= this.#buffer.length
        ? this.#buffer
        : Buffer.allocUnsafeSlow(Math.max(2 * needed, 1024));
    this.#buffer.copy(into, 0, this.#begin, this.#end);
    this.#buffer = into;
    this.#begin = 0;
    this.#end = bytes;
  }
}
