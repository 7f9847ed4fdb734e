import { AbortError, InterprocError } from '../errors.js';
import type { BatchOfMessages, MessageSink } from './message-sink.js';
import { NOT_YET } from './pending-waits.js';
import type { Operation } from './pending-waits.js';

type Callback = (error?: Error | null) => void;
export type WriteCallback = (error: Error | null | undefined) => void;

/** What a put that was withdrawn resolves with. */
const WITHDRAWN: unique symbol = Symbol('withdrawn');

/**
 * What writes under a Node stream, which hands all of its own calls on. Node has one write at a time under way, of one chunk or of
 * all that wait.
 */
export class WritingHalf<T> {
  readonly #sink: MessageSink<T>;
  #pending: Operation<unknown> | undefined;
  /** Why the stream was destroyed, for the write that is under way. */
  #destroyedBy: Error | undefined;
  /** Chunks that the stream was given, and how many of them have gone: the first ones. */
  #written = 0;
  #accepted = 0;

  constructor(sink: MessageSink<T>) {
    this.#sink = sink;
  }

  /**
   * Around the stream's `write`, which may refuse the chunk by throwing. Node calls back all chunks of a batch with the same error,
   * also those that went before it failed.
   */
  writing(
    callback: WriteCallback | undefined,
    write: (callback: WriteCallback | undefined) => boolean,
  ): boolean {
    const index = this.#written++;
    const told: WriteCallback | undefined =
      callback && ((error) => callback(index < this.#accepted ? null : error));
    try {
      return write(told);
    } catch (error) {
      this.#written--;
      throw error;
    }
  }

  /** For the stream's `_write`. */
  write(chunk: T, callback: Callback): void {
    let put: Operation<void> | undefined;
    try {
      put = this.#sink.put(chunk);
    } catch (error) {
      this.#finish(0, callback, error);
      return;
    }
    if (put === undefined) this.#finish(1, callback);
    else this.#wait(put, (error) => this.#finish(error === undefined ? 1 : 0, callback, error));
  }

  /** For the stream's `_writev`. */
  writeMany(entries: readonly { readonly chunk: T }[], callback: Callback): void {
    const chunks = entries.map(({ chunk }) => chunk);
    const { batch, failure } = this.#encode(chunks);
    const finish = (error: unknown) =>
      this.#finish(batch?.accepted ?? 0, callback, error ?? failure);
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

  /** The write that is under way is withdrawn, whole. For the stream's `_destroy`. */
  stop(error: Error | null): void {
    this.#destroyedBy = error ?? new AbortError();
    // The write learns from the promise of the wait whether its chunk had gone in already.
    if (this.#pending !== undefined) this.#sink.waits.finish(this.#pending, WITHDRAWN);
  }

  /**
   * One put of the chunks, or of those before the first that cannot be encoded: whether Node hands chunks over
   * one by one or together must not decide what goes in.
   */
  #encode(chunks: readonly T[]): { batch?: BatchOfMessages; failure?: unknown } {
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

  #finish(accepted: number, callback: Callback, error?: unknown): void {
    this.#accepted += accepted;
    const over = () => callback(error as Error | undefined);
    if (error instanceof InterprocError || error instanceof AbortError) {
      error.accepted = this.#accepted;
    }
    if (error === undefined && this.#sink.isTurnDue()) setImmediate(over);
    else over();
  }
}
