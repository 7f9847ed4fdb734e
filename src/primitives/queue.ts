import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';

import {
  abortReason,
  EOFError,
  InterprocError,
  invalidArgument,
  QueueEmpty,
  QueueFull,
} from '../errors.js';
import { EMPTY, ENDED, PUT, TAKE } from '../contract/channel.js';
import type { Backend, Channel, ChannelStats } from '../contract/channel.js';
import type { Codec } from '../codec/codec.js';
import { BatchPut, copyEncoded, encodeBatch } from './batch-put.js';
import { block } from './blocking.js';
import { DeadLetters } from './dead-letters.js';
import { Delivery } from './delivery.js';
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
 * After so many calls that did not have to wait, the event loop gets a turn: awaiting what is there already never leaves
 * V8's microtasks, and a busy consumer would see neither timers nor signals nor sockets. A turn costs 1.5-2 us: 2 ns per call.
 */
const CALLS_PER_TURN = 1024;

const DONE: Promise<void> = Promise.resolve();

function afterTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Messages between processes, first in, first out: any number of producers and consumers, in any processes of this user.
 *
 * *Delivery.* `get` hands a message over at most once; `receive` hands it over until somebody acknowledges it. Puts of one handle
 * keep call order. A call that times out or is aborted takes and puts nothing.
 *
 * *Waiting.* Calls that wait are served in the order they were made. A pending one keeps the process alive (see `unref`), an idle open handle does not.
 *
 * *Variants.* `get` is awaited, `getSync` blocks the thread, `tryGet` and `getNowait` return at once; the same for the others.
 *
 * *Cost.* A message is copied twice, into shared memory and out of it, after its codec has made it bytes. Calls are O(bytes of the message).
 *
 * Every method throws ERR_CLOSED after `close()`.
 */
export class Queue<T = unknown> implements AsyncIterable<T, undefined, void> {
  readonly #channel: Channel;
  readonly #codec: Codec<T>;
  readonly #takes: PendingWaits;
  readonly #puts: PendingWaits;
  readonly #deadLetters: DeadLetters | undefined;
  readonly #maxDeliveries: number;
  #isClosed = false;
  #isEnding = false;
  #calls = 0;

  readonly #get: Operation<T> = { attempt: () => this.#take() };
  readonly #receive: Operation<Delivery<T>> = { attempt: () => this.#takeDelivery() };

