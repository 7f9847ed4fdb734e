/**
 * One direction of a pipe: the messages that the hub has not handed on, and what the sender may still send.
 *
 *   messages + credit + unsaid = capacity + debt
 *
 * A direction has one sender, and what it says comes in order. So it knows its room without asking: what it was told, less what it
 * has sent. Room comes free when messages are handed on, and not only when they are consumed: a receiver need not say at once what
 * it has consumed of what it has, and whoever knows that it has consumed something still finds room. So a direction holds its
 * capacity, and as much again as the receiver may have beyond what it has consumed.
 */

import { fail } from './fail.js';
import { MessageFifo } from './message-fifo.js';

export class PipeFlow {
  readonly #messages = new MessageFifo();
  /** As the sender knows. */
  #credit: number;
  /** Has come free, and the sender was not told. */
  #unsaid = 0;
  /** Was handed on, and came back. */
  #debt = 0;

  constructor(capacityBytes: number) {
    this.#credit = capacityBytes;
  }

  get bytes(): number {
    return this.#messages.bytes;
  }

  get unsaid(): number {
    return this.#unsaid;
  }

  /** What the sender may send once it has been told. */
  get room(): number {
    return this.#credit + this.#unsaid;
  }

  /** The sender is being told. */
  say(): number {
    const freed = this.#unsaid;
    this.#credit += freed;
    this.#unsaid = 0;
    return freed;
  }

  /** @throws ERR_CORRUPT for more than there is room for */
  push(packed: Uint8Array): void {
    this.#charge(packed.length);
    this.#messages.push(packed);
  }

  /** Hands on what has just come, and would be the next. @throws ERR_CORRUPT as `push` */
  pass(packed: Uint8Array): void {
    this.#charge(packed.length);
    this.#free(packed.length);
  }

  /** Hands on as MessageFifo.shift. */
  shift(bytes: number, messages: number): Buffer {
    const packed = this.#messages.shift(bytes, messages);
    this.#free(packed.length);
    return packed;
  }

  /** What was handed on last comes back: its room has been given away already. */
  unshift(packed: Uint8Array): void {
    this.#messages.unshift(packed);
    this.#debt += packed.length;
  }

  #charge(bytes: number): void {
    if (bytes > this.#credit) {
      fail('ERR_CORRUPT', `${bytes} bytes are sent where ${this.#credit} may be`);
    }
    this.#credit -= bytes;
  }

  #free(bytes: number): void {
    const paid = Math.min(this.#debt, bytes);
    this.#debt -= paid;
    this.#unsaid += bytes - paid;
  }

  /** Nobody will receive any more. */
  clear(): void {
    this.#messages.clear();
  }
}
