import { abortReason, invalidArgument, TimeoutError } from '../errors.js';
import { JOIN } from '../contract/channel.js';
import type { Cells, State } from '../contract/state.js';
import { DeadlineTimer } from './deadline-timer.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** Which wait of a state is that for a change. */
export const CHANGE = JOIN;

/** What it is that changes. */
export interface Watched<T> {
  /** As messages name it: "Value 'n'". */
  readonly what: string;
  /** As it is now. */
  read(): T;
}

/** Somebody changes it faster than we look, or a predicate does so itself: the event loop gets its turns. */
const FRUITLESS_ROUNDS = 64;

type Predicate<T> = (value: T) => unknown;

class Wait<T> {
  isPending = true;
  timer: DeadlineTimer | undefined;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;

  constructor(
    readonly predicate: Predicate<T>,
    readonly resolve: (value: T) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

function checkPredicate(predicate: unknown): void {
  if (typeof predicate === 'function') return;
  throw invalidArgument(
    'The predicate',
    'a function of the value, such as (v) => v > 0',
    predicate,
  );
}

/**
 * The calls of one handle that wait until the bytes are as they want them. Every one of them looks at every change.
 *
 * Invariants outside of a method: while a call is pending, the state is armed, or a turn of the event loop is due at whose
 * end they look, or a blocking call looks for them; when none is, the state is not armed.
 */
export class Watching<T> {
  readonly #state: Pick<State, 'arm' | 'disarm' | 'waitSync'>;
  readonly #cells: Cells;
  readonly #watched: Watched<T>;
  readonly #waits = new Set<Wait<T>>();
  #isArmed = false;
  #isLooking = false;

  constructor(
    state: Pick<State, 'arm' | 'disarm' | 'waitSync'>,
    cells: Cells,
    watched: Watched<T>,
  ) {
    this.#state = state;
    this.#cells = cells;
    this.#watched = watched;
  }

  /** Resolves with the first value seen that `predicate` accepts. */
  wait(predicate: Predicate<T>, options: WaitOptions | undefined): Promise<T> {
    try {
      checkPredicate(predicate);
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      if (signal?.aborted === true) throw abortReason(signal);
      const value = this.#watched.read();
      if (predicate(value)) return Promise.resolve(value);
      if (timeoutMs === 0) throw this.#timeoutError(0);
      return this.#add(predicate, timeoutMs, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The same, blocking this thread. Pending calls look with it. */
  waitSync(predicate: Predicate<T>, options: SyncWaitOptions | undefined): T {
    checkPredicate(predicate);
    const timeoutMs = syncTimeoutOf(options);
    const deadline = performance.now() + timeoutMs;
    this.#disarm();
    try {
      for (;;) {
        this.#cells.beforeLook();
        this.#look();
        const value = this.#watched.read();
        if (predicate(value)) return value;
        const left = deadline - performance.now();
        if (left <= 0) throw this.#timeoutError(timeoutMs);
        this.#state.waitSync(CHANGE, left);
      }
    } finally {
      this.#arm();
    }
  }

  /** The state rang: it is no longer armed. */
  rung(): void {
    this.#isArmed = false;
    this.#arm();
  }

  /** Each with an error of its own. */
  rejectAll(errorOf: () => unknown): void {
    for (const wait of this.#waits) this.#settle(wait, () => wait.reject(errorOf()));
    this.#disarm();
  }

  #add(predicate: Predicate<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> {
    // Again: the predicate may have done it, and an aborted signal says so no more.
    if (signal?.aborted === true) throw abortReason(signal);
    return new Promise<T>((resolve, reject) => {
      const wait = new Wait(predicate, resolve, reject);
      this.#waits.add(wait);
      if (timeoutMs !== Infinity) {
        wait.timer = new DeadlineTimer(timeoutMs, () => this.#timeOut(wait, timeoutMs));
      }
      if (signal !== undefined) {
        wait.signal = signal;
        wait.onAbort = () => this.#fail(wait, abortReason(signal));
        signal.addEventListener('abort', wait.onAbort, { once: true });
      }
      // Armed, every change from now on rings; there may have been one since it was looked for.
      if (this.#isArmed) this.#lookFor(wait);
      else this.#arm();
    });
  }

  /** Looks, and asks to be told when to look again for those that are left. */
  #arm(): void {
    for (let round = 0; this.#waits.size > 0 && !this.#isArmed && !this.#isLooking; round++) {
      if (round === FRUITLESS_ROUNDS) {
        setImmediate(() => this.#arm());
        return;
      }
      try {
        this.#cells.beforeLook();
        this.#look();
        if (this.#waits.size === 0) return;
        this.#isArmed = !this.#state.arm(CHANGE);
      } catch (error) {
        this.rejectAll(() => error);
      }
    }
  }

  #disarm(): void {
    if (!this.#isArmed) return;
    this.#isArmed = false;
    this.#state.disarm(CHANGE);
  }

  #look(): void {
    // Re-entered from a predicate: the loop further up goes on.
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (const wait of this.#waits) this.#lookFor(wait);
    } finally {
      this.#isLooking = false;
    }
  }

  #lookFor(wait: Wait<T>): void {
    try {
      const value = this.#watched.read();
      if (wait.predicate(value)) this.#settle(wait, () => wait.resolve(value));
    } catch (error) {
      this.#settle(wait, () => wait.reject(error));
    }
  }

  #timeOut(wait: Wait<T>, timeoutMs: number): void {
    this.#lookFor(wait);
    if (wait.isPending) this.#fail(wait, this.#timeoutError(timeoutMs));
    else this.#afterLeaving();
  }

  #fail(wait: Wait<T>, error: unknown): void {
    this.#settle(wait, () => wait.reject(error));
    this.#afterLeaving();
  }

  #afterLeaving(): void {
    if (this.#waits.size === 0) this.#disarm();
  }

  #settle(wait: Wait<T>, how: () => void): void {
    if (!wait.isPending) return;
    wait.isPending = false;
    this.#waits.delete(wait);
    wait.timer?.clear();
    if (wait.signal !== undefined && wait.onAbort !== undefined) {
      wait.signal.removeEventListener('abort', wait.onAbort);
    }
    how();
  }

  #timeoutError(timeoutMs: number): TimeoutError {
    return new TimeoutError(
      `${this.#watched.what} did not become what was waited for within ${timeoutMs} ms`,
    );
  }
}
