import { EOFError, InterprocError } from '../errors.js';
import { CARRIES, DEFAULT_CODEC, EMPTY, ENDED, LARGE } from '../contract/channel.js';
import type { Channel, Ticket } from '../contract/channel.js';
import type { Codec } from '../codec/codec.js';
import type { DeadLetters } from './dead-letters.js';
import { Delivery } from './delivery.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet } from './pending-waits.js';
import { decodeOwnWith, decodeWith, redeem, takeArrivedTickets, turnBack } from './passengers.js';
import type { Arrive } from './passengers.js';

/** What was taken of a batch, and why the first message that could not be decoded could not. */
interface Batch<T> {
  readonly values: T[];
  failure?: { readonly error: unknown };
}

/** Why a look for a message found none, and none will come. */
export function readFailure(name: string, status: number): InterprocError {
  return status === ENDED
    ? new EOFError(`Queue '${name}' was ended and has been read to its end`)
    : new InterprocError('ERR_CORRUPT', `Queue '${name}' answered a get with ${status}`);
}

/** Whether the next look fails with it too: the message that it is about is where it was. */
function willComeAgain(error: unknown): boolean {
  return error instanceof InterprocError && error.code !== 'ERR_CORRUPT';
}

/**
 * Single looks at a channel for messages, as values: each returns NOT_YET if there is none, and throws an
 * EOFError if there never will be.
 */
export class MessageReader<T> {
  readonly #channel: Channel;
  readonly #codec: Codec<T>;
  readonly #deadLetters: DeadLetters | undefined;
  readonly #maxDeliveries: number;
  readonly #isClosed: () => boolean;
  readonly #arrive: Arrive;

  constructor(
    channel: Channel,
    codec: Codec<T>,
    arrive: Arrive,
    deadLetters: DeadLetters | undefined,
    isClosed: () => boolean,
  ) {
    this.#channel = channel;
    this.#codec = codec;
    this.#arrive = arrive;
    this.#deadLetters = deadLetters;
    this.#maxDeliveries = channel.geometry.maxDeliveries;
    this.#isClosed = isClosed;
  }

