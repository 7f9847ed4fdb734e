/**
 * The room that a handle was promised: what it puts there it need not ask for.
 *
 * The promise is of the free room that is promised to nobody else, so those who keep to theirs find it. Those who ask do not
 * count promises as taken: they never meet a queue that is full of nothing, and the capacity may be exceeded by what was
 * promised, at most. Both sides subtract what is put by its length alone, in the order in which it is put, and what is added
 * is told as a difference: so the two agree, whatever is on its way meanwhile. A request of its session ends the promise at both ends,
 * with what was added to it and has not arrived; the reply begins another. So to one thread the capacity is exact.
 */

import { BLOCK_BYTES } from '../queue-room.js';
import { fail } from './fail.js';
import type { HubQueue } from './hub-queue.js';

/** The first promise; the next ones double. */
const SMALLEST_BYTES = 1024;
const LARGEST_BYTES = 2 ** 19;

export class RoomPromise {
  readonly #queue: HubQueue;
  #bytes = 0;
  #aim = 0;

  constructor(queue: HubQueue) {
    this.#queue = queue;
  }

  /** Whether anything may come by it. */
  get isOutstanding(): boolean {
    return this.#bytes > 0;
  }

  /**
   * A quarter of it was used: more should be on its way before it ends. What is said in a journal is heard a millisecond or two later,
   * and what was promised before that must last until it is.
   */
  get isLow(): boolean {
    return this.#aim > 0 && this.#bytes < (3 / 4) * this.#aim;
  }

  /** For a handle that puts fast, if it can be by as much as it waits for; how much was added. */
  extend(wanted = 0): number {
    this.#aim = Math.min(Math.max(2 * this.#aim, SMALLEST_BYTES), LARGEST_BYTES);
    const { unpromisedBytes } = this.#queue;
    const half = Math.floor(unpromisedBytes / 2 / BLOCK_BYTES) * BLOCK_BYTES;
    const share = wanted > unpromisedBytes ? half : Math.max(half, wanted);
    const added = Math.min(this.#aim - this.#bytes, share);
    if (added <= 0) return 0;
    this.#change(added);
    return added;
  }

  /** It puts slowly, or not any more: the next promise is a small one. */
  startAnew(): void {
    this.#aim = 0;
  }

  /** Something is put that takes so much. */
  use(bytes: number): void {
    if (bytes > this.#bytes) {
      fail(
        'ERR_CORRUPT',
        `A message that takes ${bytes} bytes, where ${this.#bytes} were promised`,
      );
    }
    this.#change(-bytes);
  }

  giveBack(bytes: number): void {
    this.startAnew();
    this.#change(-Math.min(bytes, this.#bytes));
  }

  end(): void {
    this.#change(-this.#bytes);
  }

  #change(difference: number): void {
    const wasOutstanding = this.isOutstanding;
    this.#bytes += difference;
    this.#queue.promisedBytes += difference;
    if (this.isOutstanding !== wasOutstanding) this.#queue.promised(wasOutstanding ? -1 : 1);
  }
}
