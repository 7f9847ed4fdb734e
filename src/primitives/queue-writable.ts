import { addAbortSignal, Writable } from 'node:stream';

import { AbortError, InterprocError } from '../errors.js';
import type { BatchPut } from './batch-put.js';
import type { MessageSink } from './message-sink.js';
import { NOT_YET } from './pending-waits.js';
import type { Operation } from './pending-waits.js';
import type { QueueWritableOptions } from './stream-options.js';

type Callback = (error?: Error | null) => void;
type WriteCallback = (error: Error | null | undefined) => void;

/** What a put that was withdrawn resolves with. */
const WITHDRAWN: unique symbol = Symbol('withdrawn');

/** A Node stream into a queue. Node has one write at a time under way, of one chunk or of all that wait. */
class MessageWritable<T> extends Writable {
  readonly #sink: MessageSink<T>;
  readonly #ends: boolean;
  #pending: Operation<unknown> | undefined;
  /** Why it was destroyed, for the write that is under way. */
  #destroyedBy: Error | undefined;
  /** Chunks whose writes are over, and how many of them are in the queue: the first ones. */
  #over = 0;
  #accepted = 0;

  constructor(sink: MessageSink<T>, { end = false, highWaterMark, signal }: QueueWritableOptions) {
    super({ objectMode: true, ...(highWaterMark === undefined ? {} : { highWaterMark }) });
    this.#sink = sink;
    this.#ends = end;
    // Not as an option of super(): it may destroy the stream at once, which needs the sink.
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  /** Node calls back all chunks of a batch with the same error, also those that went in before it failed. */
  override write(
    chunk: T,
    encodingOrCallback?: BufferEncoding | WriteCallback,
    lastCallback?: WriteCallback,
  ): boolean {
    const isCallback = typeof encodingOrCallback === 'function';
    const callback = isCallback ? encodingOrCallback : lastCallback;
    if (typeof callback !== 'function') return super.write(chunk);
    const before = this.#over + this.writableLength;
    return super.write(chunk, (error) => callback(before < this.#accepted ? null : error));
  }

  override _write(chunk: T, _encoding: BufferEncoding, callback: Callback): void {
    let put: Operation<void> | undefined;
    try {
      put = this.#sink.put(chunk);
    } catch (error) {
      this.#finish(1, 0, callback, error);
      return;
    }
    if (put === undefined) this.#finish(1, 1, callback);
    else this.#wait(put, (error) => this.#finish(1, error === undefined ? 1 : 0, callback, error));
  }

  override _writev(entries: { readonly chunk: T }[], callback: Callback): void {
    const chunks = entries.map(({ chunk }) => chunk);
    const { batch, failure } = this.#encode(chunks);
    const finish = (error: unknown) =>
      this.#finish(chunks.length, batch?.accepted ?? 0, callback, error ?? failure);
    if (batch === undefined) {
      finish(failure);
      return;
    }
    try {
      if (this.#sink.waits.isIdle && batch.attempt() !== NOT_YET) {
        finish(undefined);
        return;
      }
    } catch (error) {
      finish(error);
      return;
    }
    // Not detached: a stream's chunks are left alone until they are called back for.
    this.#wait(batch, finish);
  }

  override _final(callback: Callback): void {
    try {
      if (this.#ends) this.#sink.end();
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#destroyedBy = error ?? new AbortError();
    // The write learns from the promise of the wait whether its chunk had gone in already.
    if (this.#pending !== undefined) this.#sink.waits.finish(this.#pending, WITHDRAWN);
    callback(error);
  }

  /**
   * One put of the chunks, or of those before the first that cannot be encoded: whether Node hands chunks over
   * one by one or together must not decide what goes in.
   */
  #encode(chunks: readonly T[]): { batch?: BatchPut; failure?: unknown } {
    let count = 0;
    const counted = function* () {
      for (const chunk of chunks) {
        count++;
        yield chunk;
      }
    };
    try {
      return { batch: this.#sink.batch(counted()) };
    } catch (failure) {
      if (count === 0) return { failure };
      return { ...this.#encode(chunks.slice(0, count - 1)), failure };
    }
  }

  #wait(operation: Operation<unknown>, over: (error: unknown) => void): void {
    this.#pending = operation;
    this.#sink.waits.add(operation, Infinity, undefined).then(
      (result) => {
        this.#pending = undefined;
        over(result === WITHDRAWN ? this.#destroyedBy : undefined);
      },
      (error: unknown) => {
        this.#pending = undefined;
        over(error);
      },
    );
  }

  #finish(count: number, accepted: number, callback: Callback, error?: unknown): void {
    this.#accepted += accepted;
    const over = () => {
      this.#over += count;
      callback(error as Error | undefined);
    };
    if (error instanceof InterprocError || error instanceof AbortError) {
      error.accepted = this.#accepted;
    }
    if (error === undefined && this.#sink.isTurnDue()) setImmediate(over);
    else over();
  }
}

/** A Node stream into `sink`. */
export function writableOf<T>(sink: MessageSink<T>, options: QueueWritableOptions): Writable {
  return new MessageWritable(sink, options);
}
