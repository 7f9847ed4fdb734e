import type { Writable } from 'node:stream';
import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';

import { abortReason, InterprocError, invalidArgument, TimeoutError } from '../errors.js';
import { RECEIVE, SEND } from '../contract/pipe.js';
import type { Movable, PipeEnd, PipeStats } from '../contract/pipe.js';
import type { Codec } from '../codec/codec.js';
import { isBuiltIn } from '../codec/resolve-codec.js';
import { batchSizeOf } from './batch-size.js';
import type { BatchSize } from './batch-size.js';
import { block } from './blocking.js';
import { CallReadiness } from './call-readiness.js';
import { HEADER_BYTES } from './exchange-frame.js';
import type { ExchangePort } from './exchange-port.js';
import { Exchange } from './exchange.js';
import type { RequestSubscription } from './exchange.js';
import { duplexOf } from './connection-duplex.js';
import type { ConnectionDuplex } from './connection-duplex.js';
import { lacking } from './lacking.js';
import { readableStreamOf } from './message-readable-stream.js';
import { readableOf } from './message-readable.js';
import type { MessageReadable } from './message-readable.js';
import type { MessageSink } from './message-sink.js';
import type { MessageSource } from './message-source.js';
import { writableStreamOf } from './message-writable-stream.js';
import type { Puts } from './message-writable-stream.js';
import { writableOf } from './message-writable.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { letTravel } from './passengers.js';
import type { Arrive } from './passengers.js';
import { failureOf, NOT_YET, PendingWaits } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';
import { PipeReader } from './pipe-reader.js';
import { PipeWriter } from './pipe-writer.js';
import { QueueIterator } from './queue-iterator.js';
import { concurrencyOf } from './request-handling.js';
import type { RequestHandler, RequestHandlingOptions } from './request-handling.js';
import type { Returnable } from './returnable.js';
import {
  connectionReadableOptionsOf,
  connectionWritableOptionsOf,
  readableOptionsOf,
  streamsOptionsOf,
  writableOptionsOf,
} from './stream-options.js';
import type {
  ConnectionDuplexOptions,
  ConnectionReadableOptions,
  ConnectionReadableStreamOptions,
  ConnectionStreamsOptions,
  ConnectionWritableOptions,
  ConnectionWritableStreamOptions,
} from './stream-options.js';
import { afterTurn, CALLS_PER_TURN, DONE } from './turns.js';
import { WAITABLE } from './waitable.js';
import type { Readiness, Waitable } from './waitable.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** An end of a pipe as a backend opened it, with the codec that both sides agreed on. */
export class OpenedEnd<T> {
  constructor(
    readonly end: PipeEnd,
    readonly codec: Codec<T>,
    /** Makes handles of the tickets in its messages. */
    readonly arrive: Arrive,
  ) {}
}

/** What stands in front of the tickets of connections. */
export const TRAVELS_AS = 'connection';

/**
 * Offered: in a message that waits to be put. Moved: that message was put, and whoever takes it has the connection.
 */
type Presence = 'open' | 'offered' | 'moved' | 'closed';

/**
 * The end of a connection's handle; undefined if `object` is none.
 * @throws ERR_CLOSED, ERR_MOVED; ERR_ENCODE if calls of it are pending, or the receiver could not use it
 */
let endOf: (object: object) => PipeEnd | undefined;

/** What makes the codec of a connection's handle where it arrives, if that is no built-in one. */
let schemaOf: (object: object) => string | undefined;

let movableOf: (object: object) => Movable;

/**
 * One end of a pipe: what it sends the other end receives, in order and whole, and the other way round. The two ends may be in
 * any processes of this user.
 *
 * *One owner.* A connection that is sent in a message, of a queue or another connection, moves: its receiver has it then, and
 * here every use throws ERR_MOVED. If that message is not put after all (a time-out, an abort, an error), it is as before. It
 * does not travel while calls of it are pending. If the message is lost, so is the end.
 *
 * *The end.* When the other end is closed, or its process dies, however, what it had sent can be received; after that, receiving
 * throws EOFError and iteration ends. Sending throws ERR_PEER_DEAD: at once if it was closed,
 * and within 50 ms of a death, or 1,024 messages where the event loop has no turn meanwhile.
 *
 * *Waiting.* Calls that wait are served in the order they were made, those that send and those that receive each among
 * themselves. A call that times out or is aborted takes and sends nothing. A pending one keeps the process alive (see `unref`),
 * an idle open connection does not.
 *
 * *Variants.* `send` is awaited, `sendSync` blocks the thread, `trySend` returns at once; the same for the others.
 *
 * *Values and bytes.* `send` and `recv` carry values as the codec of the pipe does; `sendBytes` and the `recvBytes…` calls carry
 * bytes, whatever the codec. What one side sends by the one, the other receives by the same.
 *
 * *Size.* A message may be larger than the connection holds at once: it goes in parts then, as the other side receives them, up to
 * `maxMessageBytes`, 1 GiB by default.
 *
 * *Cost.* A message is copied twice, into shared memory and out of it, after its codec has made it bytes. Calls are O(bytes of the
 * message).
 *
 * Every method throws ERR_CLOSED after `close()`, ERR_MOVED once the connection has moved, and ERR_DIRECTION on the end of a one-way
 * pipe that does not do it.
 */