  take(): T | NotYet {
    if (this.#deadLetters !== undefined) return this.#takeByLedger();
    const channel = this.#channel;
    const length = channel.tryTake();
    if (length === EMPTY) return NOT_YET;
    if (length < 0 && length !== LARGE) {
      if (length === CARRIES) return this.#takeByLedger();
      throw this.#failure(length);
    }
    try {
      return this.#consumeNext(length);
    } catch (error) {
      this.#finish(1);
      throw error;
    }
  }

  /** The length of the message, whose bytes are in `buffer` then. */
  takeInto(buffer: Uint8Array): number | NotYet {
    if (this.#deadLetters !== undefined) return this.#takeByLedgerInto(buffer);
    const length = this.#channel.tryTakeInto(buffer);
    if (length >= 0) return length;
    if (length === EMPTY) return NOT_YET;
    if (length === CARRIES) return this.#takeByLedgerInto(buffer);
    throw this.#failure(length);
  }

  /** One message at least. Those of the batch that can be had are in `values` of the error that one which cannot leads to. */
  takeMany(max: number): T[] | NotYet {
    const batch: Batch<T> = { values: [] };
    const { values } = batch;
    while (values.length < max && batch.failure === undefined) {
      try {
        if (!this.#takeSome(batch, max - values.length)) break;
      } catch (error) {
        if (values.length === 0) throw error;
        // What has been taken is the caller's. The next call tells what is wrong, unless it was about a message that is gone.
        if (willComeAgain(error)) break;
        batch.failure = { error };
      }
    }
    if (batch.failure !== undefined) {
      const { error } = batch.failure;
      // Whatever kind of error it is: they are nowhere else any more.
      throw error instanceof Error ? Object.assign(error, { values }) : error;
    }
    return values.length === 0 ? NOT_YET : values;
  }

  takeDelivery(): Delivery<T> | NotYet {
    const channel = this.#channel;
    const length = this.#receive();
    if (length === EMPTY) return NOT_YET;
    const { receipt, deliveries } = channel;
    let value: T;
    try {
      value =
        length === LARGE
          ? decodeOwnWith(this.#arrive, this.#codec, channel.takeLarge())
          : decodeWith(this.#arrive, this.#codec, channel.inbox, 0, length);
    } catch (error) {
      turnBack();
      // If the codec has closed the handle, that gave the message back.
      if (!this.#isClosed()) channel.nack(receipt);
      throw error;
    }
    this.#assertNotGivenBack();
    const tickets = takeArrivedTickets();
    return new Delivery(value, deliveries, receipt, channel, this.#isClosed, tickets);
  }

  /** What was received has been decoded; a codec that closed the handle meanwhile gave it back. @throws ERR_CLOSED */
  #assertNotGivenBack(): void {
    if (!this.#isClosed()) return;
    turnBack();
    throw new InterprocError(
      'ERR_CLOSED',
      `Queue '${this.#channel.name}' was closed by the codec that decoded a message of it, which gave the message back`,
    );
  }

  /** What the last look has taken. */
  #consumeNext(length: number): T {
    const channel = this.#channel;
    return length === LARGE
      ? this.#consumeOwn(channel.takeLarge())
      : this.#consume(channel.inbox, 0, length);
  }

  /** Decodes what is gone from the queue by now, and with it the handles in it. */
  #consume(bytes: Uint8Array, offset: number, length: number): T {
    let value: T;
    try {
      value = decodeWith(this.#arrive, this.#codec, bytes, offset, length);
    } catch (error) {
      this.#giveUp(bytes.subarray(offset, offset + length));
      throw error;
    }
    const tickets = takeArrivedTickets();
    if (tickets !== undefined) redeem(this.#channel, tickets);
    return value;
  }

  /** The same of a message in an array of its own. */
  #consumeOwn(bytes: Uint8Array): T {
    let value: T;
    try {
      value = decodeOwnWith(this.#arrive, this.#codec, bytes);
    } catch (error) {
      this.#giveUp(bytes);
      throw error;
    }
    redeem(this.#channel, takeArrivedTickets());
    return value;
  }

  /** A message that is gone and cannot be decoded: so are the handles in it. */
  #giveUp(bytes: Uint8Array): void {
    // Found before any other call on this thread may overwrite them.
    const lost = this.#ticketsIn(bytes);
    turnBack();
    redeem(this.#channel, lost);
  }

  /** Only structured messages have handles in them; and other codecs may have run code that used the inbox. */
  #ticketsIn(bytes: Uint8Array): Ticket[] | undefined {
    return this.#codec.name === DEFAULT_CODEC ? this.#channel.ticketsIn(bytes) : undefined;
  }

  /** Adds one crossing's worth of messages; false if there was none. */
  #takeSome(batch: Batch<T>, max: number): boolean {
    if (this.#deadLetters !== undefined) return this.#takeOneByLedger(batch);
    const channel = this.#channel;
    const before = batch.values.length;
    const count = channel.tryTakeMany(max);
    if (count === EMPTY) return false;
    if (count === CARRIES) return this.#takeOneByLedger(batch);
    if (count === LARGE) {
      this.#decodeOwnNext(batch, channel.takeLarge());
      this.#finish(before + 1 - batch.values.length);
      return true;
    }
    if (count < 0) throw this.#failure(count);
    const { inbox, offsets, lengths } = channel;
    if (this.#codec.decodesByCaller === true) {
      // All are copied before the first is decoded: the caller's code may use queues, and with them the inbox.
      const messages: Uint8Array[] = [];
      for (let i = 0; i < count; i++) {
        const offset = offsets[i] as number;
        messages.push(inbox.slice(offset, offset + (lengths[i] as number)));
      }
      for (const message of messages) this.#decodeOwnNext(batch, message);
    } else {
      for (let i = 0; i < count; i++) {
        this.#decodeNext(batch, inbox, offsets[i] as number, lengths[i] as number);
      }
    }
    this.#finish(before + count - batch.values.length);
    return true;
  }

  #takeOneByLedger(batch: Batch<T>): boolean {
    const length = this.#receive();
    if (length === EMPTY) return false;
    try {
      batch.values.push(this.#consumeReceived(length));
    } catch (error) {
      batch.failure = { error };
    }
    return true;
  }

  #decodeNext(batch: Batch<T>, inbox: Uint8Array, offset: number, length: number): void {
    try {
      batch.values.push(this.#consume(inbox, offset, length));
    } catch (error) {
      batch.failure ??= { error };
    }
  }

  #decodeOwnNext(batch: Batch<T>, bytes: Uint8Array): void {
    try {
      batch.values.push(this.#consumeOwn(bytes));
    } catch (error) {
      batch.failure ??= { error };
    }
  }

  /** What cannot be decoded is handed to nobody, who would have to call `taskDone`. */
  #finish(undecodable: number): void {
    // A codec of the caller's may have closed the handle, which finished everything.
    if (this.#isClosed()) return;
    for (let i = 0; i < undecodable; i++) this.#channel.taskDone();
  }

  /**
   * The length of the next message that was not delivered too often, LARGE or EMPTY; those that were go to the
   * dead-letter queue.
   */
  #receive(): number {
    const channel = this.#channel;
    for (;;) {
      const length = channel.tryReceive();
      if (length === EMPTY) return EMPTY;
      if (length < 0 && length !== LARGE) throw this.#failure(length);
      if (this.#deadLetters === undefined || channel.deliveries <= this.#maxDeliveries) {
        return length;
      }
      const { receipt } = channel;
      // Copied: the inbox is every channel's.
      const bytes = length === LARGE ? channel.takeLarge() : channel.inbox.slice(0, length);
      this.#deadLetters.move(bytes, {
        consume: () => channel.ack(receipt),
        giveBack: () => channel.nack(receipt),
      });
    }
  }

  /**
   * `take` where more is to be done before the message may be gone: handles in it are opened while it can still go to
   * another, and what was delivered too often can be given back if the dead-letter queue is full.
   */
  #takeByLedger(): T | NotYet {
    const length = this.#receive();
    return length === EMPTY ? NOT_YET : this.#consumeReceived(length);
  }

  /** What has just been received, as what a get takes. */
  #consumeReceived(length: number): T {
    const channel = this.#channel;
    const { receipt } = channel;
    const isOwn = length === LARGE;
    const bytes = isOwn ? channel.takeLarge() : channel.inbox;
    let value: T;
    try {
      value = isOwn
        ? decodeOwnWith(this.#arrive, this.#codec, bytes)
        : decodeWith(this.#arrive, this.#codec, bytes, 0, length);
    } catch (error) {
      const lost = this.#ticketsIn(isOwn ? bytes : bytes.subarray(0, length));
      turnBack();
      // If the codec has closed the handle, that gave the message back.
      if (this.#isClosed()) throw error;
      channel.ack(receipt);
      redeem(channel, lost);
      throw error;
    }
    this.#assertNotGivenBack();
    const tickets = takeArrivedTickets();
    // The tickets last: until the acknowledgement the message may go to another, who needs them.
    channel.ackAsTaken(receipt);
    redeem(channel, tickets);
    return value;
  }

  #takeByLedgerInto(buffer: Uint8Array): number | NotYet {
    const channel = this.#channel;
    const length = this.#receive();
    if (length === EMPTY) return NOT_YET;
    const { receipt } = channel;
    const bytes = length === LARGE ? channel.takeLarge() : channel.inbox.subarray(0, length);
    if (bytes.length > buffer.length) {
      // Nobody has had it: it must not come nearer to the dead-letter queue.
      channel.undeliver(receipt);
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `The next message of queue '${channel.name}' has ${bytes.length} bytes, the buffer ${buffer.length}; the message stays in the queue`,
      );
    }
    buffer.set(bytes);
    channel.ackAsTaken(receipt);
    return bytes.length;
  }

  #failure(status: number): InterprocError {
    return readFailure(this.#channel.name, status);
  }
}
