/**
 * The messages that a handle was given ahead of its takes: *in its hand*. The first of them are *committed*: taken, at most once,
 * as far as the queue is concerned. The others stand in the queue still, though nobody else gets them meanwhile.
 *
 *   given        by a reply, with some committed; or pushed with the answer to a wait, with none
 *   committed    by a word, before the first of them is handed out; so what may have been handed out is never given to another
 *   returned     by a word that says how many were handed out: the others go back, committed or not, uncounted as deliveries
 *   void         a pushed hand of which nothing is committed, when its wait is withdrawn or its session takes by a request: that was said
 *                before the hand was seen, or it would have been returned first; the session throws it away by the same rule
 *   over         when the handle takes by a request, or waits, having committed it all: it says so when it has none left
 *   left         by who dies: what is committed is gone, the others go back
 *
 * Until a hand is over something of it may come back, and the queue's end waits for it.
 */

import { chunkOf } from '../channel-operations.js';
import { fail } from './fail.js';
import type { HubQueue } from './hub-queue.js';
import type { Message } from './message-row.js';

export class MessageHand {
  readonly #queue: HubQueue;
  #messages: readonly Message[] = [];
  #committed = 0;
  #committedBytes = 0;

  constructor(queue: HubQueue) {
    this.#queue = queue;
  }

  get isOut(): boolean {
    return this.#messages.length > 0;
  }

  /** Whether it is one of which nothing is committed. */
  get isUntouched(): boolean {
    return this.isOut && this.#committed === 0;
  }

  /** What was lent by the queue; how many are committed. */
  give(messages: readonly Message[], isPushed: boolean): number {
    this.#messages = messages;
    this.#queue.handsOut++;
    return isPushed ? 0 : this.commit(Math.min(messages.length, chunkOf(this.#queue.geometry)));
  }

  /** The next `count` are taken; how many. */
  commit(count: number): number {
    const end = this.#committed + count;
    if (end > this.#messages.length) {
      fail('ERR_CORRUPT', `${end} messages taken of ${this.#messages.length} in hand`);
    }
    let bytes = 0;
    for (let i = this.#committed; i < end; i++) {
      const message = this.#messages[i] as Message;
      this.#queue.taken(message);
      bytes += this.#queue.roomFor(message.length);
    }
    this.#committed = end;
    this.#committedBytes += bytes;
    this.#queue.inHandBytes += bytes;
    return count;
  }

  /** All but the first `handedOut` go back; how many of the committed ones. */
  returned(handedOut: number): number {
    const messages = this.#messages;
    const committed = this.#committed;
    if (handedOut > committed) {
      fail('ERR_CORRUPT', `${handedOut} messages handed out, where ${committed} were taken`);
    }
    this.#close();
    for (let i = 0; i < handedOut; i++) this.#queue.free(messages[i] as Message);
    for (let i = messages.length - 1; i >= handedOut; i--) {
      const message = messages[i] as Message;
      if (i < committed) this.#queue.notTaken(message);
      else this.#queue.notLent(message);
    }
    this.#queue.handCameBack();
    return committed - handedOut;
  }

  /** The handle takes by a request or waits, so it has nothing in hand. */
  endForTake(): void {
    if (!this.isOut) return;
    if (this.#committed > 0 && this.#committed < this.#messages.length) {
      fail('ERR_CORRUPT', 'A handle that has messages in hand asks for others');
    }
    this.left();
  }

  /** What is committed is gone, the others go back. */
  left(): void {
    if (this.isOut) this.returned(this.#committed);
  }

  #close(): void {
    if (this.isOut) this.#queue.handsOut--;
    this.#queue.inHandBytes -= this.#committedBytes;
    this.#committedBytes = 0;
    this.#messages = [];
    this.#committed = 0;
  }
}
