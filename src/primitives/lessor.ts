import { InterprocError } from '../errors.js';
import { EMPTY, ENDED, FULL } from '../contract/channel.js';
import type { Channel } from '../contract/channel.js';
import type { Leasing } from '../contract/leasing.js';
import type { DeadLetters } from './dead-letters.js';
import { PeekedMessage, ReservedSlot } from './lease.js';
import type { LeasedQueue } from './lease.js';
import { readFailure } from './message-reader.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet } from './pending-waits.js';

/** Single looks at a channel for room to fill and messages to read in place: each returns NOT_YET if there is none. */
export class Lessor {
  readonly #channel: Channel;
  readonly #leasing: Leasing;
  readonly #endedError: () => InterprocError;
  readonly #deadLetters: DeadLetters | undefined;
  readonly #queue: LeasedQueue;

  constructor(
    channel: Channel,
    leasing: Leasing,
    deadLetters: DeadLetters | undefined,
    endedError: () => InterprocError,
    isClosed: () => boolean,
  ) {
    this.#channel = channel;
    this.#leasing = leasing;
    this.#endedError = endedError;
    this.#deadLetters = deadLetters;
    this.#queue = { name: channel.name, leasing, isClosed };
  }

  reserve(length: number): ReservedSlot | NotYet {
    const lease = this.#leasing.tryReserve(length);
    if (typeof lease !== 'number') return new ReservedSlot(this.#queue, lease);
    if (lease === FULL) return NOT_YET;
    if (lease === ENDED) throw this.#endedError();
    throw new InterprocError(
      'ERR_CORRUPT',
      `Queue '${this.#channel.name}' answered a reserve with ${lease}`,
    );
  }

  peek(): PeekedMessage | NotYet {
    const channel = this.#channel;
    const leasing = this.#leasing;
    for (;;) {
      const lease = leasing.tryPeek();
      if (lease === EMPTY) return NOT_YET;
      if (typeof lease === 'number') throw readFailure(channel.name, lease);
      const { deliveries } = channel;
      const letters = this.#deadLetters;
      if (letters === undefined || deliveries <= channel.geometry.maxDeliveries) {
        return new PeekedMessage(this.#queue, lease, deliveries);
      }
      letters.move(lease.bytes, {
        consume: () => leasing.release(lease),
        giveBack: () => leasing.abandon(lease),
      });
    }
  }
}
