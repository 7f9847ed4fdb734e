import { EOFError } from '../errors.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet, Operation, PendingWaits } from './pending-waits.js';

type Step<T> = IteratorResult<T, undefined>;

const DONE: Step<never> = Object.freeze({ value: undefined, done: true });

/** What an iterator needs of its queue. */
export interface Source<T> {
  /**
   * One look; NOT_YET also when others wait already, or when the event loop is to have a turn first. @throws
   * EOFError
   */
  takeNow(): T | NotYet;
  /** One look. @throws EOFError */
  take(): T | NotYet;
  readonly waits: PendingWaits;
  /** Whether the last `takeNow` did not look, to give the event loop a turn. */
  isTurnDue(): boolean;
}

/**
 * `for await (const value of queue)`: takes one message per step, when asked for it, so that a `break` leaves
 * the rest where they are. Written by hand: an async generator awaits twice per message (280 ns against 140).
 */
export class QueueIterator<T> implements AsyncIterableIterator<T, undefined, void> {
  readonly #source: Source<T>;
  readonly #step: Operation<Step<T>>;
  #isDone = false;

  constructor(source: Source<T>) {
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
