import { BufferTooShort, EOFError, InterprocError } from '../errors.js';
import { CARRYING, EMPTY, ENDED, EXCHANGE, LARGE } from '../contract/pipe.js';
import type { PipeEnd } from '../contract/pipe.js';
import type { Codec } from '../codec/codec.js';
import {
  decodeOwnWith,
  decodeWith,
  redeem,
  takeArrivals,
  takeArrivedTickets,
  turnBack,
} from './passengers.js';
import type { Arrive, Handle } from './passengers.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet } from './pending-waits.js';
import { ReceivedMessage } from './received-message.js';
import { AsideMessage, SetAside } from './set-aside.js';
import type { Outcome } from './set-aside.js';

/**
 * Takes messages that are part of an exchange of requests and responses, which `recv` does not hand out. The bytes are its own.
 * Handles in them are opened, if at all, before it returns.
 */
export type AcceptExchanged = (bytes: Uint8Array) => void;

/** What was taken of a batch, and why the first message that could not be decoded could not. */
interface Batch<T> {
  readonly values: T[];
  failure?: { readonly error: unknown };
}

/**
 * Single looks at an end of a pipe for messages: each returns NOT_YET if there is none, and throws an EOFError if there never
 * will be.
 */
export class PipeReader<T> {
  /** To be called once, when there is room again for what `takeForOthers` sets aside. */
  onRoom: (() => void) | undefined;
  readonly #end: PipeEnd;
  readonly #codec: Codec<T>;
  readonly #arrive: Arrive;
  readonly #accept: AcceptExchanged;
  readonly #isClosed: () => boolean;
  /** What comes before the messages in the pipe; undefined: nothing, as almost always. */
  #aside: SetAside<T> | undefined;
  /** Messages that may come back. */
  #lent = 0;

  constructor(
    end: PipeEnd,
    codec: Codec<T>,
    arrive: Arrive,
    accept: AcceptExchanged,
    isClosed: () => boolean,
  ) {
    this.#end = end;
    this.#codec = codec;
    this.#arrive = arrive;
    this.#accept = accept;
    this.#isClosed = isClosed;
  }

