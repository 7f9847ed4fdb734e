/**
 * Messages that a handle was given ahead of its takes, and how many to ask for: `hub/message-hand.ts` says what becomes of them.
 *
 * The window grows while all that was asked for is handed out at once, and shrinks to what a slow taker handles in about a
 * millisecond: what is in hand nobody else can have.
 */

import { LARGEST_HAND, LARGEST_HAND_BYTES } from '../channel-operations.js';
import type { Body } from '../frames.js';
import { copyBytes, ViewedBytes } from '../viewed-bytes.js';

const QUICK_MS = 1;
const LARGE = 64;
const NOTHING = ViewedBytes.ofLength(0);

export class Hand {
  readonly #chunk: number;
  // Made at the first use: most handles only put, or take slowly.
  #memory = NOTHING;
  #ends = new Uint32Array(0);
  #count = 0;
  #next = 0;
  #committed = 0;
  #isPushed = false;
  #isOver = true;
  #begin = 0;
  #window = 1;
  /** Whether the window is yet to be measured by how this hand was used. */
  #isNew = false;
  #givenAt = 0;
  #wasUsed = false;

  /** `chunk`: how many are taken at once. */
  constructor(chunk: number) {
    this.#chunk = chunk;
  }

  get isEmpty(): boolean {
    return this.#next === this.#count;
  }

  /** Whether the hub does not know yet that all of it was handed out, or must have the rest back. */
  get isOut(): boolean {
    return !this.isEmpty || !this.#isOver;
  }

  get left(): number {
    return this.#count - this.#next;
  }

  get handedOut(): number {
    return this.#next;
  }

  /** How many to ask for, now that it is empty. */
  nextWindow(): number {
    if (!this.#isNew) return this.#window;
    this.#isNew = false;
    const elapsed = performance.now() - this.#givenAt;
    const quick = Math.floor((this.#count * QUICK_MS) / Math.max(elapsed, 0.001));
    const aim = this.#count >= this.#window ? 2 * this.#count : this.#window;
    this.#window = Math.max(1, Math.min(aim, quick, LARGEST_HAND));
    return this.#window;
  }

  /** Whether many messages come at a time. */
  get isLargeWindow(): boolean {
    return this.#window >= LARGE;
  }

  /** Whether it was pushed and nothing of it committed: then it is void if its wait is withdrawn. */
  get isUntouched(): boolean {
    return this.#isPushed && this.#committed === 0 && !this.isEmpty;
  }

  /** Of the next message. */
  get nextLength(): number {
    return (this.#ends[this.#next] as number) - this.#begin;
  }

  /** What the hub has sent: u32 length of each, their bytes. */
  fill(count: number, isPushed: boolean, body: Body): void {
    if (this.#ends.length === 0) {
      this.#memory = ViewedBytes.ofLength(LARGEST_HAND_BYTES);
      this.#ends = new Uint32Array(LARGEST_HAND);
    }
    let end = 0;
    for (let i = 0; i < count; i++) {
      end += body.u32();
      this.#ends[i] = end;
    }
    copyBytes(body.memory, body.skip(end), this.#memory, 0, end);
    this.#count = count;
    this.#next = 0;
    this.#begin = 0;
    this.#committed = isPushed ? 0 : Math.min(count, this.#chunk);
    this.#isPushed = isPushed;
    this.#isOver = false;
    this.#wasUsed = true;
    this.#measure();
  }

  /** A single message was given, and handed out at once. */
  passed(): void {
    this.#count = 1;
    this.#next = 1;
    this.#isOver = true;
    this.#measure();
  }

  #measure(): void {
    this.#isNew = true;
    this.#givenAt = performance.now();
  }

  /** How many more are to be committed before the next `count` are handed out. */
  toCommit(count: number): number {
    const missing = this.#next + count - this.#committed;
    if (missing <= 0) return 0;
    return Math.min(Math.max(missing, this.#chunk), this.#count - this.#committed);
  }

  committed(count: number): void {
    this.#committed += count;
  }

  /** Moves the next message to `into`, which has room for it; its length. */
  handOut(into: ViewedBytes, offset: number): number {
    const begin = this.#begin;
    const length = this.#step();
    copyBytes(this.#memory, begin, into, offset, length);
    return length;
  }

  /** The same to memory of the caller's. */
  handOutTo(buffer: Uint8Array): number {
    const begin = this.#begin;
    const length = this.#step();
    buffer.set(this.#memory.bytes.subarray(begin, begin + length));
    return length;
  }

  #step(): number {
    const begin = this.#begin;
    this.#begin = this.#ends[this.#next] as number;
    this.#next++;
    this.#wasUsed = true;
    return this.#begin - begin;
  }

  wasUsed(): boolean {
    const wasUsed = this.#wasUsed;
    this.#wasUsed = false;
    return wasUsed;
  }

  /** The hub has it back, or knows that nothing is left of it. */
  over(): void {
    if (!this.isEmpty) {
      this.#window = 1;
      this.#isNew = false;
    }
    this.#count = 0;
    this.#next = 0;
    this.#committed = 0;
    this.#isPushed = false;
    this.#isOver = true;
  }
}
