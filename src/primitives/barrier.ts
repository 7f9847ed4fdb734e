import { abortReason, InterprocError, invalidArgument } from '../errors.js';
import { BROKEN, BUSY } from '../contract/locks.js';
import type { BarrierPart, BarrierPlace } from '../contract/locks.js';
import { ChangeWaits } from './change-waits.js';
import { letLockTravel, LockHandle } from './lock-handle.js';
import { NOT_YET } from './pending-waits.js';
import type { Operation } from './pending-waits.js';
import type { StateHandle } from './state-handle.js';
import type { StateHandleOptions } from './state-options.js';
import { partOf } from './state-parts.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** How a handle of a barrier is made. */
export interface BarrierOptions extends StateHandleOptions {
  /**
   * Called each time by one of the parties, the last that comes, when all have come and before they go on. Every process passes its
   * own, and they should all do the same. `waitSync` takes only one that returns no promise. If it throws, the barrier is broken.
   * @default undefined: nothing is called
   */
  readonly action?: (() => unknown) | undefined;
  /**
   * How long this handle's `wait` and `waitSync` wait that are not told.
   * @default undefined: for ever
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * Where a number of parties wait until all have come; then all go on, and it is there for the next time.
 *
 * Who gives up, by its timeout, its signal, its death or by closing its handle, breaks the barrier: all that wait, and all that
 * come, get ERR_BROKEN until somebody calls `reset()`. A death is noticed within a second.
 *
 * Every method throws ERR_CLOSED after `close()`.
 *
 * @example
 * ```ts
 * import { Barrier } from 'interproc';
 *
 * const start = Barrier.create('start', 2);
 * const other = Barrier.open('start'); // in another process, as a rule
 * const indices = await Promise.all([start.wait(), other.wait()]);
 * indices.sort(); // => [ 0, 1 ]
 * start.close();
 * other.close();
 * ```
 */
export class Barrier extends LockHandle {
  readonly #handle: StateHandle;
  readonly #part: BarrierPart;
  readonly #waits: ChangeWaits;
  readonly #action: (() => unknown) | undefined;
  readonly #timeoutMs: number;

  /** Barriers are made by `Barrier.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new Barrier(parties)` for an anonymous one. */
  protected constructor(handle: StateHandle, { action, timeoutMs }: BarrierOptions) {
    if (action !== undefined && typeof action !== 'function') {
      throw invalidArgument('action', 'a function', action);
    }
    const timeout = timeoutOf({ timeoutMs });
    const waits = new ChangeWaits(handle, `Not all parties came to ${handle.what}`);
    super(handle, [waits]);
    this.#handle = handle;
    this.#part = partOf(handle, 'barrier');
    this.#waits = waits;
    this.#action = action;
    this.#timeoutMs = timeout;
  }

  /** How many must come. */
  get parties(): number {
    return this.#part.parties;
  }

  /** How many have come and wait now: a snapshot. */
  get waiting(): number {
    this.#handle.assertOpen();
    return this.#part.waiting();
  }

  /** Whether somebody gave up, and nobody has called `reset` since. */
  get broken(): boolean {
    this.#handle.assertOpen();
    return this.#part.isBroken();
  }

  /**
   * Comes, and waits until all have. Resolves to a number from 0 to parties - 1 that no other of them gets: exactly one gets 0, to do
   * what one of them is to do afterwards.
   *
   * @throws (rejects) ERR_BROKEN if the barrier is broken, or breaks meanwhile; ERR_TIMEOUT, the signal's reason, and what the
   * action throws: each breaks it for the others; ERR_CLOSED, also when the handle closes while it waits. An already aborted
   * signal breaks nothing.
   */
  async wait(options?: WaitOptions): Promise<number> {
    this.#handle.assertOpen();
    const timeoutMs = this.#timeoutOf(options, timeoutOf);
    const signal = signalOf(options);
    if (signal?.aborted === true) throw abortReason(signal);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const place = this.#come();
      if (place.isLast) return this.#lead(place);
      try {
        await this.#waits.wait(this.#ending(place), leftUntil(deadline), signal);
      } catch (error) {
        return this.#gaveUp(place, error);
      }
      if (place.index !== BUSY) return place.index;
    }
  }

