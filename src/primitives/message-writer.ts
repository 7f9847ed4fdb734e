import { InterprocError, invalidArgument } from '../errors.js';
import { ENDED } from '../contract/channel.js';
import type { Channel } from '../contract/channel.js';
import type { Codec } from '../codec/codec.js';
import { ByteCopies } from '../codec/copy-bytes.js';
import { BatchPut } from './batch-put.js';
import type { BatchPassengers } from './batch-put.js';
import { Boarding, depart, disembark } from './passengers.js';
import { NOT_YET } from './pending-waits.js';
import type { Operation } from './pending-waits.js';

// Of this thread's messages that wait to be put. They share no memory with what is handed out, which its owner may transfer.
const unsent = new ByteCopies();

/** Values on their way into a channel: encoded, and offered to it in single looks. */
export class MessageWriter<T> {
  readonly #channel: Channel;
  readonly #codec: Codec<T>;
  readonly #boarding: Boarding;

  constructor(channel: Channel, codec: Codec<T>) {
    this.#channel = channel;
    this.#codec = codec;
    this.#boarding = new Boarding(channel);
  }

  /**
   * To be offered, or made a pending put, before anything else happens on this thread: it stands in the
   * outbox, or is the caller's.
   */
  encode(value: T): number | Uint8Array {
    return this.#boarding.encode(this.#codec, value);
  }

  /** One look for room; true if the message went in. */
  offer(encoded: number | Uint8Array): boolean {
    try {
      if (!this.#put(encoded, this.#boarding.passengers !== undefined)) return false;
    } catch (error) {
      this.discard();
      throw error;
    }
    depart(this.#boarding.takePassengers());
    return true;
  }

  /** The message encoded last will not be put. */
  discard(): void {
    disembark(this.#channel, this.#boarding.takePassengers());
  }

  /** A put that can wait, with a copy of the message. */
  pending(encoded: number | Uint8Array): Operation<void> {
    const passengers = this.#boarding.takePassengers();
    const failed = <E>(error: E): E => {
      disembark(this.#channel, passengers);
      return error;
    };
    try {
      const bytes = this.#copy(encoded);
      // One that waits behind others has not been seen by the channel.
      this.checkSize(bytes.length);
      const attempt = () => {
        try {
          if (!this.#put(bytes, passengers !== undefined)) return NOT_YET;
        } catch (error) {
          throw failed(error);
        }
        depart(passengers);
        return undefined;
      };
      return { attempt, failed };
    } catch (error) {
      throw failed(error);
    }
  }

  #put(encoded: number | Uint8Array, carries: boolean): boolean {
    const channel = this.#channel;
    let status: number;
    if (carries) status = this.#putCarrying(encoded);
    else if (typeof encoded === 'number') status = channel.tryPutOutbox(encoded);
    else status = channel.tryPut(encoded);
    if (status === ENDED) throw this.endedError();
    return status === 0;
  }

  #putCarrying(encoded: number | Uint8Array): number {
    const channel = this.#channel;
    const bytes = typeof encoded === 'number' ? channel.outbox.subarray(0, encoded) : encoded;
    return channel.tryPutCarrying(bytes);
  }

  /**
   * All values encoded, so that one that cannot be leaves nothing half-queued. Where they are bytes already, those of
   * `areLeftAlone` values are not copied: nothing of the caller's runs between one and the next, as it does in a generator.
   * @throws ERR_ENCODE, ERR_INVALID_ARG, ERR_TOO_LARGE
   */
  batch(values: Iterable<T>, areLeftAlone = Array.isArray(values)): BatchPut {
    if (typeof values === 'string' || typeof values?.[Symbol.iterator] !== 'function') {
      throw invalidArgument('putMany', 'an array or another iterable of values', values);
    }
    const codec = this.#codec;
    const messages: Uint8Array[] = [];
    const passengers: BatchPassengers = new Map();
    try {
      for (const value of values) {
        const bytes =
          codec.bytesOf === undefined
            ? this.#copy(this.encode(value))
            : areLeftAlone
              ? codec.bytesOf(value)
              : new Uint8Array(codec.bytesOf(value));
        const boarded = this.#boarding.takePassengers();
        if (boarded !== undefined) passengers.set(messages.length, boarded);
        this.checkSize(bytes.length);
        messages.push(bytes);
      }
    } catch (error) {
      for (const boarded of passengers.values()) disembark(this.#channel, boarded);
      throw error;
    }
    return new BatchPut(
      this.#channel,
      messages,
      codec.bytesOf !== undefined && areLeftAlone,
      () => this.endedError(),
      passengers,
    );
  }

  endedError(): InterprocError {
    return new InterprocError(
      'ERR_ENDED',
      `Queue '${this.#channel.name}' was ended; it takes no more puts`,
    );
  }

  /** A copy, unless the codec has made the array for this message. */
  #copy(encoded: number | Uint8Array): Uint8Array {
    if (typeof encoded === 'number') return unsent.copy(this.#channel.outbox, 0, encoded);
    return this.#codec.encodesAnew === true ? encoded : new Uint8Array(encoded);
  }

  /** @throws ERR_TOO_LARGE */
  checkSize(length: number): void {
    const { name, geometry } = this.#channel;
    if (length <= geometry.maxMessageBytes) return;
    throw new InterprocError(
      'ERR_TOO_LARGE',
      `A message of ${length} bytes; queue '${name}' takes ${geometry.maxMessageBytes} at most. Create it with a larger maxMessageBytes`,
    );
  }
}