  /** Queues are made by `Queue.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new Queue()` for an anonymous one. */
  protected constructor({ backend, channel, codec }: OpenedQueue<T>) {
    this.#channel = channel;
    this.#codec = codec;
    this.#takes = new PendingWaits(channel, TAKE);
    this.#puts = new PendingWaits(channel, PUT);
    const { maxDeliveries, deadLetter } = channel.geometry;
    this.#maxDeliveries = maxDeliveries;
    this.#deadLetters =
      deadLetter === undefined ? undefined : new DeadLetters(backend, channel, deadLetter);
    channel.onReady = (side) => (side === TAKE ? this.#takes : this.#puts).rung();
  }

  /** What it is opened by; of an anonymous queue, what its file is called. */
  get name(): string {
    return this.#channel.name;
  }

  // Putting

  /**
   * Puts a value, waiting for room if need be. It is encoded before the call returns: later changes to it are not sent.
   * With no room it waits, and later puts of this handle wait behind it.
   *
   * @throws (rejects) ERR_ENCODE, ERR_INVALID_ARG and ERR_TOO_LARGE if the value cannot be queued at all; ERR_TIMEOUT; the signal's reason;
   * ERR_ENDED; ERR_CLOSED, also when the handle closes while it waits. In each case nothing was put.
   */
  put(value: T, options?: WaitOptions): Promise<void> {
    try {
      const channel = this.#putting();
      if (options !== undefined) return this.#putWithin(value, options);
      const encoded = this.#codec.encode(value, channel.outbox);
      if (this.#puts.isIdle && this.#offer(encoded)) {
        return ++this.#calls % CALLS_PER_TURN === 0 ? afterTurn() : DONE;
      }
      return this.#puts.add(this.#pendingPut(encoded), Infinity, undefined);
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
    const channel = this.#putting();
    this.#checkBlocking('putSync');
    const timeoutMs = syncTimeoutOf(options);
    const encoded = this.#codec.encode(value, channel.outbox);
    if (this.#puts.isIdle && this.#offer(encoded)) return;
    block(channel, PUT, this.#puts, this.#pendingPut(encoded), timeoutMs);
  }

  /**
   * Puts a value if there is room now. False if there is none, or if puts of this handle are waiting for some.
   *
   * @throws ERR_ENCODE, ERR_INVALID_ARG, ERR_TOO_LARGE, ERR_ENDED
   */
  tryPut(value: T): boolean {
    const channel = this.#putting();
    const encoded = this.#codec.encode(value, channel.outbox);
    if (this.#puts.isIdle) return this.#offer(encoded);
    const bytes = copyEncoded(encoded, channel.outbox);
    this.#puts.serve();
    return this.#puts.isIdle && this.#offer(bytes);
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
   * Puts several values in order, as many per crossing into native code as there is room for; resolves when all are in. Others' messages may come between
   * them. All are encoded first: if one cannot be, none is put.
   *
   * @throws as `put`; a TimeoutError, an AbortError and other errors of this package say in `accepted` how many values, from the first, went in
   */
  putMany(values: Iterable<T>, options?: WaitOptions): Promise<void> {
    try {
      this.#putting();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      const batch = this.#encodeBatch(values);
      if (signal?.aborted === true) throw failing(batch, abortReason(signal));
      if (!this.#puts.isIdle && timeoutMs === 0) this.#puts.serve();
      if (this.#puts.isIdle && attempted(batch) !== NOT_YET) {
        return ++this.#calls % CALLS_PER_TURN === 0 ? afterTurn() : DONE;
      }
      if (timeoutMs === 0) throw failing(batch, this.#puts.timeoutError(0));
      batch.detach();
      return this.#puts.add(batch, timeoutMs, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Puts several values as `putMany` does, blocking this thread until all are in. */
  putManySync(values: Iterable<T>, options?: SyncWaitOptions): void {
    const channel = this.#putting();
    this.#checkBlocking('putManySync');
    const timeoutMs = syncTimeoutOf(options);
    const batch = this.#encodeBatch(values);
    if (this.#puts.isIdle && attempted(batch) !== NOT_YET) return;
    block(channel, PUT, this.#puts, batch, timeoutMs);
  }

  // Getting

  /**
   * The next message, at most once: it is yours when the promise resolves.
   *
   * @throws (rejects) EOFError (ERR_EOF) when the queue was ended and nothing is left; ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the handle closes
   * while it waits; ERR_DECODE, and that message is gone; ERR_FULL if a message that was delivered too often found no room in the dead-letter queue
   */
  get(options?: WaitOptions): Promise<T> {
    if (options !== undefined) return this.#takeWithin(this.#get, options);
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
   * The next message if there is one, else `ifEmpty` (undefined): pass a value of your own where undefined may be a message.
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
    return this.#takeWithin(() => this.#takeManyOperation(options), options);
  }

  /** Takes up to `max` messages as `getMany` does, blocking this thread until there is one. */
  getManySync(options?: SyncWaitOptions & BatchSize): T[] {
    this.#assertOpen();
    return this.#takeSync('getManySync', this.#takeManyOperation(options), options);
  }

  /**
   * Takes what is there, up to `max`: an array of 0 to `max` values.
   *
   * @throws as `tryGet`
   */
  tryGetMany(options?: BatchSize): T[] {
    this.#assertOpen();
    const values = this.#tryTake(this.#takeManyOperation(options));
    return values === NOT_YET ? [] : values;
  }

  /**
   * Writes the bytes of the next message to the start of `buffer` and returns their number, blocking this thread until there is one. Nothing is allocated.
   * For queues with codec `'raw'` or one of your own: the bytes of the others are a matter of this package.
   *
   * @throws ERR_TOO_LARGE if the message is larger than the buffer; it stays in the queue. ERR_UNSUPPORTED with another codec. Else as `get`
   */
  getInto(buffer: Uint8Array, options?: SyncWaitOptions): number {
    this.#assertOpen();
    this.#checkBlocking('getInto');
    this.#checkTarget('getInto', buffer);
    const timeoutMs = syncTimeoutOf(options);
    if (this.#takes.isIdle) {
      const length = this.#takeInto(buffer);
      if (length !== NOT_YET) return length;
    }
    const operation = { attempt: () => this.#takeInto(buffer) };
    return block(this.#channel, TAKE, this.#takes, operation, timeoutMs);
  }

  /** As `getInto`, but awaited: `buffer` is written when the promise resolves. */
  getIntoAsync(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    return this.#takeWithin(() => {
      this.#checkTarget('getIntoAsync', buffer);
      return { attempt: () => this.#takeInto(buffer) };
    }, options);
  }

  /**
   * The next message, at least once: it stays the queue's until `ack()`. If this process dies, closes the handle or calls `nack()`, it goes to
   * another consumer, marked, and ahead of newer messages.
   *
   * @throws ERR_UNACKED if this handle holds too many already; ERR_DECODE, and the message was given back; ERR_UNSUPPORTED where the backend cannot; else as `get`
   */
  receive(options?: WaitOptions): Promise<Delivery<T>> {
    return this.#takeWithin(() => {
      this.#checkRedelivery('receive');
      return this.#receive;
    }, options);
  }

  /** As `receive`, blocking this thread until there is a message. */
  receiveSync(options?: SyncWaitOptions): Delivery<T> {
    this.#assertOpen();
    this.#checkRedelivery('receiveSync');
    return this.#takeSync('receiveSync', this.#receive, options);
  }

  /** As `receive` if there is a message, else undefined. */
  tryReceive(): Delivery<T> | undefined {
    this.#assertOpen();
    this.#checkRedelivery('tryReceive');
    const delivery = this.#tryTake(this.#receive);
    return delivery === NOT_YET ? undefined : delivery;
  }

  /**
   * Every message until the queue was ended and drained. One is taken per step, when it is asked for: `break` loses none.
   *
   * @throws (rejects) as `get`, without EOFError
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined, void> {
    this.#assertOpen();
    return new QueueIterator(this.#source());
  }

  // The queue itself

  /**
   * No more puts, from any process: readers get what is there, then iteration ends and gets throw EOFError. Puts that are
   * pending on this handle go in first.
   */
  end(): void {
    this.#assertOpen();
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#puts.whenIdle(() => this.#channel.end());
  }

  /** Messages that can be had, a snapshot: those that were given back included, those received and unacknowledged not. */
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
   * Leaves the queue: pending calls reject with ERR_CLOSED, unacknowledged messages go to other consumers. Its last participant
   * removes a queue that is empty or anonymous, and not `persist`. Again is no error.
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

  /**
   * Removes the name: nobody can open it any more, and those who have it open go on with it.
   *
   * @throws ERR_NOT_FOUND if it is gone already
   */
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

  #putting(): Channel {
    this.#assertOpen();
    if (this.#isEnding) throw this.#endedError();
    return this.#channel;
  }

  #checkBlocking(call: string): void {
    if (this.#channel.capabilities.blocking) return;
    throw this.#unsupported(call, "'blocking'");
  }

  #checkRedelivery(call: string): void {
    if (this.#channel.capabilities.redelivery) return;
    throw this.#unsupported(call, "'redelivery'");
  }

  #checkTarget(call: string, buffer: unknown): void {
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

  #endedError(): InterprocError {
    return new InterprocError('ERR_ENDED', `Queue '${this.name}' was ended; it takes no more puts`);
  }

  #tooLarge(bytes: number): InterprocError {
    return new InterprocError(
      'ERR_TOO_LARGE',
      `A message of ${bytes} bytes; queue '${this.name}' takes ${this.#channel.geometry.maxMessageBytes} at most. Create it with a larger maxMessageBytes or capacityBytes`,
    );
  }

  #failure(status: number): InterprocError {
    if (status === ENDED) {
      return new EOFError(`Queue '${this.name}' was ended and has been read to its end`);
    }
    return new InterprocError('ERR_CORRUPT', `Queue '${this.name}' answered with ${status}`);
  }

  // Puts

  /** One look for room. */
  #offer(encoded: number | Uint8Array): boolean {
    const channel = this.#channel;
    const status =
      typeof encoded === 'number' ? channel.tryPutOutbox(encoded) : channel.tryPut(encoded);
    if (status === ENDED) throw this.#endedError();
    return status === 0;
  }

  #pendingPut(encoded: number | Uint8Array): Operation<void> {
    const bytes = copyEncoded(encoded, this.#channel.outbox);
    // A put that waits behind others has not been looked at by the channel.
    if (bytes.length > this.#channel.geometry.maxMessageBytes) throw this.#tooLarge(bytes.length);
    return { attempt: () => (this.#offer(bytes) ? undefined : NOT_YET) };
  }

  #putWithin(value: T, options: WaitOptions): Promise<void> {
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted === true) throw abortReason(signal);
    const operation = this.#pendingPut(this.#codec.encode(value, this.#channel.outbox));
    if (!this.#puts.isIdle && timeoutMs === 0) this.#puts.serve();
    if (this.#puts.isIdle && operation.attempt() !== NOT_YET) {
      return ++this.#calls % CALLS_PER_TURN === 0 ? afterTurn() : DONE;
    }
    if (timeoutMs === 0) throw this.#puts.timeoutError(0);
    return this.#puts.add(operation, timeoutMs, signal);
  }

  #encodeBatch(values: Iterable<T>): BatchPut {
    const encoded = encodeBatch(values, this.#codec, this.#channel, (bytes) =>
      this.#tooLarge(bytes),
    );
    return new BatchPut(this.#channel, encoded, () => this.#endedError());
  }

  // Gets

  /** One look. */
  #take(): T | NotYet {
    if (this.#deadLetters !== undefined) return this.#takeCounted();
    const channel = this.#channel;
    const length = channel.tryTake();
    if (length >= 0) return this.#codec.decode(channel.inbox, 0, length);
    if (length === EMPTY) return NOT_YET;
    throw this.#failure(length);
  }

  /** One look; none if others wait already, or if the event loop is to have a turn first. */
  #takeNow(): T | NotYet {
    return ++this.#calls % CALLS_PER_TURN !== 0 && this.#takes.isIdle ? this.#take() : NOT_YET;
  }

  /** Whether the last `#takeNow` did not look, to give the event loop a turn. */
  #isTurnDue(): boolean {
    return this.#calls % CALLS_PER_TURN === 0;
  }

  #takeInto(buffer: Uint8Array): number | NotYet {
    if (this.#deadLetters !== undefined) return this.#takeCountedInto(buffer);
    const length = this.#channel.tryTakeInto(buffer);
    if (length >= 0) return length;
    if (length === EMPTY) return NOT_YET;
    throw this.#failure(length);
  }

  #takeManyOperation(options: BatchSize | undefined): Operation<T[]> {
    if (options !== undefined && (typeof options !== 'object' || options === null)) {
      throw invalidArgument('options', 'an object such as { max: 256 }', options);
    }
    const max = options?.max ?? DEFAULT_BATCH;
    if (!Number.isSafeInteger(max) || max < 1) {
      throw invalidArgument('max', 'a whole number, 1 or more', max);
    }
    return { attempt: () => this.#takeMany(max) };
  }

  /** What is there, up to `max`. */
  #takeMany(max: number): T[] | NotYet {
    const values: T[] = [];
    const undecodable: { error?: unknown } = {};
    while (values.length < max) {
      let count: number;
      try {
        count = this.#takeSome(values, max - values.length, undecodable);
      } catch (error) {
        // What has been taken is the caller's; what is wrong will be told by the next call.
        if (values.length === 0 && !('error' in undecodable)) throw error;
        break;
      }
      if (count === 0 || 'error' in undecodable) break;
    }
    if ('error' in undecodable) {
      const { error } = undecodable;
      if (error instanceof InterprocError) error.values = values;
      throw error;
    }
    return values.length === 0 ? NOT_YET : values;
  }

  /** Takes and decodes one crossing's worth of messages, and returns how many. */
  #takeSome(values: T[], max: number, undecodable: { error?: unknown }): number {
    if (this.#deadLetters !== undefined) {
      const value = this.#takeCounted();
      if (value === NOT_YET) return 0;
      values.push(value);
      return 1;
    }
    const channel = this.#channel;
    const codec = this.#codec;
    const count = channel.tryTakeMany(max);
    if (count === EMPTY) return 0;
    if (count < 0) throw this.#failure(count);
    const { inbox, offsets, lengths } = channel;
    if (codec.decodesByCaller === true) {
      const messages = Array.from({ length: count }, (_, i) => {
        const offset = offsets[i] as number;
        return inbox.slice(offset, offset + (lengths[i] as number));
      });
      for (const message of messages) {
        try {
          values.push(codec.decode(message, 0, message.length));
        } catch (error) {
          undecodable.error ??= error;
        }
      }
      return count;
    }
    for (let i = 0; i < count; i++) {
      try {
        values.push(codec.decode(inbox, offsets[i] as number, lengths[i] as number));
      } catch (error) {
        undecodable.error ??= error;
      }
    }
    return count;
  }

  #tryTake<R>(operation: Operation<R>): R | NotYet {
    if (!this.#takes.isIdle) this.#takes.serve();
    return this.#takes.isIdle ? operation.attempt() : NOT_YET;
  }

  #takeSync<R>(call: string, operation: Operation<R>, options: SyncWaitOptions | undefined): R {
    this.#checkBlocking(call);
    const timeoutMs = syncTimeoutOf(options);
    if (this.#takes.isIdle) {
      const result = operation.attempt();
      if (result !== NOT_YET) return result;
    }
    return block(this.#channel, TAKE, this.#takes, operation, timeoutMs);
  }

  /** The awaited calls but for the shortest way of `get`. */
  #takeWithin<R>(
    operationOf: Operation<R> | (() => Operation<R>),
    options: WaitOptions | undefined,
  ): Promise<R> {
    try {
      this.#assertOpen();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      const operation = typeof operationOf === 'function' ? operationOf() : operationOf;
      if (signal?.aborted === true) throw abortReason(signal);
      if (timeoutMs === 0) {
        const result = this.#tryTake(operation);
        if (result === NOT_YET) throw this.#takes.timeoutError(0);
        return Promise.resolve(result);
      }
      const isTurnDue = ++this.#calls % CALLS_PER_TURN === 0;
      if (this.#takes.isIdle && !isTurnDue) {
        const result = operation.attempt();
        if (result !== NOT_YET) return Promise.resolve(result);
      }
      return this.#takes.add(operation, timeoutMs, signal, isTurnDue);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #source(): Source<T> {
    return {
      takeNow: () => {
        this.#assertOpen();
        return this.#takeNow();
      },
      take: () => this.#take(),
      isTurnDue: () => this.#isTurnDue(),
      waits: this.#takes,
    };
  }

  // Deliveries

  /** Receives the next message that was not delivered too often; those that were go to the dead-letter queue. Its length, or EMPTY. */
  #receiveNext(): number {
    const channel = this.#channel;
    for (;;) {
      const length = channel.tryReceive();
      if (length === EMPTY) return EMPTY;
      if (length < 0) throw this.#failure(length);
      if (this.#deadLetters === undefined || channel.deliveries <= this.#maxDeliveries) {
        return length;
      }
      this.#deadLetters.move(length);
    }
  }

  #takeDelivery(): Delivery<T> | NotYet {
    const channel = this.#channel;
    const length = this.#receiveNext();
    if (length === EMPTY) return NOT_YET;
    const { receipt, deliveries } = channel;
    let value: T;
    try {
      value = this.#codec.decode(channel.inbox, 0, length);
    } catch (error) {
      channel.nack(receipt);
      throw error;
    }
    return new Delivery(value, deliveries, receipt, this.#receipts);
  }

  readonly #receipts = {
    ack: (receipt: number) => this.#channel.ack(receipt),
    nack: (receipt: number) => this.#channel.nack(receipt),
    isClosed: () => this.#isClosed,
  };

  /** `#take` where deliveries are counted: by way of the ledger, so that one delivered too often can be given back. */
  #takeCounted(): T | NotYet {
    const channel = this.#channel;
    const length = this.#receiveNext();
    if (length === EMPTY) return NOT_YET;
    const { receipt } = channel;
    try {
      return this.#codec.decode(channel.inbox, 0, length);
    } finally {
      channel.ack(receipt);
    }
  }

  #takeCountedInto(buffer: Uint8Array): number | NotYet {
    const channel = this.#channel;
    const length = this.#receiveNext();
    if (length === EMPTY) return NOT_YET;
    const { receipt } = channel;
    if (length > buffer.length) {
      channel.nack(receipt);
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `The next message of queue '${this.name}' has ${length} bytes, the buffer ${buffer.length}; the message stays in the queue`,
      );
    }
    buffer.set(channel.inbox.subarray(0, length));
    channel.ack(receipt);
    return length;
  }
}

/** Tries a batch that has not been tried, and tells it if it fails. */
function attempted(batch: BatchPut): void | NotYet {
  try {
    return batch.attempt();
  } catch (error) {
    throw failing(batch, error);
  }
}

function failing(batch: BatchPut, error: unknown): unknown {
  batch.failing(error);
  return error;
}