export class Connection<T = unknown> implements AsyncIterable<T, undefined, void>, Waitable {
  readonly #end: PipeEnd;
  readonly #codec: Codec<T>;
  readonly #reader: PipeReader<T>;
  readonly #writer: PipeWriter<T>;
  readonly #receives: PendingWaits;
  readonly #sends: PendingWaits;
  readonly #receive: Operation<T>;
  readonly #look: Operation<true>;
  /** Made at the first request, of whichever side. */
  #exchange: Exchange<T> | undefined;
  #presence: Presence = 'open';
  /** Closed while it was offered. */
  #closesWhenBack = false;
  #calls = 0;

  static {
    endOf = (object) => (#end in object ? object.#travelling() : undefined);
    schemaOf = (object) => (#codec in object ? object.#codec.schema : undefined);
    movableOf = (object) => (object as Connection).#offered();
  }

  /** Connections are made by `Pipe()`, and come out of messages. */
  constructor({ end, codec, arrive }: OpenedEnd<T>) {
    const reader = new PipeReader(
      end,
      codec,
      arrive,
      (message) => this.#exchanging().accept(message),
      () => this.#presence !== 'open',
    );
    const receives = new PendingWaits(end, RECEIVE, 'No message came over the connection');
    const sends = new PendingWaits(end, SEND, 'No room came free in the connection');
    this.#end = end;
    this.#codec = codec;
    this.#reader = reader;
    this.#writer = new PipeWriter(end, codec);
    this.#receives = receives;
    this.#sends = sends;
    this.#receive = { attempt: () => reader.take() };
    this.#look = { attempt: () => (reader.isReadable() ? true : NOT_YET) };
    end.onReady = (side) => (side === RECEIVE ? receives : sends).rung();
  }

  // Sending values

  /**
   * Sends a value, waiting for room if need be. It is encoded before the call returns: later changes to it are not sent. With
   * no room it waits, and later sends of this connection wait behind it.
   *
   * @throws (rejects) ERR_PEER_DEAD if the other end is gone; ERR_ENCODE, ERR_INVALID_ARG and ERR_TOO_LARGE if the value cannot be
   * sent at all; ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the connection closes while it waits. In each case nothing
   * was sent.
   */
  send(value: T, options?: WaitOptions): Promise<void> {
    try {
      this.#assertSending();
      if (options !== undefined) return this.#sendWithin(() => this.#writer.encode(value), options);
      const encoded = this.#writer.encode(value);
      if (this.#offer(encoded)) return this.#done();
      return this.#sendLater(this.#writer.message(encoded));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a value, blocking this thread until there is room. Sends of this connection that are pending go first.
   *
   * @throws as `send`; ERR_DEADLOCK, without `timeoutMs`, if there is no room and the other end is in this very thread
   */
  sendSync(value: T, options?: SyncWaitOptions): void {
    this.#assertSending();
    this.#assertBlocking('sendSync');
    const timeoutMs = syncTimeoutOf(options);
    const encoded = this.#writer.encode(value);
    if (this.#offer(encoded)) return;
    this.#block(SEND, this.#writer.message(encoded), timeoutMs);
  }

  /**
   * Sends a value if there is room now. False if there is none, or if sends of this connection are waiting for some.
   *
   * @throws ERR_TOO_LARGE also for a value that is larger than the connection holds at once, which only goes in parts; else as
   * `send`
   */
  trySend(value: T): boolean {
    this.#assertSending();
    if (!this.#sends.isIdle) this.#sends.serve();
    return this.#tryOffer(this.#writer.encode(value));
  }

  /**
   * Sends several values in order, as many per crossing into native code as there is room for; resolves when all are sent. All
   * are encoded first: if one cannot be, none is sent.
   *
   * @throws as `send`; a TimeoutError, an AbortError and other errors of this package say in `accepted` how many values, from the
   * first, were sent
   */
  sendMany(values: Iterable<T>, options?: WaitOptions): Promise<void> {
    try {
      this.#assertSending();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      const batch = this.#writer.batch(values);
      this.#assertStillOpen(batch);
      return (
        this.#start(batch, timeoutMs, signal) ?? this.#sends.add(batch.detach(), timeoutMs, signal)
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends several values as `sendMany` does, blocking this thread until all are sent. */
  sendManySync(values: Iterable<T>, options?: SyncWaitOptions): void {
    this.#assertSending();
    this.#assertBlocking('sendManySync');
    const timeoutMs = syncTimeoutOf(options);
    const batch = this.#writer.batch(values);
    this.#assertStillOpen(batch);
    if (this.#sends.isIdle && batch.attempt() !== NOT_YET) return;
    this.#block(SEND, batch, timeoutMs);
  }

  // Receiving values

  /**
   * The next message, at most once: it is yours when the promise resolves.
   *
   * @throws (rejects) EOFError (ERR_EOF) when the other end is gone and all that it had sent was received; ERR_TIMEOUT; the signal's
   * reason; ERR_CLOSED, also when the connection closes while it waits; ERR_DECODE, and that message is gone; ERR_CORRUPT if
   * something else has written to the connection's memory
   */
  recv(options?: WaitOptions): Promise<T> {
    try {
      this.#assertReceiving();
      if (options !== undefined) return this.#within(this.#receive, options);
      const value = this.#isFree() ? this.#reader.take() : NOT_YET;
      if (value !== NOT_YET) return Promise.resolve(value);
      return this.#receives.add(this.#receive, Infinity, undefined, this.#isTurnDue());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The next message, blocking this thread until there is one. Calls of this connection that are pending are served first.
   *
   * @throws as `recv`; ERR_DEADLOCK, without `timeoutMs`, if there is none and the other end is in this very thread
   */
  recvSync(options?: SyncWaitOptions): T {
    this.#assertReceiving();
    this.#assertBlocking('recvSync');
    const timeoutMs = syncTimeoutOf(options);
    const isFree = this.#receives.isIdle && !this.#reader.isToldNext;
    const value = isFree ? this.#reader.take() : NOT_YET;
    return value === NOT_YET ? this.#block(RECEIVE, this.#receive, timeoutMs) : value;
  }

  /**
   * The next message if there is one, else `ifEmpty` (undefined): pass a value of your own where undefined may be a message.
   *
   * @throws as `recv`
   */
  tryRecv(): T | undefined;
  tryRecv<E>(ifEmpty: E): T | E;
  tryRecv(ifEmpty?: unknown): unknown {
    this.#assertReceiving();
    const value = this.#try(this.#receives, this.#receive);
    return value === NOT_YET ? ifEmpty : value;
  }

  /**
   * Waits for a message and takes what is there, up to `max`, in order: an array of 1 to `max` values.
   *
   * @throws as `recv`; of an ERR_DECODE or ERR_CORRUPT, `values` holds the other messages of the batch
   */
  recvMany(options?: WaitOptions & BatchSize): Promise<T[]> {
    try {
      this.#assertReceiving();
      return this.#within(this.#receiveMany(options), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes up to `max` messages as `recvMany` does, blocking this thread until there is one. */
  recvManySync(options?: SyncWaitOptions & BatchSize): T[] {
    this.#assertReceiving();
    return this.#receiveSync('recvManySync', this.#receiveMany(options), options);
  }

  /**
   * Takes what is there, up to `max`: an array of 0 to `max` values.
   *
   * @throws as `recvMany`
   */
  tryRecvMany(options?: BatchSize): T[] {
    this.#assertReceiving();
    const values = this.#try(this.#receives, this.#receiveMany(options));
    return values === NOT_YET ? [] : values;
  }

  /**
   * Every message until the other end is gone and all that it had sent was received. One is taken per step, when it is asked
   * for: `break` loses none.
   *
   * @throws (rejects) as `recv`, without EOFError
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined, void> {
    this.#assertReceiving();
    return new QueueIterator(this.#source(() => this.#reader.take()));
  }

  // Python's poll

  /** Whether `recv` would not have to wait: a whole message is there, or there will be none and it throws EOFError. */
  get readable(): boolean {
    this.#assertReceiving();
    return this.#reader.isReadable();
  }

  /**
   * Waits until `readable`, behind the calls of this connection that wait for messages already. False if `timeoutMs` has passed
   * before.
   *
   * @throws (rejects) the signal's reason; ERR_CLOSED, also when the connection closes while it waits
   */
  waitReadable(options?: WaitOptions): Promise<boolean> {
    try {
      this.#assertReceiving();
      return this.#within(this.#look, options).catch(falseInTime);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits as `waitReadable` does, blocking this thread.
   *
   * @throws ERR_DEADLOCK, without `timeoutMs`, if the other end is in this very thread
   */
  waitReadableSync(options?: SyncWaitOptions): boolean {
    this.#assertReceiving();
    try {
      return this.#receiveSync('waitReadableSync', this.#look, options);
    } catch (error) {
      return falseInTime(error);
    }
  }

  /** @internal */
  get [WAITABLE](): Readiness {
    return new CallReadiness(this.#receives, () => this.readable);
  }

  // Bytes

  /**
   * Sends `buffer[offset, offset + length)` as one message, whatever the codec: to be received by `recvBytes` or `recvBytesInto`. Waits
   * for room as `send` does. The bytes are copied, if need be, before the call returns.
   *
   * @throws (rejects) as `send`; ERR_INVALID_ARG for a range that is not inside
   */
  sendBytes(buffer: Uint8Array, offset = 0, length?: number, options?: WaitOptions): Promise<void> {
    try {
      this.#assertSending();
      const bytes = rangeOf('sendBytes', buffer, offset, length);
      if (options !== undefined) {
        return this.#sendWithin(() => this.#writer.encodeBytes(bytes), options, false);
      }
      const encoded = this.#writer.encodeBytes(bytes);
      if (this.#offer(encoded)) return this.#done();
      return this.#sendLater(this.#writer.message(encoded, 0, false));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends bytes as `sendBytes` does, blocking this thread until there is room. @throws as `sendSync` */
  sendBytesSync(buffer: Uint8Array, offset = 0, length?: number, options?: SyncWaitOptions): void {
    this.#assertSending();
    this.#assertBlocking('sendBytesSync');
    const timeoutMs = syncTimeoutOf(options);
    const encoded = this.#writer.encodeBytes(rangeOf('sendBytesSync', buffer, offset, length));
    if (this.#offer(encoded)) return;
    this.#block(SEND, this.#writer.message(encoded, 0, false), timeoutMs);
  }

  /** Sends bytes as `sendBytes` does if there is room now. @throws as `trySend` */
  trySendBytes(buffer: Uint8Array, offset = 0, length?: number): boolean {
    this.#assertSending();
    const bytes = rangeOf('trySendBytes', buffer, offset, length);
    if (!this.#sends.isIdle) this.#sends.serve();
    return this.#tryOffer(this.#writer.encodeBytes(bytes));
  }

  /**
   * The bytes of the next message, in an array of its own. Handles in the message of another codec are lost.
   *
   * @throws (rejects) ERR_TOO_LARGE if they are more than `maxLength`; the message stays, for a call that takes more. Else as
   * `recv`, without ERR_DECODE
   */
  recvBytes(maxLength?: number, options?: WaitOptions): Promise<Uint8Array> {
    try {
      this.#assertReceiving();
      const most = mostOf('recvBytes', maxLength);
      if (options !== undefined) return this.#within(this.#receiveBytes(most), options);
      const bytes = this.#isFree() ? this.#reader.takeBytes(most) : NOT_YET;
      if (bytes !== NOT_YET) return Promise.resolve(bytes);
      const operation = this.#receiveBytes(most);
      return this.#receives.add(operation, Infinity, undefined, this.#isTurnDue());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `recvBytes`, blocking this thread until there is a message. @throws as `recvBytes` and `recvSync` */
  recvBytesSync(maxLength?: number, options?: SyncWaitOptions): Uint8Array {
    this.#assertReceiving();
    const most = mostOf('recvBytesSync', maxLength);
    return this.#receiveSync('recvBytesSync', this.#receiveBytes(most), options);
  }

  /** As `recvBytes` if there is a message, else undefined. @throws as `recvBytes` */
  tryRecvBytes(maxLength?: number): Uint8Array | undefined {
    this.#assertReceiving();
    const bytes = this.#try(this.#receives, this.#receiveBytes(mostOf('tryRecvBytes', maxLength)));
    return bytes === NOT_YET ? undefined : bytes;
  }

  /**
   * Writes the bytes of the next message to `buffer`, from `offset` on, and resolves with their number. Leave the buffer alone
   * until then.
   *
   * @throws (rejects) BufferTooShort (ERR_TOO_LARGE) if they do not fit: its `bytes` are the whole message. Else as `recvBytes`
   */
  recvBytesInto(buffer: Uint8Array, offset = 0, options?: WaitOptions): Promise<number> {
    try {
      this.#assertReceiving();
      checkTarget('recvBytesInto', buffer, offset);
      if (options !== undefined) return this.#within(this.#receiveInto(buffer, offset), options);
      const length = this.#isFree() ? this.#reader.takeBytesInto(buffer, offset) : NOT_YET;
      if (length !== NOT_YET) return Promise.resolve(length);
      const operation = this.#receiveInto(buffer, offset);
      return this.#receives.add(operation, Infinity, undefined, this.#isTurnDue());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * As `recvBytesInto`, blocking this thread until there is a message. Nothing is allocated.
   *
   * @throws as `recvBytesInto` and `recvSync`
   */
  recvBytesIntoSync(buffer: Uint8Array, offset = 0, options?: SyncWaitOptions): number {
    this.#assertReceiving();
    this.#assertBlocking('recvBytesIntoSync');
    checkTarget('recvBytesIntoSync', buffer, offset);
    const timeoutMs = syncTimeoutOf(options);
    const length = this.#receives.isIdle ? this.#reader.takeBytesInto(buffer, offset) : NOT_YET;
    if (length !== NOT_YET) return length;
    return this.#block(RECEIVE, this.#receiveInto(buffer, offset), timeoutMs);
  }

  /** As `recvBytesInto` if there is a message, else undefined: 0 is a message of no bytes. @throws as `recvBytesInto` */
  tryRecvBytesInto(buffer: Uint8Array, offset = 0): number | undefined {
    this.#assertReceiving();
    checkTarget('tryRecvBytesInto', buffer, offset);
    if (!this.#receives.isIdle) this.#receives.serve();
    const length = this.#receives.isIdle ? this.#reader.takeBytesInto(buffer, offset) : NOT_YET;
    return length === NOT_YET ? undefined : length;
  }

  // Requests

  /**
   * Sends a value as a request, and resolves with the response of whoever handles requests at the other end (`onRequest`). Any
   * number may be under way, on both ends at once; responses come in any order. 1,024 of them, or 4 MiB, are sent before the
   * first is answered; more wait here.
   *
   * When it times out or is aborted, the other end is told, whose handler finds its signal aborted, and a response that comes
   * all the same is dropped.
   *
   * While requests are pending, this connection takes what comes, also what is not for them: that is kept for `recv`, up to 1,024
   * messages or 1 MiB. With more of it nothing is taken, responses included, until somebody receives. A pending request keeps the
   * process alive (see `unref`).
   *
   * @throws (rejects) RequestError (ERR_REQUEST) if the handler threw, which is its `cause`; ERR_UNHANDLED if there is none, as
   * soon as the other end receives anything; EOFError if the other end is gone without an answer, ERR_PEER_DEAD if it was
   * before; ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the connection closes meanwhile; ERR_DECODE of the response; ERR_CORRUPT
   * if the other end sends what is no response; ERR_ENCODE, ERR_INVALID_ARG and ERR_TOO_LARGE, and nothing was sent; ERR_DIRECTION on
   * an end of a one-way pipe
   *
   * @example
   * ```ts
   * import { Pipe, RequestError } from 'interproc';
   *
   * const [client, server] = Pipe<number>(); // in processes of their own, as a rule
   * const handling = server.onRequest(async (n) => {
   *   if (n < 0) throw new RangeError('not of negative numbers');
   *   return Math.sqrt(n);
   * });
   * await Promise.all([client.request(4), client.request(9)]); // => [ 2, 3 ]
   *
   * const error = await client.request(-1, { timeoutMs: 1000 }).catch((thrown) => thrown);
   * error instanceof RequestError; // => true
   * error.cause instanceof RangeError; // => true
   *
   * handling.stop();
   * client.close();
   * server.close();
   * ```
   */
  request<R extends T = T>(value: T, options?: WaitOptions): Promise<R> {
    try {
      this.#assertSending();
      this.#assertReceiving();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      if (signal?.aborted === true) throw abortReason(signal);
      const assertOpen = () => this.#assertOpen();
      const response = this.#exchanging().request(value, timeoutMs, signal, assertOpen);
      return response as Promise<R>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Has `handler` answer the requests of the other end, until `stop()` of what is returned: what it returns or resolves with is
   * the response; what it throws, the requester gets as the `cause` of a RequestError. It is called with the value and, in a
   * second argument, the `signal` that is aborted when nobody waits for the response any more. At most `maxConcurrent`
   * handlers are at work at once.
   *
   * It keeps the process alive, as a listening socket does: `unref()` of the connection lets go. Messages that are no requests
   * are kept for `recv`, as with `request`. A connection with a handler does not move.
   *
   * @throws ERR_INVALID_ARG, also if requests have a handler already; ERR_DIRECTION on an end of a one-way pipe
   */
  onRequest(handler: RequestHandler<T>, options?: RequestHandlingOptions): RequestSubscription {
    this.#assertSending();
    this.#assertReceiving();
    if (typeof handler !== 'function') {
      throw invalidArgument('onRequest', 'a function that answers a request', handler);
    }
    return this.#exchanging().handle(handler, concurrencyOf(options));
  }

  // Streams

  /**
   * The messages as a Node stream, which ends when the other end is gone and all that it had sent was received. A message is taken
   * when the stream is read, and not before: what nobody has asked for is there for `recv`. In object mode nothing is lost: a message
   * that was taken and not handed out when the stream is destroyed is what this connection receives next. A stream of bytes
   * (`objectMode: false`, for codec `'raw'`) holds one message at most, which is lost then.
   *
   * Destroying it leaves the connection open, as does its end.
   *
   * It is destroyed with ERR_CLOSED when the connection is closed; ERR_DECODE, and that message is gone; ERR_UNSUPPORTED at a null, which
   * no Node stream can carry: it is what `recv` gets next; and what else `recv` rejects with.
   *
   * @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for bytes of another codec; ERR_DIRECTION
   */
  toReadable(options?: ConnectionReadableOptions): MessageReadable<T> {
    const codec = this.#codec.name;
    const checked = connectionReadableOptionsOf('toReadable', options, codec);
    return readableOf(this.#returnables(), checked);
  }

  /**
   * A Node stream whose chunks are sent, each as a message, in the order they are written, waiting for room: it holds `highWaterMark`
   * chunks before `write()` returns false. Several that wait together go as by `sendMany`. As with any Node stream, leave a
   * chunk alone until its callback is called; that gets an error if, and only if, the chunk was not sent.
   *
   * Its end leaves the connection open, unless `end: true` is given. Destroying it withdraws the send that is pending, whole.
   *
   * It is destroyed with what `send` rejects with: ERR_PEER_DEAD when the other end is gone.
   *
   * @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for bytes of another codec; ERR_DIRECTION
   */
  toWritable(options?: ConnectionWritableOptions): Writable {
    this.#assertSending();
    const codec = this.#codec.name;
    return writableOf(this.#sink(), connectionWritableOptionsOf('toWritable', options, codec));
  }

  /**
   * The connection as a Node Duplex, reading as `toReadable` and writing as `toWritable` does; the connection is the stream's from now
   * on, and is closed when both of its halves are over, or it is destroyed.
   *
   * *The end.* A pipe has no half that could be closed alone. When the other end is gone, the readable half ends, and the
   * writable half with it; what is still to be written fails with ERR_PEER_DEAD. `end()` of the writable half is not
   * told to the other end, and reading goes on, for the answers to what was written; with `end: true` it closes the connection, so
   * that the other end gets what was written and then EOFError, and the readable half ends, too. `destroy()` closes at once.
   *
   * *In flight.* A chunk whose callback was called without an error is in the pipe, where it outlives this connection. Messages that
   * were not read when the connection closes are lost, as by `close()`.
   *
   * @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for bytes of another codec; ERR_DIRECTION
   *
   * @example
   * ```ts
   * import { Transform } from 'node:stream';
   * import { pipeline } from 'node:stream/promises';
   * import { Pipe } from 'interproc';
   *
   * const [a, b] = Pipe({ codec: 'string' });
   * const upperCase = new Transform({
   *   objectMode: true,
   *   transform: (text, _encoding, done) => done(null, text.toUpperCase()),
   * });
   * const service = b.toDuplex();
   * const serving = pipeline(service, upperCase, service);
   *
   * const client = a.toDuplex();
   * client.write('hello');
   * await client.iterator({ destroyOnReturn: false }).next(); // => { value: 'HELLO', done: false }
   * client.destroy();
   * await serving;
   * b.closed; // => true
   * ```
   */
  toDuplex(options?: ConnectionDuplexOptions): ConnectionDuplex<T> {
    this.#assertSending();
    const target = {
      source: this.#returnables(),
      sink: this.#sink(),
      close: () => this.close(),
    };
    const codec = this.#codec.name;
    return duplexOf(target, connectionWritableOptionsOf('toDuplex', options, codec));
  }

  /**
   * The messages as a web stream, taken as by `toReadable`, one for each `read()`, null and undefined included. Nothing is lost by
   * `cancel()` or the abort of `signal`, which leave the connection open; see `Queue.toReadableStream` for the one case that goes to
   * the safe side.
   *
   * @throws ERR_INVALID_ARG, ERR_DIRECTION
   */
  toReadableStream(options?: ConnectionReadableStreamOptions): ReadableStream<T> {
    return readableStreamOf(this.#returnables(), readableOptionsOf('toReadableStream', options));
  }

  /**
   * A web stream whose chunks are sent, waiting for room; it holds `highWaterMark` chunks, 1 by default, before its writer is no
   * longer `ready`. `close()` leaves the connection open unless `end: true` is given. `abort()` withdraws the send that is
   * pending, whole; the promise of a `write()` is rejected if, and only if, its chunk was not sent.
   *
   * @throws ERR_INVALID_ARG, ERR_DIRECTION
   */
  toWritableStream(options?: ConnectionWritableStreamOptions): WritableStream<T> {
    this.#assertSending();
    return writableStreamOf<T>(this.#puts(), writableOptionsOf('toWritableStream', options));
  }

  /**
   * Both as a pair, such as `pipeThrough` takes. The connection is closed when both are over: the writable one closed, aborted or
   * failed, and the readable one read to its end, cancelled or failed.
   *
   * @throws ERR_INVALID_ARG, ERR_DIRECTION
   *
   * @example
   * ```ts
   * import { Pipe } from 'interproc';
   *
   * const [a, b] = Pipe<number>();
   * const { readable, writable } = a.toWebStreams();
   * const reader = readable.getReader();
   * const writer = writable.getWriter();
   * await writer.write(42);
   * await b.recv(); // => 42
   * b.close();
   * await reader.read(); // => { value: undefined, done: true }
   * await writer.close();
   * a.closed; // => true
   * ```
   */
  toWebStreams(options?: ConnectionStreamsOptions): {
    readonly readable: ReadableStream<T>;
    readonly writable: WritableStream<T>;
  } {
    this.#assertSending();
    const source = this.#returnables();
    const checked = streamsOptionsOf('toWebStreams', options);
    const over = new Set<'reading' | 'writing'>();
    const onOver = (half: 'reading' | 'writing') => {
      if (over.add(half).size === 2) this.close();
    };
    return {
      readable: readableStreamOf(source, checked, () => onOver('reading')),
      writable: writableStreamOf<T>(this.#puts(), checked, () => onOver('writing')),
    };
  }

  // The connection itself

  /** Whether this end sends: false for the reader of a one-way pipe. */
  get canSend(): boolean {
    return this.#end.canSend;
  }

  /** Whether this end receives: false for the writer of a one-way pipe. */
  get canReceive(): boolean {
    return this.#end.canReceive;
  }

  /** What it holds in each direction, in bytes; at least what was asked for. */
  get capacityBytes(): number {
    return this.#end.geometry.capacityBytes;
  }

  /** Whether this handle can be used no more: it was closed, or has moved. */
  get closed(): boolean {
    return this.#presence === 'closed' || this.#presence === 'moved' || this.#closesWhenBack;
  }

  /** What this handle has sent and received; one that arrived in a message begins anew. */
  stats(): PipeStats {
    this.#assertOpen();
    return this.#end.stats();
  }

  /** Pending waits of this connection keep the process alive, as they do by default. */
  ref(): this {
    this.#assertOpen();
    this.#end.ref();
    return this;
  }

  /** Pending waits of this connection do not keep the process alive. */
  unref(): this {
    this.#assertOpen();
    this.#end.unref();
    return this;
  }

  /**
   * Closes this end: pending calls reject with ERR_CLOSED, and the other end gets what was sent, and then EOFError. Again, or
   * after it has moved, is no error. In a message that waits to be put it closes if that message is not put.
   */
  close(): void {
    if (this.#presence === 'offered') this.#closesWhenBack = true;
    if (this.#presence !== 'open') return;
    this.#presence = 'closed';
    const closed = () => this.#goneError();
    this.#exchange?.close(closed);
    this.#reader.close();
    this.#receives.rejectAll(closed);
    this.#sends.rejectAll(closed);
    this.#end.onReady = undefined;
    this.#end.close();
  }

  /** `using connection = …`: closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const { capacityBytes, duplex } = this.#end.geometry;
    const facts = {
      ...(this.#presence === 'open' ? {} : { [this.#presence]: true }),
      ...(duplex ? {} : { canSend: this.canSend, canReceive: this.canReceive }),
      capacityBytes,
      codec: this.#codec.name,
    };
    return `Connection ${inspect(facts, options)}`;
  }

  // Checks

  #assertOpen(): void {
    if (this.#presence !== 'open') throw this.#goneError();
  }

  #assertSending(): void {
    this.#assertOpen();
    if (!this.#end.canSend) throw directionError('receives', 'send with the other one');
  }

  #assertReceiving(): void {
    this.#assertOpen();
    if (!this.#end.canReceive) throw directionError('sends', 'receive from the other one');
  }

  #assertBlocking(call: string): void {
    if (this.#end.capabilities.blocking) return;
    throw lacking(call, 'blocking', 'the backend of this connection');
  }

  /** Encoding may have run code of the caller's that closed or moved this very connection. */
  #assertStillOpen(operation: Operation<unknown>): void {
    if (this.#presence !== 'open') throw failureOf(operation, this.#goneError());
  }

  #goneError(): InterprocError {
    switch (this.#presence) {
      case 'offered':
        return new InterprocError(
          'ERR_MOVED',
          'This end of a connection is in a message that waits to be put; it can be used again if that is given up',
        );
      case 'moved':
        return new InterprocError(
          'ERR_MOVED',
          'This end of a connection was sent to somebody else, who has it now; make another pipe, or send the other end',
        );
      default:
        return new InterprocError('ERR_CLOSED', 'This end of a connection was closed here');
    }
  }

  // Moving

  #travelling(): PipeEnd {
    this.#assertOpen();
    if (!this.#receives.isIdle || this.#receives.isWatched || !this.#sends.isIdle) {
      throw new InterprocError(
        'ERR_ENCODE',
        'Calls of this connection are pending here, so it cannot move; await or abort them first',
      );
    }
    if (this.#exchange?.isActive === true || this.#reader.keepsMessages) {
      throw new InterprocError(
        'ERR_ENCODE',
        'This connection has requests under way, a handler of requests, or messages that were taken in and not received, so it cannot move; end the former, and receive the latter, first',
      );
    }
    const { name, schema } = this.#codec;
    if (isBuiltIn(name) || schema !== undefined) return this.#end;
    throw new InterprocError(
      'ERR_ENCODE',
      `This connection has a codec of its own, '${name}', which no message can carry; make the pipe with a built-in codec or a Struct`,
    );
  }

  /** A ticket was issued for it. */
  #offered(): Movable {
    this.#presence = 'offered';
    return {
      depart: () => {
        this.#presence = 'moved';
        this.#end.onReady = undefined;
        this.#end.depart();
      },
      stay: () => {
        this.#presence = 'open';
        this.#end.stay();
        if (this.#closesWhenBack) this.close();
      },
    };
  }

  // Requests and responses

  #exchanging(): Exchange<T> {
    if (this.#exchange !== undefined) return this.#exchange;
    const reader = this.#reader;
    const writer = this.#writer;
    const port: ExchangePort<T> = {
      valueMessage: (header, value) => writer.exchangedValue(header, value),
      bytesMessage: (header, body) => writer.exchanged(header, body),
      valueIn: (message) => reader.decodeFrom(message, HEADER_BYTES),
      send: (message) => this.#sendExchanged(message),
      withdraw: (message) => {
        this.#sends.finish(message, undefined);
        message.failed(undefined);
      },
    };
    this.#exchange = new Exchange(port, reader, this.#receives);
    return this.#exchange;
  }

  /** @throws ERR_PEER_DEAD, ERR_CLOSED */
  #sendExchanged(message: OutgoingMessage): Promise<void> {
    try {
      this.#assertSending();
    } catch (error) {
      throw failureOf(message, error);
    }
    if (this.#sends.isIdle && message.attempt() !== NOT_YET) return DONE;
    return this.#sends.add(message, Infinity, undefined);
  }

  // Waiting

  /** What a send returns that did not have to wait. */
  #done(): Promise<void> {
    return ++this.#calls % CALLS_PER_TURN === 0 ? afterTurn() : DONE;
  }

  /**
   * Whether the next call that waits may look before: not if others wait already, or if the event loop is to have a turn first; and
   * it need not if it will be told.
   */
  #isFree(): boolean {
    const isTurnDue = ++this.#calls % CALLS_PER_TURN === 0;
    return !isTurnDue && this.#receives.isIdle && !this.#reader.isToldNext;
  }

  /** Whether the last `#isFree` was false to give the event loop a turn. */
  #isTurnDue(): boolean {
    return this.#calls % CALLS_PER_TURN === 0;
  }

  /** One look for room for what was encoded. */
  #offer(encoded: number | Uint8Array): boolean {
    if (this.#presence !== 'open') {
      this.#writer.discard();
      throw this.#goneError();
    }
    return this.#sends.isIdle && this.#writer.offer(encoded);
  }

  #tryOffer(encoded: number | Uint8Array): boolean {
    this.#writer.assertWhole(encoded);
    if (this.#offer(encoded)) return true;
    this.#writer.discard();
    return false;
  }

  /** What did not go at once. */
  #sendLater(message: OutgoingMessage): Promise<void> {
    // One that goes in parts has not been tried yet, and only what was tried can be waited for.
    return (
      this.#start(message, Infinity, undefined) ??
      this.#sends.add(message.detach(), Infinity, undefined)
    );
  }

  #sendWithin(
    encode: () => number | Uint8Array,
    options: WaitOptions,
    isMade?: boolean,
  ): Promise<void> {
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted === true) throw abortReason(signal);
    const message = this.#writer.message(encode(), 0, isMade);
    this.#assertStillOpen(message);
    return (
      this.#start(message, timeoutMs, signal) ??
      this.#sends.add(message.detach(), timeoutMs, signal)
    );
  }

  /** Undefined if it is to wait. */
  #start(
    operation: Operation<void>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> | undefined {
    if (signal?.aborted === true) throw failureOf(operation, abortReason(signal));
    if (timeoutMs === 0) this.#sends.serve();
    if (this.#sends.isIdle && operation.attempt() !== NOT_YET) return this.#done();
    if (timeoutMs === 0) throw failureOf(operation, this.#sends.timeoutError(0));
    return undefined;
  }

  /** The awaited calls that receive, but for the short ways of some. */
  #within<R>(operation: Operation<R>, options: WaitOptions | undefined): Promise<R> {
    try {
      const waits = this.#receives;
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      if (signal?.aborted === true) throw abortReason(signal);
      if (timeoutMs === 0) {
        const result = this.#try(waits, operation);
        if (result === NOT_YET) throw waits.timeoutError(0);
        return Promise.resolve(result);
      }
      if (this.#isFree()) {
        const result = operation.attempt();
        if (result !== NOT_YET) return Promise.resolve(result);
      }
      return waits.add(operation, timeoutMs, signal, this.#isTurnDue());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #try<R>(waits: PendingWaits, operation: Operation<R>): R | NotYet {
    if (!waits.isIdle) waits.serve();
    return waits.isIdle ? operation.attempt() : NOT_YET;
  }

  #receiveSync<R>(call: string, operation: Operation<R>, options: SyncWaitOptions | undefined): R {
    this.#assertBlocking(call);
    const timeoutMs = syncTimeoutOf(options);
    const isFree = this.#receives.isIdle && !this.#reader.isToldNext;
    const result = isFree ? operation.attempt() : NOT_YET;
    return result === NOT_YET ? this.#block(RECEIVE, operation, timeoutMs) : result;
  }

  #block<R>(side: typeof RECEIVE | typeof SEND, operation: Operation<R>, timeoutMs: number): R {
    const waits = side === RECEIVE ? this.#receives : this.#sends;
    if (timeoutMs !== Infinity || !this.#end.peerIsHere) {
      const isToldNext = side === RECEIVE ? () => this.#reader.isToldNext : undefined;
      return block(this.#end, side, waits, operation, timeoutMs, isToldNext);
    }
    const result = this.#try(waits, operation);
    if (result !== NOT_YET) return result;
    throw failureOf(operation, deadlockError());
  }

  #receiveMany(options: BatchSize | undefined): Operation<T[]> {
    const max = batchSizeOf(options);
    return { attempt: () => this.#reader.takeMany(max) };
  }

  #receiveBytes(most: number): Operation<Uint8Array> {
    return { attempt: () => this.#reader.takeBytes(most) };
  }

  #receiveInto(buffer: Uint8Array, offset: number): Operation<number> {
    return { attempt: () => this.#reader.takeBytesInto(buffer, offset) };
  }

  /** For those who read step by step, each step by `take`. */
  #source<R>(take: () => R | NotYet): MessageSource<R> {
    return {
      assertOpen: () => this.#assertOpen(),
      takeNow: () => {
        this.#assertOpen();
        return this.#isFree() ? take() : NOT_YET;
      },
      take,
      isTurnDue: () => this.#isTurnDue(),
      waits: this.#receives,
    };
  }

  /** @throws ERR_CLOSED, ERR_MOVED, ERR_DIRECTION */
  #returnables(): MessageSource<Returnable<T>> {
    this.#assertReceiving();
    const reader = this.#reader;
    const cameBack = () => this.#receives.came();
    return this.#source(() => reader.takeReturnable(cameBack));
  }

  #sink(): MessageSink<T> {
    return {
      put: (value) => {
        this.#assertSending();
        const encoded = this.#writer.encode(value);
        if (this.#offer(encoded)) return undefined;
        const message = this.#writer.message(encoded);
        // One that goes in parts has not been tried yet.
        return this.#sends.isIdle && message.attempt() !== NOT_YET ? undefined : message;
      },
      batch: (values) => {
        this.#assertSending();
        return this.#writer.batch(values, true);
      },
      isTurnDue: () => ++this.#calls % CALLS_PER_TURN === 0,
      waits: this.#sends,
      end: () => this.close(),
    };
  }

  #puts(): Puts<T> {
    return {
      put: (value, options) => this.send(value, options),
      end: () => this.close(),
    };
  }
}

function directionError(does: string, wayOut: string): InterprocError {
  return new InterprocError(
    'ERR_DIRECTION',
    `This end of a one-way pipe only ${does}; ${wayOut}, or make a pipe with { duplex: true }`,
  );
}

function deadlockError(): InterprocError {
  return new InterprocError(
    'ERR_DEADLOCK',
    'The other end of this connection is in this very thread, which could do nothing with it while it is blocked; use a call that is awaited, or give it { timeoutMs }',
  );
}

/** Of a look that ended without a message. @throws all other errors */
function falseInTime(error: unknown): false {
  if (error instanceof TimeoutError) return false;
  throw error;
}

function isOffset(value: unknown, length: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= length;
}

/** @throws ERR_INVALID_ARG */
function rangeOf(
  call: string,
  buffer: Uint8Array,
  offset: number,
  length: number | undefined,
): Uint8Array {
  if (!isUint8Array(buffer)) {
    throw invalidArgument(call, 'a Uint8Array (Buffers are) to send', buffer);
  }
  if (offset === 0 && (length === undefined || length === buffer.length)) return buffer;
  if (!isOffset(offset, buffer.length)) {
    throw invalidArgument('offset', `a whole number from 0 to ${buffer.length}`, offset);
  }
  const rest = buffer.length - offset;
  if (length !== undefined && !isOffset(length, rest)) {
    throw invalidArgument('length', `a whole number from 0 to ${rest}`, length);
  }
  return buffer.subarray(offset, offset + (length ?? rest));
}

/** @throws ERR_INVALID_ARG */
function checkTarget(call: string, buffer: Uint8Array, offset: number): void {
  if (!isUint8Array(buffer)) throw invalidArgument(call, 'a Uint8Array to write to', buffer);
  if (isOffset(offset, buffer.length)) return;
  throw invalidArgument('offset', `a whole number from 0 to ${buffer.length}`, offset);
}

/** @throws ERR_INVALID_ARG */
function mostOf(call: string, maxLength: number | undefined): number {
  if (maxLength === undefined) return Infinity;
  if (Number.isSafeInteger(maxLength) && maxLength >= 0) return maxLength;
  throw invalidArgument(`maxLength of ${call}`, 'a whole number of bytes, 0 or more', maxLength);
}

letTravel(TRAVELS_AS, endOf, schemaOf, movableOf);
