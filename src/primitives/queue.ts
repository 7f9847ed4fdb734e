import type { Writable } from 'node:stream';
import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';

import { abortReason, InterprocError, invalidArgument, QueueEmpty, QueueFull } from '../errors.js';
import type { CapabilityName } from '../contract/capabilities.js';
import { JOIN, PUT, TAKE } from '../contract/channel.js';
import type { Backend, Channel, ChannelStats, Side } from '../contract/channel.js';
import type { LeaseInfo } from '../contract/leasing.js';
import type { Codec } from '../codec/codec.js';
import { isBuiltIn } from '../codec/resolve-codec.js';
import { batchSizeOf } from './batch-size.js';
import type { BatchSize } from './batch-size.js';
import { block } from './blocking.js';
import { CallReadiness } from './call-readiness.js';
import { DeadLetters } from './dead-letters.js';
import type { Delivery } from './delivery.js';
import { Joining } from './joining.js';
import { lacking } from './lacking.js';
import type { PeekedMessage, ReservedSlot } from './lease.js';
import { Lessor } from './lessor.js';
import type { MessageSink } from './message-sink.js';
import type { MessageSource } from './message-source.js';
import { MessageReader } from './message-reader.js';
import { MessageWriter } from './message-writer.js';
import { letTravel } from './passengers.js';
import type { Arrive } from './passengers.js';
import { failureOf, NOT_YET, PendingWaits } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';
import { QueueIterator } from './queue-iterator.js';
import { readableOf } from './message-readable.js';
import type { MessageReadable } from './message-readable.js';
import { readableStreamOf } from './message-readable-stream.js';
import { writableOf } from './message-writable.js';
import { writableStreamOf } from './message-writable-stream.js';
import { readableOptionsOf, writableOptionsOf } from './stream-options.js';
import type { QueueReadableOptions, QueueWritableOptions } from './stream-options.js';
import { afterTurn, CALLS_PER_TURN, DONE } from './turns.js';
import { WAITABLE } from './waitable.js';
import type { Readiness, Waitable } from './waitable.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** A queue as a backend opened it, with the codec that both sides agreed on. */
export class OpenedQueue<T> {
  constructor(
    readonly backend: Backend,
    readonly channel: Channel,
    readonly codec: Codec<T>,
    /** Makes handles of the tickets in its messages. */
    readonly arrive: Arrive,
  ) {}
}

/** What stands in front of the tickets of queues. */
export const TRAVELS_AS = 'queue';

/**
 * The channel of a queue's handle; undefined if `object` is none.
 * @throws ERR_CLOSED; ERR_ENCODE if the receiver could not use it
 */
let channelOf: (object: object) => Channel | undefined;

/** What makes the codec of a queue's handle where it arrives, if that is no built-in one. */
let schemaOf: (object: object) => string | undefined;

/**
 * Messages between processes, first in, first out: any number of producers and consumers, in any processes of
 * this user.
 *
 * *Delivery.* `get` hands a message over at most once; `receive` hands it over until somebody acknowledges
 * it. Puts of one handle keep call order. A call that times out or is aborted takes and puts nothing.
 *
 * *Waiting.* Calls that wait are served in the order they were made. A pending one keeps the process alive
 * (see `unref`), an idle open handle does not.
 *
 * *Variants.* `get` is awaited, `getSync` blocks the thread, `tryGet` and `getNowait` return at once; the
 * same for the others.
 *
 * *Cost.* A message is copied twice, into shared memory and out of it, after its codec has made it bytes.
 * Calls are O(bytes of the message). `reserve` and `peek` do without the copies, for large messages of bytes.
 *
 * *Size.* A message may be larger than the queue: up to `maxMessageBytes`, 1 GiB by default. It then stands beside
 * it and costs up to twice as much a byte as one that fits.
 *
 * Every method throws ERR_CLOSED after `close()`.
 *
 * @example
 * ```ts
 * import { Queue } from 'interproc';
 *
 * // One program ...
 * const q = Queue.create<{ id: number }>('jobs');
 * await q.put({ id: 1 });
 * await q.putMany([{ id: 2 }, { id: 3 }]);
 *
 * // ... and another.
 * const same = Queue.open<{ id: number }>('jobs');
 * await same.get({ timeoutMs: 1000 }); // => { id: 1 }
 * await same.getMany({ max: 10 }); // => [ { id: 2 }, { id: 3 } ]
 * same.tryGet('nothing there'); // => 'nothing there'
 *
 * q.end();
 * for await (const job of same) console.log(job); // until the queue was ended and drained
 * q.close();
 * same.close();
 * ```
 */