  take(): T | NotYet {
    if (this.#aside !== undefined) return this.#open(this.#nextAside(this.#aside));
    const end = this.#end;
    for (;;) {
      const length = end.tryReceive();
      if (length === EMPTY) return NOT_YET;
      if (length < 0 && length !== LARGE) throw this.#failure(length);
      if (end.marks === 0) return this.#decodeNext(length, 0);
      if ((end.marks & EXCHANGE) === 0) return this.#decodeCarrying(length, 0);
      this.#handOver(this.#ownNext(length, 0));
    }
  }

  /** One message at least. Those of the batch that can be had are in `values` of the error that one which cannot leads to. */
  takeMany(max: number): T[] | NotYet {
    const batch: Batch<T> = { values: [] };
    const { values } = batch;
    while (values.length < max && batch.failure === undefined) {
      const aside = this.#aside;
      if (aside !== undefined) {
        this.#add(batch, () => this.#open(this.#nextAside(aside)));
        continue;
      }
      try {
        if (!this.#takeSome(batch, max - values.length)) break;
      } catch (error) {
        if (values.length === 0) throw error;
        // What has been taken is the caller's; the end comes again with the next call.
        if (error instanceof EOFError) break;
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

  /** The bytes of the next message. @throws ERR_TOO_LARGE if there are more than `maxLength`; it stays */
  takeBytes(maxLength: number): Uint8Array | NotYet {
    const end = this.#end;
    for (;;) {
      const aside = this.#aside;
      if (aside !== undefined) {
        assertLength(aside.first.bytes.length, maxLength);
        return this.#takeAsideBytes(aside);
      }
      if (maxLength !== Infinity) {
        if (!this.isReadable()) return NOT_YET;
        if (this.#aside !== undefined) continue;
        assertLength(end.nextLength(), maxLength);
      }
      const bytes = end.tryReceiveCopy();
      if (bytes === EMPTY) return NOT_YET;
      if (typeof bytes === 'number') throw this.#failure(bytes);
      if (end.marks === 0) return bytes;
      if ((end.marks & EXCHANGE) === 0) {
        this.#consume(bytes);
        return bytes;
      }
      this.#handOver(bytes);
    }
  }

  /** The length of the next message, whose bytes are in `buffer` then, from `offset` on. @throws BufferTooShort */
  takeBytesInto(buffer: Uint8Array, offset: number): number | NotYet {
    const end = this.#end;
    if (this.#aside !== undefined) {
      return fitInto(this.#takeAsideBytes(this.#aside), buffer, offset);
    }
    for (;;) {
      const length = end.tryReceiveInto(buffer, offset);
      if (length === EMPTY) return NOT_YET;
      if (length < 0 && length !== LARGE) throw this.#failure(length);
      if (end.marks === 0 && length !== LARGE) return length;
      const isExchange = (end.marks & EXCHANGE) !== 0;
      const bytes = length === LARGE ? end.takeLarge() : buffer.slice(offset, offset + length);
      if (isExchange) {
        this.#handOver(bytes);
        continue;
      }
      this.#consume(bytes);
      if (length !== LARGE) return length;
      return fitInto(bytes, buffer, offset);
    }
  }

  /** The next message. Given back, it is the next one again, and `cameBack` is called. */
  takeReturnable(cameBack: () => void): ReceivedMessage<T> | NotYet {
    const message = this.#takeDecoded();
    if (message === NOT_YET) return NOT_YET;
    const value = this.#open(message);
    this.#lent++;
    return new ReceivedMessage(value, (isGivenBack) => {
      this.#lent--;
      if (!isGivenBack) return;
      if (this.#isClosed()) {
        message.drop();
        return;
      }
      (this.#aside ??= new SetAside()).putBack(message);
      cameBack();
    });
  }

  /**
   * Takes up to `max` messages: those of exchanges for whom they are for, the others are set aside. False if there is no room aside
   * any more.
   * @throws EOFError
   */
  takeForOthers(max: number): boolean {
    const end = this.#end;
    for (let count = 0; count < max && !this.#isClosed(); count++) {
      if (this.#aside?.isFull === true) return false;
      if (end.tellsUnasked) return true;
      const bytes = end.tryReceiveCopy();
      if (bytes === EMPTY) return true;
      if (typeof bytes === 'number') throw this.#failure(bytes);
      this.#handOverOrSetAside(bytes);
    }
    return true;
  }

  /** Whether a take would not have to wait. Messages of exchanges that are in the way go to whom they are for. */
  isReadable(): boolean {
    if (this.#aside !== undefined) return true;
    const end = this.#end;
    while (end.isReadable()) {
      if ((end.marks & EXCHANGE) === 0) return true;
      const bytes = end.tryReceiveCopy();
      if (typeof bytes === 'number') return bytes !== EMPTY;
      // That one may have been given up half way, and this is another.
      this.#handOverOrSetAside(bytes);
      if (this.#aside !== undefined || this.#isClosed()) return true;
    }
    return false;
  }

  /** Whether a call that is going to wait need not look before. */
  get isToldNext(): boolean {
    return this.#aside === undefined && this.#end.tellsUnasked;
  }

  /** Whether something was received that nobody has got yet, or that may come back. */
  get keepsMessages(): boolean {
    return this.#aside !== undefined || this.#lent > 0;
  }

  /** Nobody receives any more. */
  close(): void {
    const aside = this.#aside;
    this.#aside = undefined;
    this.onRoom = undefined;
    aside?.drop();
  }

  /** The value in an array of its own, from `offset` on, that is part of an exchange. @throws ERR_DECODE */
  decodeFrom(bytes: Uint8Array, offset: number): T {
    return this.#decode(bytes, offset, bytes.length - offset);
  }

  #nextAside(aside: SetAside<T>): AsideMessage<T> {
    const message = aside.shift();
    if (aside.isEmpty) this.#aside = undefined;
    if (this.onRoom !== undefined && aside.isHalfEmpty) {
      // Later: whoever takes this message is not done with it.
      queueMicrotask(this.onRoom);
      this.onRoom = undefined;
    }
    return message;
  }

  #takeDecoded(): AsideMessage<T> | NotYet {
    if (this.#aside !== undefined) {
      const message = this.#nextAside(this.#aside);
      return message.outcome === undefined ? this.#decoded(message.bytes, 0) : message;
    }
    const end = this.#end;
    for (;;) {
      const bytes = end.tryReceiveCopy();
      if (bytes === EMPTY) return NOT_YET;
      if (typeof bytes === 'number') throw this.#failure(bytes);
      if ((end.marks & EXCHANGE) === 0) return this.#decoded(bytes, end.marks);
      this.#handOver(bytes);
    }
  }

  #takeAsideBytes(aside: SetAside<T>): Uint8Array {
    const message = this.#nextAside(aside);
    message.drop();
    return message.bytes;
  }

  /** What was received last, in an array of its own. */
  #handOverOrSetAside(bytes: Uint8Array): void {
    const { marks } = this.#end;
    if ((marks & EXCHANGE) !== 0) {
      this.#handOver(bytes);
      return;
    }
    const message =
      marks === 0 ? new AsideMessage<T>(bytes, undefined) : this.#decoded(bytes, marks);
    (this.#aside ??= new SetAside()).push(message);
  }

  #open({ bytes, outcome }: AsideMessage<T>): T {
    if (outcome === undefined) return this.#decodeOwn(bytes);
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  /** Of a message in an array of its own, which was received last or set aside. */
  #decoded(bytes: Uint8Array, marks: number): AsideMessage<T> {
    const handles: Handle[] = [];
    let outcome: Outcome<T>;
    try {
      const isCarrying = (marks & CARRYING) !== 0;
      const value = isCarrying
        ? this.#openCarrying(bytes, 0, bytes.length, true, handles)
        : this.#decodeOwn(bytes);
      outcome = { value };
    } catch (error) {
      outcome = { error };
    }
    return new AsideMessage(bytes, outcome, handles);
  }

  /** What the last look has received, in the inbox from `offset` on or LARGE. */
  #decodeNext(length: number, offset: number): T {
    return length === LARGE
      ? this.#decodeOwn(this.#end.takeLarge())
      : this.#decode(this.#end.inbox, offset, length);
  }

  #decode(bytes: Uint8Array, offset: number, length: number): T {
    let value: T;
    try {
      value = decodeWith(this.#arrive, this.#codec, bytes, offset, length);
    } catch (error) {
      turnBack();
      throw error;
    }
    // Of a message that was passed on as bytes: its tickets are for another carrier.
    takeArrivedTickets();
    return value;
  }

  #decodeOwn(bytes: Uint8Array): T {
    let value: T;
    try {
      value = decodeOwnWith(this.#arrive, this.#codec, bytes);
    } catch (error) {
      turnBack();
      throw error;
    }
    takeArrivedTickets();
    return value;
  }

  /** A message with handles in it, received last. */
  #decodeCarrying(length: number, offset: number): T {
    return length === LARGE
      ? this.#openLarge(this.#end.takeLarge())
      : this.#openCarrying(this.#end.inbox, offset, length, false);
  }

  #openLarge(bytes: Uint8Array): T {
    return this.#openCarrying(bytes, 0, bytes.length, true);
  }

  /**
   * The handles are opened before the message is consumed, and until then it may be received again. `isOwn`: the array is the
   * message's alone. They are added to `handles`.
   */
  #openCarrying(
    bytes: Uint8Array,
    offset: number,
    length: number,
    isOwn: boolean,
    handles?: Handle[],
  ): T {
    const end = this.#end;
    let value: T;
    try {
      value = isOwn
        ? decodeOwnWith(this.#arrive, this.#codec, bytes)
        : decodeWith(this.#arrive, this.#codec, bytes, offset, length);
    } catch (error) {
      // Found before any other call on this thread may overwrite them.
      const lost = end.ticketsIn(isOwn ? bytes : bytes.subarray(offset, offset + length));
      turnBack();
      end.finish();
      redeem(end, lost);
      throw error;
    }
    const arrived = takeArrivals();
    for (const { handle } of arrived ?? []) handles?.push(handle);
    end.finish();
    redeem(
      end,
      arrived?.map(({ ticket }) => ticket),
    );
    return value;
  }

  /** The same in an array of its own. */
  #ownNext(length: number, offset: number): Uint8Array {
    return length === LARGE
      ? this.#end.takeLarge()
      : this.#end.inbox.slice(offset, offset + length);
  }

  /** A message that is handed out as bytes: the handles in it, if there are any, are lost. */
  #consume(bytes: Uint8Array): void {
    const end = this.#end;
    if ((end.marks & CARRYING) === 0) return;
    const lost = end.ticketsIn(bytes);
    end.finish();
    redeem(end, lost);
  }

  #handOver(bytes: Uint8Array): void {
    const end = this.#end;
    const isCarrying = (end.marks & CARRYING) !== 0;
    const tickets = isCarrying ? end.ticketsIn(bytes) : undefined;
    try {
      this.#accept(bytes);
    } finally {
      // Those that it has opened are its own by now.
      takeArrivedTickets();
      // It may have closed the connection.
      if (isCarrying && !this.#isClosed()) {
        end.finish();
        redeem(end, tickets);
      }
    }
  }

  /** Adds one crossing's worth of messages; false if there was none. */
  #takeSome(batch: Batch<T>, max: number): boolean {
    const end = this.#end;
    const count = end.tryReceiveMany(max);
    if (count === EMPTY) return false;
    if (count < 0 && count !== LARGE) throw this.#failure(count);
    const { inbox, offsets, lengths } = end;
    if (count === LARGE || end.marks !== 0) {
      this.#takeAlone(
        batch,
        count === LARGE ? LARGE : (lengths[0] as number),
        offsets[0] as number,
      );
    } else if (this.#codec.decodesByCaller === true) {
      // All are copied before the first is decoded: the caller's code may use queues, and with them the inbox.
      const messages: Uint8Array[] = [];
      for (let i = 0; i < count; i++) {
        const offset = offsets[i] as number;
        messages.push(inbox.slice(offset, offset + (lengths[i] as number)));
      }
      for (const message of messages) this.#add(batch, () => this.#decodeOwn(message));
    } else if (this.#codec.bytesOf !== undefined) {
      // Bytes: there is nothing to decode, and no handle in them.
      const codec = this.#codec;
      const { values } = batch;
      for (let i = 0; i < count; i++) {
        values.push(codec.decode(inbox, offsets[i] as number, lengths[i] as number));
      }
    } else {
      for (let i = 0; i < count; i++) {
        try {
          batch.values.push(this.#decode(inbox, offsets[i] as number, lengths[i] as number));
        } catch (error) {
          batch.failure ??= { error };
        }
      }
    }
    return true;
  }

  /** One that came alone: large or marked. */
  #takeAlone(batch: Batch<T>, length: number, offset: number): void {
    const { marks } = this.#end;
    if ((marks & EXCHANGE) !== 0) this.#handOver(this.#ownNext(length, offset));
    else if (marks === 0) this.#add(batch, () => this.#decodeNext(length, offset));
    else this.#add(batch, () => this.#decodeCarrying(length, offset));
  }

  #add(batch: Batch<T>, decoded: () => T): void {
    try {
      batch.values.push(decoded());
    } catch (error) {
      batch.failure ??= { error };
    }
  }

  #failure(status: number): InterprocError {
    return status === ENDED
      ? new EOFError(
          'The other end of this connection is gone, and all that it had sent has been received',
        )
      : new InterprocError('ERR_CORRUPT', `A connection answered a look with ${status}`);
  }
}

/** @throws ERR_TOO_LARGE */
function assertLength(length: number, maxLength: number): void {
  if (length <= maxLength) return;
  throw new InterprocError(
    'ERR_TOO_LARGE',
    `The next message has ${length} bytes, maxLength is ${maxLength}; it stays there for a call that takes more`,
  );
}

/** The length of `bytes`, which are in `buffer` then. @throws BufferTooShort */
function fitInto(bytes: Uint8Array, buffer: Uint8Array, offset: number): number {
  if (bytes.length > buffer.length - offset) {
    throw new BufferTooShort(
      `A message of ${bytes.length} bytes does not fit into the ${buffer.length - offset} bytes of the buffer; it is in the error's bytes`,
      bytes,
    );
  }
  buffer.set(bytes, offset);
  return bytes.length;
}
