import { abortReason, InterprocError, invalidArgument } from '../errors.js';
import { DeadlineTimer } from './deadline-timer.js';
import { afterTurn, CALLS_PER_TURN } from './turns.js';
import { signalOf, timeoutOf } from './wait-options.js';
import type { WaitOptions } from './wait-options.js';
import { WAITABLE } from './waitable.js';
import type { Readiness, Waitable, Watcher } from './waitable.js';

// Of this thread: after so many that had not to wait, the event loop gets a turn.
let calls = 0;

function readinessOf(object: unknown, index: number): Readiness {
  if (typeof object === 'object' && object !== null && WAITABLE in object) {
    return (object as Waitable)[WAITABLE];
  }
  throw invalidArgument(`wait: objects[${index}]`, 'a connection, a queue or a listener', object);
}

/** Says of which of the objects it is. */
function located(error: unknown, index: number): unknown {
  if (!(error instanceof InterprocError)) return error;
  return new InterprocError(error.code, `wait: objects[${index}]: ${error.message}`, {
    cause: error,
  });
}

/** @throws as `Readiness.isReady`, with the index */
function isReady(readiness: Readiness, index: number): boolean {
  try {
    return readiness.isReady();
  } catch (error) {
    throw located(error, index);
  }
}

/** One object among those that a wait waits for. */
class Waited implements Watcher {
  constructor(
    readonly index: number,
    readonly readiness: Readiness,
    readonly waiting: Waiting,
  ) {}

  worthALook(): void {
    this.waiting.look(this);
  }

  failed(error: unknown): void {
    this.waiting.fail(located(error, this.index));
  }

  isReady(): boolean {
    return isReady(this.readiness, this.index);
  }
}

/** A `wait` that found nothing ready. When it is woken it looks at those that rang only. */
class Waiting {
  readonly #all: Waited[];
  readonly #settled: (indices: number[]) => void;
  readonly #rejected: (error: unknown) => void;
  #ready: Waited[] = [];
  #timer: DeadlineTimer | undefined;
  #signal: AbortSignal | undefined;
  #isOver = false;

  constructor(
    readinesses: readonly Readiness[],
    settled: (indices: number[]) => void,
    rejected: (error: unknown) => void,
  ) {
    this.#all = readinesses.map((readiness, index) => new Waited(index, readiness, this));
    this.#settled = settled;
    this.#rejected = rejected;
  }

  start(timeoutMs: number, signal: AbortSignal | undefined): void {
    if (timeoutMs !== Infinity) this.#timer = new DeadlineTimer(timeoutMs, () => this.#timeOut());
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    for (const waited of this.#all) {
      if (this.#isOver) return;
      waited.readiness.watch(waited);
    }
  }

  /** It rang, and is no longer watched. */
  look(waited: Waited): void {
    if (this.#isOver) return;
    try {
      if (!waited.isReady()) {
        waited.readiness.watch(waited);
        return;
      }
    } catch (error) {
      this.fail(error);
      return;
    }
    // All that ring in this turn are told of together.
    this.#ready.push(waited);
    if (this.#ready.length === 1) queueMicrotask(() => this.#finish());
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#end();
    this.#rejected(error);
  }

  readonly #onAbort = () => this.fail(abortReason(this.#signal as AbortSignal));

  /** Those that rang, unless somebody has taken what there was in the meantime. */
  #finish(): void {
    if (this.#isOver) return;
    const rang = this.#ready;
    this.#ready = [];
    try {
      const ready = rang.filter((waited) => waited.isReady());
      if (ready.length > 0) this.#settle(ready);
      else for (const waited of rang) waited.readiness.watch(waited);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Timers run before the doorbell is read: what came in time is not missed. */
  #timeOut(): void {
    if (this.#isOver) return;
    try {
      this.#settle(this.#all.filter((waited) => waited.isReady()));
    } catch (error) {
      this.fail(error);
    }
  }

  #settle(ready: readonly Waited[]): void {
    this.#end();
    this.#settled(ready.map(({ index }) => index).sort((a, b) => a - b));
  }

  #end(): void {
    this.#isOver = true;
    this.#timer?.clear();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const waited of this.#all) waited.readiness.unwatch(waited);
  }
}

/**
 * Waits until one of the objects is ready, and resolves with all that are, in the order given; with `[]` if `timeoutMs` has passed
 * before, or if there are no objects, for which it does not wait. Takes nothing:
 *
 * - a connection is ready when it has a message, or will have none any more because the other end is gone;
 * - a queue is ready when it has a message, or was ended and is drained;
 * - a listener is ready when a client waits to be accepted, who has authenticated himself if it has an `authkey`.
 *
 * So the call that takes would not have to wait, unless somebody else is faster: other consumers of a queue, or calls that are
 * pending on the same handle, which are served first.
 *
 * For thousands of objects: each is asked once to ring, all of them ring one doorbell, and what does not ring is not looked at. A
 * call is O(objects), being woken is O(those that rang). One that finds something ready at once looks at all of them.
 *
 * There is no variant that blocks its thread: the system lets a thread sleep on one object's word, not on those of many.
 *
 * @throws (rejects) ERR_CLOSED and ERR_MOVED, also when an object closes meanwhile, ERR_DIRECTION and ERR_INVALID_ARG, each with the
 * index of the object; the signal's reason
 *
 * @example
 * ```ts
 * import { Pipe, Queue, wait } from 'interproc';
 *
 * const [a, b] = Pipe<string>();
 * const jobs = Queue.create<string>('jobs-or-orders');
 * const waiting = wait([a, jobs]);
 * jobs.putNowait('sweep');
 * (await waiting)[0] === jobs; // => true
 * b.close(); // now both are: one has a message, the other will have none
 * (await wait([a, jobs])).length; // => 2
 * jobs.getNowait(); // => 'sweep'
 * await wait([jobs], { timeoutMs: 10 }); // => []
 * a.close();
 * jobs.close();
 * ```
 */
export function wait<W extends Waitable>(
  objects: Iterable<W>,
  options?: WaitOptions,
): Promise<W[]> {
  try {
    const list = listOf(objects);
    const readinesses = list.map(readinessOf);
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted === true) throw abortReason(signal);
    const ready = list.filter((_, index) => isReady(readinesses[index] as Readiness, index));
    if (ready.length > 0 || list.length === 0 || timeoutMs === 0) {
      return ++calls % CALLS_PER_TURN === 0
        ? afterTurn().then(() => ready)
        : Promise.resolve(ready);
    }
    return new Promise((resolve, reject) => {
      const settled = (indices: number[]) => resolve(indices.map((index) => list[index] as W));
      new Waiting(readinesses, settled, reject).start(timeoutMs, signal);
    });
  } catch (error) {
    return Promise.reject(error);
  }
}

function listOf<W>(objects: Iterable<W>): W[] {
  if (typeof objects !== 'string' && typeof objects?.[Symbol.iterator] === 'function') {
    return [...objects];
  }
  throw invalidArgument(
    'wait',
    'an array or another iterable of connections, queues and listeners',
    objects,
  );
}