  /** As `wait`, blocking this thread. */
  waitSync(options?: SyncWaitOptions): number {
    this.#handle.assertCanBlock('waitSync');
    const timeoutMs = this.#timeoutOf(options, syncTimeoutOf);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const place = this.#come();
      if (place.isLast) return this.#leadSync(place);
      try {
        this.#waits.waitSync(this.#ending(place), leftUntil(deadline));
      } catch (error) {
        return this.#gaveUp(place, error);
      }
      if (place.index !== BUSY) return place.index;
    }
  }

  /** Breaks it: all that wait, and all that come, get ERR_BROKEN until `reset()`. */
  abort(): void {
    this.#handle.assertOpen();
    this.#part.abort();
    this.#waits.serve();
  }

  /** Makes it as new. Those who wait get ERR_BROKEN. */
  reset(): void {
    this.#handle.assertOpen();
    this.#part.reset();
    this.#waits.serve();
  }

  #timeoutOf<O extends SyncWaitOptions>(
    options: O | undefined,
    read: (options: O | undefined) => number,
  ): number {
    const timeoutMs = read(options);
    return options?.timeoutMs === undefined ? this.#timeoutMs : timeoutMs;
  }

  /** @throws ERR_BROKEN */
  #come(): BarrierPlace {
    const place = this.#part.come();
    if (place === BROKEN) throw this.#brokenError();
    return place;
  }

  /** The end of its phase. */
  #ending(place: BarrierPlace): Operation<true> {
    return {
      attempt: () => {
        const status = this.#part.passed(place);
        if (status === BUSY) return NOT_YET;
        // Who had not come yet comes anew, and is told then.
        if (status === BROKEN && place.index !== BUSY) throw this.#brokenError();
        return true;
      },
    };
  }

  /** The last one that came. */
  async #lead(place: BarrierPlace): Promise<number> {
    try {
      await this.#action?.();
    } catch (error) {
      throw this.#actionFailed(error);
    }
    return this.#pass(place);
  }

  #leadSync(place: BarrierPlace): number {
    let result: unknown;
    try {
      result = this.#action?.();
    } catch (error) {
      throw this.#actionFailed(error);
    }
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function') {
      const takes = 'a function that returns no promise, where waitSync() is used';
      throw this.#actionFailed(invalidArgument('action', takes, result));
    }
    return this.#pass(place);
  }

  /** The index if it was passed in the last moment. */
  #gaveUp(place: BarrierPlace, error: unknown): number {
    const isBroken = error instanceof InterprocError && error.code === 'ERR_BROKEN';
    if (place.index === BUSY || isBroken || this.#handle.isClosed) throw error;
    const isPassed = this.#part.giveUp(place);
    this.#waits.serve();
    if (isPassed) return place.index;
    throw error;
  }

  #actionFailed(error: unknown): unknown {
    if (!this.#handle.isClosed) this.abort();
    return error;
  }

  #pass(place: BarrierPlace): number {
    this.#handle.assertOpen();
    const isPassed = this.#part.pass(place);
    this.#waits.serve();
    if (!isPassed) throw this.#brokenError();
    return place.index;
  }

  #brokenError(): InterprocError {
    return new InterprocError(
      'ERR_BROKEN',
      `${this.#handle.what} is broken: one of its parties gave up; reset() it when all are ready to begin anew`,
    );
  }

  protected facts(): object {
    return { parties: this.parties, waiting: this.waiting, broken: this.broken };
  }
}

/** Of a wait that has begun: never 0, so that it is waited at least once. */
function leftUntil(deadline: number): number {
  return Math.max(deadline - performance.now(), Number.MIN_VALUE);
}

letLockTravel('barrier');