export class Queue<T = unknown> implements AsyncIterable<T, undefined, void>, Waitable {
  readonly #channel: Channel;
  readonly #codec: Codec<T>;
  readonly #reader: MessageReader<T>;
  readonly #writer: MessageWriter<T>;
  readonly #takes: PendingWaits;
  readonly #puts: PendingWaits;
  readonly #joining: Joining;
  readonly #get: Operation<T>;
  readonly #receive: Operation<Delivery<T>>;
  readonly #lessor: Lessor | undefined;
  #isClosed = false;
  #isEnding = false;
  #calls = 0;

  static {
    channelOf = (object) => (#channel in object ? object.#travelling() : undefined);
    schemaOf = (object) => (#codec in object ? object.#codec.schema : undefined);
  }

  /**
   * Queues are made by `Queue.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new Queue()` for an
   * anonymous one.
   */
  protected constructor({ backend, channel, codec, arrive }: OpenedQueue<T>) {
    const { deadLetter } = channel.geometry;
    const deadLetters =
      deadLetter === undefined ? undefined : new DeadLetters(backend, channel, deadLetter);
    const reader = new MessageReader(channel, codec, arrive, deadLetters, () => this.#isClosed);
    const writer = new MessageWriter(channel, codec);
    const { leasing } = channel;
    this.#channel = channel;
    this.#codec = codec;
    this.#reader = reader;
    this.#writer = writer;
    this.#lessor =
      leasing &&
      new Lessor(
        channel,
        leasing,
        deadLetters,
        () => writer.endedError(),
        () => this.#isClosed,
      );
    this.#takes = new PendingWaits(channel, TAKE);
    this.#puts = new PendingWaits(channel, PUT);
    this.#get = { attempt: () => reader.take() };
    this.#receive = { attempt: () => reader.takeDelivery() };
    this.#joining = new Joining(channel);
    const waits: Record<Side, Pick<PendingWaits, 'rung'>> = {
      [TAKE]: this.#takes,
      [PUT]: this.#puts,
      [JOIN]: this.#joining,
    };
    channel.onReady = (side) => waits[side].rung();
  }

  /** What it is opened by; of an anonymous queue, what its file is called. */
  get name(): string {
    return this.#channel.name;
  }

  // Putting

  /**
   * Puts a value, waiting for room if need be. It is encoded before the call returns: later changes to it are
   * not sent. With no room it waits, and later puts of this handle wait behind it.
   *
   * @throws (rejects) ERR_ENCODE, ERR_INVALID_ARG and ERR_TOO_LARGE if the value cannot be queued at all;
   * ERR_NO_SPACE if it is larger than the capacity and the file system has no room for it; ERR_TIMEOUT; the signal's reason; ERR_ENDED; ERR_CLOSED, also when the handle closes while it waits. In
   * each case nothing was put.
   */
  put(value: T, options?: WaitOptions): Promise<void> {
    try {
      this.#assertPutting();
      if (options !== undefined) return this.#putWithin(value, options);
      const encoded = this.#writer.encode(value);
      if (this.#puts.isIdle && this.#writer.offer(encoded)) return this.#done();
      return this.#puts.add(this.#writer.pending(encoded), Infinity, undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Puts a value, blocking this thread until there is room. Puts of this handle that are pending go in first.
   *
   * @throws as `put`
   */
  putSync(value: T, options?: SyncWaitOptions): void {
    this.#assertPutting();
    this.#assertBlocking('putSync');
    const timeoutMs = syncTimeoutOf(options);
    const encoded = this.#writer.encode(value);
    if (this.#puts.isIdle && this.#writer.offer(encoded)) return;
    block(this.#channel, PUT, this.#puts, this.#writer.pending(encoded), timeoutMs);
  }

  /**
   * Puts a value if there is room now. False if there is none, or if puts of this handle are waiting for some.
   *
   * @throws ERR_ENCODE, ERR_INVALID_ARG, ERR_TOO_LARGE, ERR_NO_SPACE, ERR_ENDED
   */
  tryPut(value: T): boolean {
    this.#assertPutting();
    const encoded = this.#writer.encode(value);
    if (!this.#puts.isIdle) {
      const operation = this.#writer.pending(encoded);
      this.#puts.serve();
      if (this.#puts.isIdle && operation.attempt() !== NOT_YET) return true;
      operation.failed?.(undefined);
      return false;
    }
    if (this.#writer.offer(encoded)) return true;
    this.#writer.discard();
    return false;
  }

  /**
   * Puts a value if there is room now.
   *
   * @throws QueueFull (ERR_FULL) if there is none; else as `tryPut`
   */
  putNowait(value: T): void {
    if (this.tryPut(value)) return;
    throw new QueueFull(
      `Queue '${this.name}' is full: ${this.#channel.size()} messages in ${this.capacityBytes} bytes; await put(), or create it with more room`,
    );
  }

  /**
   * Puts several values in order, as many per crossing into native code as there is room for; resolves when
   * all are in. Others' messages may come between them. All are encoded first: if one cannot be, none is put.
   *
   * @throws as `put`; a TimeoutError, an AbortError and other errors of this package say in `accepted` how
   * many values, from the first, went in
   */
  putMany(values: Iterable<T>, options?: WaitOptions): Promise<void> {
    try {
      this.#assertPutting();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      const batch = this.#writer.batch(values);
      if (signal?.aborted === true) throw batch.failed(abortReason(signal));
      if (timeoutMs === 0) this.#puts.serve();
      if (this.#puts.isIdle && batch.attempt() !== NOT_YET) return this.#done();
      if (timeoutMs === 0) throw batch.failed(this.#puts.timeoutError(0));
      batch.detach();
      return this.#puts.add(batch, timeoutMs, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Puts several values as `putMany` does, blocking this thread until all are in. */
  putManySync(values: Iterable<T>, options?: SyncWaitOptions): void {
    this.#assertPutting();
    this.#assertBlocking('putManySync');
    const timeoutMs = syncTimeoutOf(options);
    const batch = this.#writer.batch(values);
    if (this.#puts.isIdle && batch.attempt() !== NOT_YET) return;
    block(this.#channel, PUT, this.#puts, batch, timeoutMs);
  }

  // Getting

  /**
   * The next message, at most once: it is yours when the promise resolves. One with handles in it goes to another
   * consumer, marked as redelivered, if this process dies before they are open; on its way it is unacknowledged for a moment.
   *
   * @throws (rejects) EOFError (ERR_EOF) when the queue was ended and nothing is left; ERR_TIMEOUT; the
   * signal's reason; ERR_CLOSED, also when the handle closes while it waits; ERR_DECODE, and that message is
   * gone; ERR_CORRUPT if something else has written to the queue's file or cut it; ERR_FULL if a message that was delivered too often found no room in the dead-letter queue;
   * of a message with handles in it ERR_UNACKED, as `receive`, or ERR_NO_SPACE, and it stays
   */
  get(options?: WaitOptions): Promise<T> {
    if (options !== undefined) return this.#within(this.#takes, () => this.#get, options);
    try {
      this.#assertOpen();
      const value = this.#isFree() ? this.#reader.take() : NOT_YET;
      if (value !== NOT_YET) return Promise.resolve(value);
      return this.#takes.add(this.#get, Infinity, undefined, this.#isTurnDue());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The next message, blocking this thread until there is one. Gets of this handle that are pending are served first.
   *
   * @throws as `get`
   */
  getSync(options?: SyncWaitOptions): T {
    this.#assertOpen();
    return this.#blocked('getSync', TAKE, this.#get, options);
  }

  /**
   * The next message if there is one, else `ifEmpty` (undefined): pass a value of your own where undefined
   * may be a message.
   *
   * @throws EOFError when the queue was ended and nothing is left; ERR_DECODE; ERR_FULL as `get`
   */
  tryGet(): T | undefined;
  tryGet<E>(ifEmpty: E): T | E;
  tryGet(ifEmpty?: unknown): unknown {
    this.#assertOpen();
    const value = this.#try(this.#takes, this.#get);
    return value === NOT_YET ? ifEmpty : value;
  }

  /**
   * The next message if there is one.
   *
   * @throws QueueEmpty (ERR_EMPTY) if there is none; else as `tryGet`
   */
  getNowait(): T {
    this.#assertOpen();
    const value = this.#try(this.#takes, this.#get);
    if (value === NOT_YET) {
      throw new QueueEmpty(`Queue '${this.name}' is empty; await get(), or use tryGet()`);
    }
    return value;
  }

  /**
   * Waits for a message and takes what is there, up to `max`, in order: an array of 1 to `max` values.
   *
   * @throws as `get`; of an ERR_DECODE or ERR_CORRUPT, `values` holds the other messages of the batch
   */
  getMany(options?: WaitOptions & BatchSize): Promise<T[]> {
    return this.#within(this.#takes, () => this.#getMany(options), options);
  }

  /** Takes up to `max` messages as `getMany` does, blocking this thread until there is one. */
  getManySync(options?: SyncWaitOptions & BatchSize): T[] {
    this.#assertOpen();
    return this.#blocked('getManySync', TAKE, this.#getMany(options), options);
  }

  /**
   * Takes what is there, up to `max`: an array of 0 to `max` values.
   *
   * @throws as `tryGet`
   */
  tryGetMany(options?: BatchSize): T[] {
    this.#assertOpen();
    const values = this.#try(this.#takes, this.#getMany(options));
    return values === NOT_YET ? [] : values;
  }

  /**
   * Writes the bytes of the next message to the start of `buffer` and returns their number, blocking this
   * thread until there is one. Nothing is allocated. For queues with codec `'raw'` or one of your own: the
   * bytes of the others are a matter of this package.
   *
   * @throws ERR_TOO_LARGE if the message is larger than the buffer; it stays in the queue. ERR_UNSUPPORTED
   * with another codec. Else as `get`
   */
  getInto(buffer: Uint8Array, options?: SyncWaitOptions): number {
    this.#assertOpen();
    this.#assertBlocking('getInto');
    this.#assertTarget('getInto', buffer);
    const timeoutMs = syncTimeoutOf(options);
    if (this.#takes.isIdle && !this.#channel.isQuiet) {
      const length = this.#reader.takeInto(buffer);
      if (length !== NOT_YET) return length;
    }
    return this.#block(TAKE, { attempt: () => this.#reader.takeInto(buffer) }, timeoutMs);
  }

  /** As `getInto`, but awaited: `buffer` is written when the promise resolves. */
  getIntoAsync(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    return this.#within(
      this.#takes,
      () => {
        this.#assertTarget('getIntoAsync', buffer);
        return { attempt: () => this.#reader.takeInto(buffer) };
      },
      options,
    );
  }

  /**
   * The next message, at least once: it stays the queue's until `ack()`. If this process dies, closes the
   * handle or calls `nack()`, it goes to another consumer, marked, and ahead of newer messages.
   *
   * @throws ERR_UNACKED if this handle holds too many already; ERR_DECODE, and the message was given back;
   * ERR_UNSUPPORTED where the backend cannot; else as `get`
   */
  receive(options?: WaitOptions): Promise<Delivery<T>> {
    return this.#within(
      this.#takes,
      () => {
        this.#assertRedelivery('receive');
        return this.#receive;
      },
      options,
    );
  }

  /** As `receive`, blocking this thread until there is a message. */
  receiveSync(options?: SyncWaitOptions): Delivery<T> {
    this.#assertOpen();
    this.#assertRedelivery('receiveSync');
    return this.#blocked('receiveSync', TAKE, this.#receive, options);
  }

  /** As `receive` if there is a message, else undefined. */
  tryReceive(): Delivery<T> | undefined {
    this.#assertOpen();
    this.#assertRedelivery('tryReceive');
    const delivery = this.#try(this.#takes, this.#receive);
    return delivery === NOT_YET ? undefined : delivery;
  }

  /**
   * Every message until the queue was ended and drained. One is taken per step, when it is asked for: `break`
   * loses none.
   *
   * @throws (rejects) as `get`, without EOFError
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined, void> {
    this.#assertOpen();
    return new QueueIterator(this.#source(() => this.#reader.take()));
  }

  // Streams

  /**
   * The messages as a Node stream in object mode, which ends when the queue was ended and drained.
   *
   * A message is taken when the stream is read, and not before: the queue is the buffer, `highWaterMark` is
   * 0, and what nobody has asked for is there for other consumers. Nothing is lost: a message that was taken
   * and not handed out when the stream is destroyed, its handle closed or its process killed goes back, as
   * by `nack()`, to be delivered again, marked, and ahead of newer ones. What was handed out (returned by
   * `read()`, emitted by 'data', yielded by `for await`) is the reader's: at most once, as with `get`.
   *
   * Destroying it, also by the end of a `pipeline` or a `break`, takes nothing more and leaves the queue
   * open, as does its end: others may use the handle, and `close()` is for the one who opened it.
   *
   * It is destroyed with ERR_CLOSED when the handle is closed; ERR_DECODE, and that message was given back;
   * ERR_UNSUPPORTED at a null, which no Node stream can carry: it is given back too, for `get()` or
   * `toReadableStream()`; and what else `receive` rejects with. An undefined goes through, but Transforms of
   * Node drop it.
   *
   * Each message costs what `receive` and `ack` cost, and Node's work for a chunk.
   *
   * @throws ERR_INVALID_ARG; ERR_UNSUPPORTED where the backend cannot redeliver
   *
   * @example
   * ```ts
   * import { pipeline } from 'node:stream/promises';
   * import { Queue } from 'interproc';
   *
   * const q = Queue.create<string>('lines');
   * await pipeline(['to be', 'or not to be'], q.toWritable({ end: true }));
   * const lines = await q.toReadable().toArray();
   * lines; // => [ 'to be', 'or not to be' ]
   * q.close();
   * ```
   */
  toReadable(options?: QueueReadableOptions): MessageReadable<T> {
    return readableOf(this.#deliveries('toReadable'), readableOptionsOf('toReadable', options));
  }

  /**
   * A Node stream in object mode whose chunks, messages of this queue, are put, in the order they are written, waiting for room: it
   * holds `highWaterMark` chunks before `write()` returns false. Several that wait together go in as by
   * `putMany`, as many per crossing as there is room for.
   *
   * A chunk is encoded when its turn comes; as with any Node stream, leave it alone until its callback is
   * called. A callback gets an error if, and only if, its chunk is not in the queue; errors of this package
   * say in `accepted` how many chunks, from the first, are.
   *
   * Its end leaves the queue as it is unless `end: true` is given: a queue has any number of producers, and
   * the first one to finish must not end it for the others. Destroying it withdraws the put that is pending,
   * whole, and never ends the queue: what is not complete must not look so.
   *
   * It is destroyed with what `put` rejects with. `write(null)` throws Node's ERR_STREAM_NULL_VALUES: `put(null)`.
   *
   * @throws ERR_INVALID_ARG
   */
  toWritable(options?: QueueWritableOptions): Writable {
    this.#assertOpen();
    return writableOf(this.#sink(), writableOptionsOf('toWritable', options));
  }

  /**
   * The messages as a web stream, which closes when the queue was ended and drained; taken as by
   * `toReadable`, one for each `read()`, null and undefined included.
   *
   * Nothing is lost by `cancel()` or the abort of `signal`. One case goes to the safe side: if a reader
   * releases its lock with a read pending, the message may be kept for the next reader; if that one reads it
   * and then cancels without another read, it is delivered again, marked.
   *
   * It is errored with ERR_CLOSED when the handle is closed; ERR_DECODE, and that message was given back; the
   * signal's reason; and what else `receive` rejects with.
   *
   * @throws ERR_INVALID_ARG; ERR_UNSUPPORTED where the backend cannot redeliver
   */
  toReadableStream(options?: QueueReadableOptions): ReadableStream<T> {
    return readableStreamOf(
      this.#deliveries('toReadableStream'),
      readableOptionsOf('toReadableStream', options),
    );
  }

  /**
   * A web stream whose chunks are put, waiting for room; it holds `highWaterMark` chunks, 1 by default,
   * before its writer is no longer `ready`. `close()` leaves the queue as it is unless `end: true` is given,
   * as with `toWritable`. `abort()` withdraws the put that is pending, whole; the promise of a `write()` is
   * rejected if, and only if, its chunk is not in the queue.
   *
   * It is errored with what `put` rejects with.
   *
   * @throws ERR_INVALID_ARG
   */
  toWritableStream(options?: QueueWritableOptions): WritableStream<T> {
    this.#assertOpen();
    return writableStreamOf<T>(this, writableOptionsOf('toWritableStream', options));
  }

  // Finishing

  /**
   * One message that a get handed over on this handle is finished: what `join` waits for. To be called once
   * for each message got, also by `getMany` and `for await`. Not for received ones, which `ack()` finishes,
   * nor for those that threw ERR_DECODE, which nobody got. Only queues that somebody joins need it. O(1).
   *
   * @throws ERR_NOT_OWNER if nothing that this handle got is unfinished: it was called more often than messages were got
   */
  taskDone(): void {
    this.#assertOpen();
    this.#joining.taskDone();
  }

  /**
   * Waits until every message put, by whomever, is finished: at once if that is so already. Unfinished are
   * messages
   *
   * - that nobody has taken, those that were given back included;
   * - that were received and not acknowledged; nacked, or with their holder dead, they go to another and stay unfinished;
   * - that were got and for which their taker has not called `taskDone`.
   *
   * A taker that closes its handle or dies leaves nothing unfinished of what it *got*, for nobody else could
   * finish it: use `receive` where such work must be done by another before the join ends. A death is noticed
   * within a second. Consumers that never call `taskDone` keep joiners waiting as long as their handles are
   * open. A message moved to the dead-letter queue is finished here.
   *
   * Puts made meanwhile are waited for too: it resolves when nothing is unfinished at a moment at which it
   * looks, and it looks whenever somebody finishes the last one. What a consumer puts before its `taskDone`
   * or `ack()` is never overlooked. Many may join. Each look is O(participants + unacknowledged messages).
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the handle closes while it waits
   *
   * @example
   * ```ts
   * import { Queue } from 'interproc';
   *
   * const q = Queue.create<number>('sums');
   * const worker = Queue.open<number>('sums'); // in a process of its own, as a rule
   * await q.putMany([1, 2, 3]);
   * let sum = 0;
   * for (let i = 0; i < 3; i++) {
   *   sum += await worker.get();
   *   worker.taskDone();
   * }
   * await q.join();
   * sum; // => 6
   * worker.close();
   * q.close();
   * ```
   */
  join(options?: WaitOptions): Promise<void> {
    try {
      this.#assertOpen();
      return this.#joining.join(options) ?? this.#done();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits as `join` does, blocking this thread.
   *
   * @throws as `join`; ERR_DEADLOCK, without `timeoutMs`, if this handle itself has something unfinished: blocked, it could never
   */
  joinSync(options?: SyncWaitOptions): void {
    this.#assertOpen();
    this.#assertBlocking('joinSync');
    this.#joining.joinSync(options);
  }

  // Messages in place

  /**
   * Room for a message of `bytes` bytes, to be filled where it lies and then committed: nothing is copied, which pays from some
   * ten thousand bytes on. Messages put after it stay hidden behind it until then; it counts in `size`. For queues with codec
   * `'raw'`, and at most 8 slots and messages in place per handle.
   *
   * Does not wait, and so that the slot can be used as it is, throws if there is no room, as `putNowait` does.
   *
   * O(1), some microseconds. Where the runtime allows no ArrayBuffer over the queue's memory (Electron), with
   * `INTERPROC_COPY_LEASES=1` in the environment, and in a thread that has made 16,384 slots and messages without a turn of its
   * event loop, `bytes` is private memory that the commit copies.
   *
   * @throws QueueFull (ERR_FULL) if there is no room, or puts of this handle are waiting for some; ERR_NO_LEASE if this handle
   * has too many already; ERR_TOO_LARGE, also if the slot would not fit into the queue's own memory; ERR_INVALID_ARG, ERR_ENDED; ERR_UNSUPPORTED with another codec, or where the backend
   * cannot
   */
  reserve(bytes: number): ReservedSlot {
    this.#assertPutting();
    const slot = this.#try(this.#puts, this.#reserveOf('reserve', bytes));
    if (slot !== NOT_YET) return slot;
    throw new QueueFull(
      `Queue '${this.name}' has no room for ${bytes} bytes: ${this.#channel.size()} messages in ${this.capacityBytes} bytes; await reserveWhenAvailable(), or create it with more room`,
    );
  }

  /**
   * As `reserve`, but waits for room if need be, behind the puts of this handle that wait already; later ones wait behind it.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the handle closes while it waits; else as
   * `reserve`, without ERR_FULL
   */
  reserveWhenAvailable(bytes: number, options?: WaitOptions): Promise<ReservedSlot> {
    return this.#within(
      this.#puts,
      () => {
        this.#assertPutting();
        return this.#reserveOf('reserveWhenAvailable', bytes);
      },
      options,
    );
  }

  /** As `reserveWhenAvailable`, blocking this thread until there is room. */
  reserveWhenAvailableSync(bytes: number, options?: SyncWaitOptions): ReservedSlot {
    this.#assertPutting();
    const operation = this.#reserveOf('reserveWhenAvailableSync', bytes);
    return this.#blocked('reserveWhenAvailableSync', PUT, operation, options);
  }

  /**
   * The next message, read where it lies and then released: nothing is copied. At least once, as `receive`: until `release()`
   * it is in nobody else's hands, and goes to another consumer if this process dies. Unlike a received message it keeps its
   * room in the queue. For queues with codec `'raw'`, and at most 8 slots and messages in place per handle.
   *
   * Does not wait, and so that the message can be used as it is, throws if there is none, as `getNowait` does. The next `peek`
   * is about the next message.
   *
   * O(1), some microseconds; where `reserve` copies, so does this.
   *
   * @throws QueueEmpty (ERR_EMPTY) if there is none, or gets of this handle are waiting for one; EOFError when the queue was
   * ended and nothing is left but what this handle holds; ERR_NO_LEASE if this handle has too many already; ERR_TOO_LARGE if the
   * message is larger than `capacityBytes`, and so has no place in the queue's own memory: get it; ERR_FULL if a
   * message that was delivered too often found no room in the dead-letter queue; ERR_UNSUPPORTED with another codec, or where
   * the backend cannot
   */
  peek(): PeekedMessage {
    this.#assertOpen();
    const message = this.#try(this.#takes, this.#peekOf('peek'));
    if (message !== NOT_YET) return message;
    throw new QueueEmpty(`Queue '${this.name}' is empty; await peekWhenAvailable()`);
  }

  /**
   * As `peek`, but waits for a message if need be, behind the gets of this handle that wait already.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the handle closes while it waits; else as `peek`,
   * without ERR_EMPTY
   */
  peekWhenAvailable(options?: WaitOptions): Promise<PeekedMessage> {
    return this.#within(this.#takes, () => this.#peekOf('peekWhenAvailable'), options);
  }

  /** As `peekWhenAvailable`, blocking this thread until there is a message. */
  peekWhenAvailableSync(options?: SyncWaitOptions): PeekedMessage {
    this.#assertOpen();
    const operation = this.#peekOf('peekWhenAvailableSync');
    return this.#blocked('peekWhenAvailableSync', TAKE, operation, options);
  }

  /**
   * Who holds slots and messages in place at this moment, in any process, and for how long: what to look at when a queue does
   * not move. O(participants).
   *
   * @throws ERR_UNSUPPORTED where the backend has none
   */
  leases(): LeaseInfo[] {
    this.#assertOpen();
    const { leasing } = this.#channel;
    if (leasing === undefined) throw this.#lacking('leases', 'leases');
    return leasing.list();
  }

  /** @internal */
  get [WAITABLE](): Readiness {
    return new CallReadiness(this.#takes, () => {
      this.#assertOpen();
      return this.#channel.isReadable();
    });
  }

  // The queue itself

  /**
   * No more puts, from any process: readers get what is there, then iteration ends and gets throw EOFError.
   * Puts that are pending on this handle go in first.
   */
  end(): void {
    this.#assertOpen();
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#puts.whenIdle(() => this.#channel.end());
  }

  /**
   * Messages that can be had, a snapshot: those that were given back included, those received and
   * unacknowledged not.
   */
  get size(): number {
    this.#assertOpen();
    return this.#channel.size();
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  /** Whether not even the smallest message fits; also with `maxItems` messages. */
  get isFull(): boolean {
    this.#assertOpen();
    return this.#channel.isFull();
  }

  /** What it holds, in bytes; at least what was asked for. */
  get capacityBytes(): number {
    return this.#channel.geometry.capacityBytes;
  }

  /** Counts of all participants since the queue was created, those that have left included. */
  stats(): ChannelStats {
    this.#assertOpen();
    return this.#channel.stats();
  }

  /** Pending waits of this handle keep the process alive, as they do by default. */
  ref(): this {
    this.#assertOpen();
    this.#channel.ref();
    return this;
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    this.#assertOpen();
    this.#channel.unref();
    return this;
  }

  /**
   * Leaves the queue: pending calls reject with ERR_CLOSED, unacknowledged messages go to other consumers, and
   * so do peeked ones; reserved slots are aborted, and what this handle got without a `taskDone` counts as
   * finished: nobody else ever could. Its last participant removes a queue that is empty or anonymous, and not
   * `persist`. Again is no error.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const closed = () => this.#closedError();
    this.#takes.rejectAll(closed);
    this.#joining.rejectAll(closed);
    // What still wants to end the queue does so here: the last pending put leaves.
    this.#puts.rejectAll(closed);
    this.#channel.onReady = undefined;
    this.#channel.close();
  }

  /** Removes the name: nobody can open it any more, and those who have it open go on with it. Again is no error. */
  unlink(): void {
    this.#assertOpen();
    this.#channel.unlink();
  }

  /** `using q = Queue.open(name)`: closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const { capacityBytes, codec } = this.#channel.geometry;
    const state = this.#isClosed ? { closed: true } : { size: this.#channel.size() };
    const leases = this.#isClosed ? [] : (this.#channel.leasing?.list() ?? []);
    const facts = {
      ...state,
      capacityBytes,
      codec: codec || this.#codec.name,
      ...(leases.length > 0 ? { leases } : {}),
    };
    return `Queue ${inspect(this.name, options)} ${inspect(facts, options)}`;
  }

  // Checks

  #assertOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #travelling(): Channel {
    this.#assertOpen();
    const { name, schema } = this.#codec;
    if (isBuiltIn(name) || schema !== undefined) return this.#channel;
    throw new InterprocError(
      'ERR_ENCODE',
      `Queue '${this.name}' has a codec of its own, '${name}', which no message can carry; put the name of a queue, and let the receiver open it with that codec`,
    );
  }

  #assertPutting(): void {
    this.#assertOpen();
    if (this.#isEnding) throw this.#writer.endedError();
  }

  #assertBlocking(call: string): void {
    if (this.#channel.capabilities.blocking) return;
    throw this.#lacking(call, 'blocking');
  }

  #assertRedelivery(call: string): void {
    if (this.#channel.capabilities.redelivery) return;
    throw this.#lacking(call, 'redelivery');
  }

  #assertTarget(call: string, buffer: unknown): void {
    if (!isUint8Array(buffer)) throw invalidArgument(call, 'a Uint8Array to write to', buffer);
    if (this.#codec.bytesOf !== undefined || this.#codec.decodesByCaller === true) return;
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `${call} hands out bytes, and those of codec '${this.#codec.name}' mean nothing outside of it; use get(), or create the queue with codec 'raw'`,
    );
  }

  /** The way to records in place, for `call`. */
  #leases(call: string): Lessor {
    if (this.#lessor === undefined) throw this.#lacking(call, 'leases');
    if (this.#codec.bytesOf !== undefined) return this.#lessor;
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `${call} is about bytes in place, and queue '${this.name}' carries values of codec '${this.#codec.name}'; use put() and get(), or create the queue with codec 'raw'`,
    );
  }

  #reserveOf(call: string, bytes: number): Operation<ReservedSlot> {
    const lessor = this.#leases(call);
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw invalidArgument(call, 'a whole number of bytes, 0 or more', bytes);
    }
    this.#writer.checkSize(bytes);
    return { attempt: () => lessor.reserve(bytes) };
  }

  #peekOf(call: string): Operation<PeekedMessage> {
    const lessor = this.#leases(call);
    return { attempt: () => lessor.peek() };
  }

  #lacking(call: string, capability: CapabilityName): InterprocError {
    return lacking(call, capability, `the backend of queue '${this.name}'`);
  }

  #closedError(): InterprocError {
    return new InterprocError('ERR_CLOSED', `Queue '${this.name}' was closed here; open it again`);
  }

  // Waiting

  /** What a put returns that did not have to wait. */
  #done(): Promise<void> {
    return ++this.#calls % CALLS_PER_TURN === 0 ? afterTurn() : DONE;
  }

  #putWithin(value: T, options: WaitOptions): Promise<void> {
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted === true) throw abortReason(signal);
    const operation = this.#writer.pending(this.#writer.encode(value));
    // Encoding ran code of the caller's, of which the compiler knows nothing.
    if ((signal as AbortSignal | undefined)?.aborted === true) {
      throw failureOf(operation, abortReason(signal as AbortSignal));
    }
    if (timeoutMs === 0) this.#puts.serve();
    if (this.#puts.isIdle && operation.attempt() !== NOT_YET) return this.#done();
    if (timeoutMs === 0) throw failureOf(operation, this.#puts.timeoutError(0));
    return this.#puts.add(operation, timeoutMs, signal);
  }

  /** Whether the next call may look: not if others wait already, if the event loop is to have a turn first, or if waiting finds as much. */
  #isFree(): boolean {
    return ++this.#calls % CALLS_PER_TURN !== 0 && this.#takes.isIdle && !this.#channel.isQuiet;
  }

  /** Whether the last `#isFree` was false to give the event loop a turn. */
  #isTurnDue(): boolean {
    return this.#calls % CALLS_PER_TURN === 0;
  }

  /** The awaited calls but for the short ways of `put` and `get`. */
  #within<R>(
    waits: PendingWaits,
    operationOf: () => Operation<R>,
    options: WaitOptions | undefined,
  ): Promise<R> {
    try {
      this.#assertOpen();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      const operation = operationOf();
      if (signal?.aborted === true) throw abortReason(signal);
      if (timeoutMs === 0) {
        const result = this.#try(waits, operation);
        if (result === NOT_YET) throw waits.timeoutError(0);
        return Promise.resolve(result);
      }
      this.#calls++;
      const isQuiet = waits === this.#takes && this.#channel.isQuiet;
      if (waits.isIdle && !isQuiet && !this.#isTurnDue()) {
        const result = operation.attempt();
        if (result !== NOT_YET) return Promise.resolve(result);
      }
      return waits.add(operation, timeoutMs, signal, this.#isTurnDue());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #try<R>(waits: PendingWaits, operation: Operation<R>): R | NotYet {
    waits.serve();
    return waits.isIdle ? operation.attempt() : NOT_YET;
  }

  #blocked<R>(
    call: string,
    side: Side,
    operation: Operation<R>,
    options: SyncWaitOptions | undefined,
  ): R {
    this.#assertBlocking(call);
    const timeoutMs = syncTimeoutOf(options);
    const waits = side === TAKE ? this.#takes : this.#puts;
    if (waits.isIdle && (side !== TAKE || !this.#channel.isQuiet)) {
      const result = operation.attempt();
      if (result !== NOT_YET) return result;
    }
    return this.#block(side, operation, timeoutMs);
  }

  /** What is left to do where a look was not worth it, or found nothing. */
  #block<R>(side: Side, operation: Operation<R>, timeoutMs: number): R {
    const channel = this.#channel;
    if (side !== TAKE) return block(channel, side, this.#puts, operation, timeoutMs);
    return block(channel, side, this.#takes, operation, timeoutMs, () => channel.isQuiet);
  }

  #getMany(options: BatchSize | undefined): Operation<T[]> {
    const max = batchSizeOf(options);
    return { attempt: () => this.#reader.takeMany(max) };
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
      waits: this.#takes,
    };
  }

  #deliveries(call: string): MessageSource<Delivery<T>> {
    this.#assertOpen();
    this.#assertRedelivery(call);
    return this.#source(() => this.#reader.takeDelivery());
  }

  #sink(): MessageSink<T> {
    return {
      put: (value) => {
        this.#assertPutting();
        const encoded = this.#writer.encode(value);
        if (this.#puts.isIdle && this.#writer.offer(encoded)) return undefined;
        return this.#writer.pending(encoded);
      },
      batch: (values) => {
        this.#assertPutting();
        return this.#writer.batch(values, true);
      },
      isTurnDue: () => ++this.#calls % CALLS_PER_TURN === 0,
      waits: this.#puts,
      end: () => this.end(),
    };
  }
}

letTravel(TRAVELS_AS, channelOf, schemaOf);
