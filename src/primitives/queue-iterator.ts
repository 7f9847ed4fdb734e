import { EOFError } from '../errors.js';
import type { MessageSource } from './message-source.js';
import { NOT_YET } from './pending-waits.js';
import type { Operation } from './pending-waits.js';

type Step<T> = IteratorResult<T, undefined>;

const DONE: Step<never> = Object.freeze({ value: undefined, done: true });

/**
 * `for await (const value of queue)`: takes one message per step, when asked for it, so that a `break` leaves
 * the rest where they are. Written by hand: an async generator awaits twice per message (280 ns against 140).
 */
export class QueueIterator<T> implements AsyncIterableIterator<T, undefined, void> {
  readonly #source: MessageSource<T>;
  readonly #step: Operation<Step<T>>;
  #isDone = false;

  constructor(source: MessageSource<T>) {
    this.#source = source;
    this.#step = {
      attempt: () => {
        try {
          const value = source.take();
          return value === NOT_YET ? NOT_YET : { value, done: false };
        } catch (error) {
          return this.#atEnd(error);
        }
      },
    };
  }

  next(): Promise<Step<T>> {
    if (this.#isDone) return Promise.resolve(DONE);
    try {
      const value = this.#source.takeNow();
      if (value !== NOT_YET) return Promise.resolve({ value, done: false });
    } catch (error) {
      try {
        return Promise.resolve(this.#atEnd(error));
      } catch {
        return Promise.reject(error);
      }
    }
    return this.#source.waits.add(this.#step, Infinity, undefined, this.#source.isTurnDue());
  }

  /** Ends the iteration; steps that are pending take nothing. */
  return(): Promise<Step<T>> {
    this.#isDone = true;
    this.#source.waits.finish(this.#step, DONE);
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #atEnd(error: unknown): Step<T> {
    if (!(error instanceof EOFError)) throw error;
    this.#isDone = true;
    return DONE;
  }
}
