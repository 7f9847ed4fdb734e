import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';

import { abortReason, InterprocError, invalidArgument, QueueEmpty, QueueFull } from '../errors.js';
import { PUT, TAKE } from '../contract/channel.js';
import type { Backend, Channel, ChannelStats } from '../contract/channel.js';
import type { Codec } from '../codec/codec.js';
import { block } from './blocking.js';
import { DeadLetters } from './dead-letters.js';
import type { Delivery } from './delivery.js';
import { MessageReader } from './message-reader.js';
import { MessageWriter } from './message-writer.js';
import { NOT_YET, PendingWaits } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';
import { QueueIterator } from './queue-iterator.js';
import type { Source } from './queue-iterator.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** A queue as a backend opened it, with the codec that both sides agreed on. */
export class OpenedQueue<T> {
  constructor(
    readonly backend: Backend,
    readonly channel: Channel,
    readonly codec: Codec<T>,
  ) {}
}

export interface BatchSize {
  /**
   * Messages to take at most, 1 or more.
   * @default 256
   */
  readonly max?: number | undefined;
}

const DEFAULT_BATCH = 256;

/**
 * After so many calls that did not have to wait, the event loop gets a turn: awaiting what is there already
 * never leaves V8's microtasks, and a busy consumer would see neither timers nor signals nor sockets. A turn
 * costs 1.5-2 us: 2 ns per call.
 */
const CALLS_PER_TURN = 1024;

const DONE: Promise<void> = Promise.resolve();

function afterTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

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
 * Calls are O(bytes of the message).
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
export class Queue<T = unknown> implements AsyncIterable<T, undefined, void> {
  readonly #channel: Channel;
  readonly #codec: Codec<T>;
  readonly #reader: MessageReader<T>;
  readonly #writer: MessageWriter<T>;
  readonly #takes: PendingWaits;
  readonly #puts: PendingWaits;
  readonly #get: Operation<T>;
  readonly #receive: Operation<Delivery<T>>;
  #isClosed = false;
  #isEnding = false;
  #calls = 0;

