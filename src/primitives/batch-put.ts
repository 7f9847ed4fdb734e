import { AbortError, InterprocError } from '../errors.js';
import { ENDED, FULL } from '../contract/channel.js';
import type { Channel } from '../contract/channel.js';
import { depart, disembark } from './passengers.js';
import type { Passengers } from './passengers.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';

/** By the index of the message they belong to. */
export type BatchPassengers = Map<number, Passengers>;

/** The messages of a `putMany`, and how far it has got. */
export class BatchPut implements Operation<void> {
  readonly #channel: Channel;
  readonly #messages: Uint8Array[];
  readonly #endedError: () => Error;
  readonly #passengers: BatchPassengers;
  #areBorrowed: boolean;
  #accepted = 0;

  /** `areBorrowed`: the arrays are the caller's. */
  constructor(
    channel: Channel,
    messages: Uint8Array[],
    areBorrowed: boolean,
    endedError: () => Error,
    passengers: BatchPassengers,
  ) {
    this.#channel = channel;
    this.#messages = messages;
    this.#areBorrowed = areBorrowed;
    this.#endedError = endedError;
    this.#passengers = passengers;
  }

  /** How many have gone in, from the first. */
  get accepted(): number {
    return this.#accepted;
  }

  attempt(): void | NotYet {
    const messages = this.#messages;
    try {
      while (this.#accepted < messages.length) {
        const count = this.#putSome();
        if (count === ENDED) throw this.#endedError();
        if (count === 0) return NOT_YET;
        this.#accept(count);
      }
      return undefined;
    } catch (error) {
      throw this.failed(error);
    }
  }

  #accept(count: number): void {
    const from = this.#accepted;
    this.#accepted += count;
    if (this.#passengers.size === 0) return;
    for (let i = from; i < this.#accepted; i++) {
      depart(this.#passengers.get(i));
      this.#passengers.delete(i);
    }
  }

  /** How many went in, or ENDED: a crossing's worth, or, where tickets are among them, one. */
  #putSome(): number {
    const channel = this.#channel;
    if (this.#passengers.size === 0) return channel.tryPutMany(this.#messages, this.#accepted);
    const message = this.#messages[this.#accepted] as Uint8Array;
    const status = this.#passengers.has(this.#accepted)
      ? channel.tryPutCarrying(message)
      : channel.tryPut(message);
    if (status === ENDED) return ENDED;
    return status === FULL ? 0 : 1;
  }

  /** What has not gone in becomes a copy: the caller may change its arrays as soon as the call has returned. */
  detach(): void {
    if (!this.#areBorrowed) return;
    const messages = this.#messages;
    for (let i = this.#accepted; i < messages.length; i++) {
      messages[i] = new Uint8Array(messages[i] as Uint8Array);
    }
    this.#areBorrowed = false;
  }

  failed<E>(error: E): E {
    for (const passengers of this.#passengers.values()) disembark(this.#channel, passengers);
    this.#passengers.clear();
    if (error instanceof InterprocError || error instanceof AbortError) {
      error.accepted = this.#accepted;
    }
    return error;
  }
}
