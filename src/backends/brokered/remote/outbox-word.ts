/** A word with the message that stands in the outbox: its header is written in front of that, so the message is not copied. */

import { HEADER_BYTES } from '../frames.js';
import { ViewedBytes } from '../viewed-bytes.js';

/** Of what stands in the body in front of the message. */
const MOST_IN_FRONT = 8;

export class OutboxWord {
  readonly outbox: Uint8Array;
  readonly #memory: ViewedBytes;
  #begin = 0;
  #at = 0;
  #end = 0;

  constructor(outboxBytes: number) {
    const margin = HEADER_BYTES + MOST_IN_FRONT;
    this.#memory = ViewedBytes.ofLength(margin + outboxBytes);
    this.outbox = new Uint8Array(this.#memory.bytes.buffer, margin);
  }

  /** For `outbox[0, length)`; so many bytes are written in front of it next. */
  begin(handle: number, operation: number, inFront: number, length: number): this {
    const { view } = this.#memory;
    const body = HEADER_BYTES + MOST_IN_FRONT - inFront;
    const begin = body - HEADER_BYTES;
    view.setUint32(begin, inFront + length, true);
    view.setUint32(begin + 4, handle, true);
    // Without a sequence: no reply is wanted.
    view.setUint32(begin + 8, operation, true);
    this.#begin = begin;
    this.#at = body;
    this.#end = body + inFront + length;
    return this;
  }

  u8(value: number): this {
    this.#memory.view.setUint8(this.#at, value);
    this.#at += 1;
    return this;
  }

  u32(value: number): this {
    this.#memory.view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  /** The word is `memory[begin, begin + length)`. */
  get memory(): Buffer {
    return this.#memory.bytes;
  }

  get beginning(): number {
    return this.#begin;
  }

  get length(): number {
    return this.#end - this.#begin;
  }
}