  /**
   * Queues are made by `Queue.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new Queue()` for an
   * anonymous one.
   */
  protected constructor({ backend, channel, codec }: OpenedQueue<T>) {
    const { deadLetter } = channel.geometry;
    const deadLetters =
      deadLetter === undefined ? undefined : new DeadLetters(backend, channel, deadLetter);
    const reader = new MessageReader(channel, codec, deadLetters, () => this.#isClosed);
    this.#channel = channel;
    this.#codec = codec;
    this.#reader = reader;
    this.#writer = new MessageWriter(channel, codec);
    this.#takes = new PendingWaits(channel, TAKE);
    this.#puts = new PendingWaits(channel, PUT);
    this.#get = { attempt: () => reader.take() };
    this.#receive = { attempt: () => reader.takeDelivery() };
    channel.onReady = (side) => (side === TAKE ? this.#takes : this.#puts).rung();
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
    if (this.#puts.isIdle) return this.#writer.offer(encoded);
    const operation = this.#writer.pending(encoded);
    this.#puts.serve();
    return this.#puts.isIdle && operation.attempt() !== NOT_YET;
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
   * The next message, at most once: it is yours when the promise resolves.
   *
   * @throws (rejects) EOFError (ERR_EOF) when the queue was ended and nothing is left; ERR_TIMEOUT; the
   * signal's reason; ERR_CLOSED, also when the handle closes while it waits; ERR_DECODE, and that message is
   * gone; ERR_CORRUPT if something else has written to the queue's file or cut it; ERR_FULL if a message that was delivered too often found no room in the dead-letter queue
   */
  get(options?: WaitOptions): Promise<T> {
    if (options !== undefined) return this.#takeWithin(() => this.#get, options);
    try {
      this.#assertOpen();
      const value = this.#takeNow();
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
    return this.#takeSync('getSync', this.#get, options);
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
    const value = this.#tryTake(this.#get);
    return value === NOT_YET ? ifEmpty : value;
  }

  /**
   * The next message if there is one.
   *
   * @throws QueueEmpty (ERR_EMPTY) if there is none; else as `tryGet`
   */
  getNowait(): T {
    this.#assertOpen();
    const value = this.#tryTake(this.#get);
    if (value === NOT_YET) {
      throw new QueueEmpty(`Queue '${this.name}' is empty; await get(), or use tryGet()`);
    }
    return value;
  }

  /**
   * Waits for a message and takes what is there, up to `max`, in order: an array of 1 to `max` values.
   *
   * @throws as `get`; of an ERR_DECODE, `values` holds the messages of the batch that could be decoded
   */
  getMany(options?: WaitOptions & BatchSize): Promise<T[]> {
    return this.#takeWithin(() => this.#getMany(options), options);
  }

  /** Takes up to `max` messages as `getMany` does, blocking this thread until there is one. */
  getManySync(options?: SyncWaitOptions & BatchSize): T[] {
    this.#assertOpen();
    return this.#takeSync('getManySync', this.#getMany(options), options);
  }

  /**
   * Takes what is there, up to `max`: an array of 0 to `max` values.
   *
   * @throws as `tryGet`
   */
  tryGetMany(options?: BatchSize): T[] {
    this.#assertOpen();
    const values = this.#tryTake(this.#getMany(options));
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
    if (this.#takes.isIdle) {
      const length = this.#reader.takeInto(buffer);
      if (length !== NOT_YET) return length;
    }
    const operation = { attempt: () => this.#reader.takeInto(buffer) };
    return block(this.#channel, TAKE, this.#takes, operation, timeoutMs);
  }

  /** As `getInto`, but awaited: `buffer` is written when the promise resolves. */
  getIntoAsync(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    return this.#takeWithin(() => {
      this.#assertTarget('getIntoAsync', buffer);
      return { attempt: () => this.#reader.takeInto(buffer) };
    }, options);
  }

  /**
   * The next message, at least once: it stays the queue's until `ack()`. If this process dies, closes the
   * handle or calls `nack()`, it goes to another consumer, marked, and ahead of newer messages.
   *
   * @throws ERR_UNACKED if this handle holds too many already; ERR_DECODE, and the message was given back;
   * ERR_UNSUPPORTED where the backend cannot; else as `get`
   */
  receive(options?: WaitOptions): Promise<Delivery<T>> {
    return this.#takeWithin(() => {
      this.#assertRedelivery('receive');
      return this.#receive;
    }, options);
  }

  /** As `receive`, blocking this thread until there is a message. */
  receiveSync(options?: SyncWaitOptions): Delivery<T> {
    this.#assertOpen();
    this.#assertRedelivery('receiveSync');
    return this.#takeSync('receiveSync', this.#receive, options);
  }

  /** As `receive` if there is a message, else undefined. */
  tryReceive(): Delivery<T> | undefined {
    this.#assertOpen();
    this.#assertRedelivery('tryReceive');
    const delivery = this.#tryTake(this.#receive);
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
    return new QueueIterator(this.#source());
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
   * Leaves the queue: pending calls reject with ERR_CLOSED, unacknowledged messages go to other consumers.
   * Its last participant removes a queue that is empty or anonymous, and not `persist`. Again is no error.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#takes.rejectAll(this.#closedError());
    // What still wants to end the queue does so here: the last pending put leaves.
    this.#puts.rejectAll(this.#closedError());
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
    const facts = { ...state, capacityBytes, codec: codec || this.#codec.name };
    return `Queue ${inspect(this.name, options)} ${inspect(facts, options)}`;
  }

  // Checks

  #assertOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #assertPutting(): void {
    this.#assertOpen();
    if (this.#isEnding) throw this.#writer.endedError();
  }

  #assertBlocking(call: string): void {
    if (this.#channel.capabilities.blocking) return;
    throw this.#unsupported(call, "'blocking'");
  }

  #assertRedelivery(call: string): void {
    if (this.#channel.capabilities.redelivery) return;
    throw this.#unsupported(call, "'redelivery'");
  }

  #assertTarget(call: string, buffer: unknown): void {
    if (!isUint8Array(buffer)) throw invalidArgument(call, 'a Uint8Array to write to', buffer);
    if (this.#codec.bytesOf !== undefined || this.#codec.decodesByCaller === true) return;
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `${call} hands out bytes, and those of codec '${this.#codec.name}' mean nothing outside of it; use get(), or create the queue with codec 'raw'`,
    );
  }

  #unsupported(call: string, capability: string): InterprocError {
    return new InterprocError(
      'ERR_UNSUPPORTED',
      `${call} needs the capability ${capability}, which the backend of queue '${this.name}' does not have`,
    );
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
    if (timeoutMs === 0) this.#puts.serve();
    if (this.#puts.isIdle && operation.attempt() !== NOT_YET) return this.#done();
    if (timeoutMs === 0) throw this.#puts.timeoutError(0);
    return this.#puts.add(operation, timeoutMs, signal);
  }

  /** One look; none if others wait already, or if the event loop is to have a turn first. */
  #takeNow(): T | NotYet {
    const isFree = ++this.#calls % CALLS_PER_TURN !== 0 && this.#takes.isIdle;
    return isFree ? this.#reader.take() : NOT_YET;
  }

  /** Whether the last `#takeNow` did not look, to give the event loop a turn. */
  #isTurnDue(): boolean {
    return this.#calls % CALLS_PER_TURN === 0;
  }

  /** The awaited calls but for the short way of `get`. */
  #takeWithin<R>(operationOf: () => Operation<R>, options: WaitOptions | undefined): Promise<R> {
    try {
      this.#assertOpen();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      const operation = operationOf();
      if (signal?.aborted === true) throw abortReason(signal);
      if (timeoutMs === 0) {
        const result = this.#tryTake(operation);
        if (result === NOT_YET) throw this.#takes.timeoutError(0);
        return Promise.resolve(result);
      }
      this.#calls++;
      if (this.#takes.isIdle && !this.#isTurnDue()) {
        const result = operation.attempt();
        if (result !== NOT_YET) return Promise.resolve(result);
      }
      return this.#takes.add(operation, timeoutMs, signal, this.#isTurnDue());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #tryTake<R>(operation: Operation<R>): R | NotYet {
    this.#takes.serve();
    return this.#takes.isIdle ? operation.attempt() : NOT_YET;
  }

  #takeSync<R>(call: string, operation: Operation<R>, options: SyncWaitOptions | undefined): R {
    this.#assertBlocking(call);
    const timeoutMs = syncTimeoutOf(options);
    if (this.#takes.isIdle) {
      const result = operation.attempt();
      if (result !== NOT_YET) return result;
    }
    return block(this.#channel, TAKE, this.#takes, operation, timeoutMs);
  }

  #getMany(options: BatchSize | undefined): Operation<T[]> {
    if (options !== undefined && (typeof options !== 'object' || options === null)) {
      throw invalidArgument('options', 'an object such as { max: 256 }', options);
    }
    const max = options?.max ?? DEFAULT_BATCH;
    if (!Number.isSafeInteger(max) || max < 1) {
      throw invalidArgument('max', 'a whole number, 1 or more', max);
    }
    return { attempt: () => this.#reader.takeMany(max) };
  }

  #source(): Source<T> {
    return {
      takeNow: () => {
        this.#assertOpen();
        return this.#takeNow();
      },
      take: () => this.#reader.take(),
      isTurnDue: () => this.#isTurnDue(),
      waits: this.#takes,
    };
  }
}
