import { InterprocError } from '../errors.js';
import type { Channel, Ticket } from '../contract/channel.js';
import { keepFromTravelling } from './passengers.js';

type Settler = Pick<Channel, 'ack' | 'nack' | 'redeemTicket'>;

/**
 * A message that stays the queue's until it is acknowledged: if this process dies, closes the queue or calls
 * `nack`, it goes to another consumer, marked as redelivered and ahead of newer messages.
 *
 * @example
 * ```ts
 * import { Queue } from 'interproc';
 *
 * const q = Queue.create<string>('work');
 * await q.put('a job');
 * const m = await q.receive();
 * m.nack(); // it did not work out
 * const again = await q.receive();
 * [again.value, again.deliveries]; // => [ 'a job', 2 ]
 * again.ack();
 * q.close();
 * ```
 */
export class Delivery<T> {
  /** The message. */
  readonly value: T;
  /** How often it has been delivered, this time included: 1 for the first. */
  readonly deliveries: number;
  readonly #receipt: number;
  readonly #channel: Settler;
  readonly #isClosed: () => boolean;
  readonly #tickets: readonly Ticket[] | undefined;
  #settledBy: 'ack' | 'nack' | undefined;

  static {
    keepFromTravelling('delivery', (object) => #settledBy in object, 'put its value');
  }

  /**
   * Made by `receive`. `isClosed`: the handle was, and what was unacknowledged has been given back. `tickets`:
   * of the handles in the message.
   */
  constructor(
    value: T,
    deliveries: number,
    receipt: number,
    channel: Settler,
    isClosed: () => boolean,
    tickets: readonly Ticket[] | undefined,
  ) {
    this.value = value;
    this.deliveries = deliveries;
    this.#receipt = receipt;
    this.#channel = channel;
    this.#isClosed = isClosed;
    this.#tickets = tickets;
  }

  /** Whether somebody received it before and did not acknowledge it: part of the work may have been done. */
  get redelivered(): boolean {
    return this.deliveries > 1;
  }

  /**
   * The work is done: the message is gone for good.
   * @throws ERR_NOT_OWNER it was acknowledged or given back before; ERR_CLOSED the queue was closed, which gave it back
   */
  ack(): void {
    this.#settle('ack');
    this.#channel.ack(this.#receipt);
    for (const ticket of this.#tickets ?? []) this.#channel.redeemTicket(ticket);
  }

  /**
   * Gives it back, to be delivered again, perhaps to this very process; after `maxDeliveries` it goes to the
   * dead-letter queue.
   * @throws ERR_NOT_OWNER it was acknowledged or given back before; ERR_CLOSED the queue was closed, which
   * gave it back
   */
  nack(): void {
    this.#settle('nack');
    this.#channel.nack(this.#receipt);
  }

  /** `using m = await q.receive()`: gives it back at the end of the block unless it was acknowledged. */
  [Symbol.dispose](): void {
    if (this.#settledBy === undefined && !this.#isClosed()) this.nack();
  }

  #settle(how: 'ack' | 'nack'): void {
    if (this.#settledBy !== undefined) {
      const done = this.#settledBy === 'ack' ? 'acknowledged' : 'given back';
      throw new InterprocError(
        'ERR_NOT_OWNER',
        `${how}(): this message was ${done} before; call ack() or nack() once`,
      );
    }
    if (this.#isClosed()) {
      throw new InterprocError(
        'ERR_CLOSED',
        `${how}(): the queue was closed, which gave this message back; acknowledge before close()`,
      );
    }
    this.#settledBy = how;
  }
}
