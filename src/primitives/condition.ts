import { abortReason, InterprocError, invalidArgument } from '../errors.js';
import type { ConditionPart, LockPart } from '../contract/locks.js';
import { ChangeWaits } from './change-waits.js';
import { timedOut } from './event.js';
import { Guard } from './guard.js';
import { Lock, mutexOfLock } from './lock.js';
import { letLockTravel, LockHandle } from './lock-handle.js';
import { Mutex } from './mutex.js';
import { NOT_YET } from './pending-waits.js';
import type { Operation } from './pending-waits.js';
import { mutexOfRLock, RLock } from './rlock.js';
import type { StateHandle } from './state-handle.js';
import type { StateHandleOptions } from './state-options.js';
import { partOf } from './state-parts.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** How a condition is made. */
export interface ConditionOptions extends StateHandleOptions {
  /**
   * The lock under which one waits and notifies: several conditions can share one. Who opens a condition that was made with a lock
   * passes his handle of the same lock; closing the condition does not close it. Such a condition cannot travel in a message: send
   * its lock, and open the condition by name.
   * @default undefined: a lock of its own
   */
  readonly lock?: Lock | RLock | undefined;
}

/** `parameter` of a condition whose lock is another object. */
export const LOCK_IS_ANOTHER = 1;

function mutexOf(lock: unknown): Mutex {
  if (lock instanceof Lock) return mutexOfLock(lock);
  if (lock instanceof RLock) return mutexOfRLock(lock) as unknown as Mutex;
  throw invalidArgument('lock', 'a Lock or an RLock', lock);
}

/**
 * Waiting for something to become true that is changed and looked at under a lock.
 *
 * `wait` gives the lock back, waits to be notified, and has the lock again when it resolves, or rejects: with the same guard,
 * which does not hold meanwhile. An RLock is given back whole, however often it was acquired.
 *
 * A notification goes to one who waits, and is not lost if that one gives up or dies before he can take it: it goes to another,
 * if one waits. Killed waiters are forgotten. A waiter that finds its lock `recovered` finds that in its guard.
 *
 * Every method throws ERR_CLOSED after `close()`.
 *
 * @example
 * ```ts
 * import { Condition } from 'interproc';
 *
 * const changed = new Condition();
 * let price = 1;
 * const waiting = changed.with(async () => {
 *   await changed.waitFor(() => price > 1);
 *   return price;
 * });
 * await changed.with(() => {
 *   price = 2;
 *   changed.notifyAll();
 * });
 * await waiting; // => 2
 * changed.close();
 * ```
 */
export class Condition extends LockHandle {
  readonly #handle: StateHandle;
  readonly #part: ConditionPart;
  readonly #mutex: Mutex;
  /** What keeps its words in order where the lock is another object; who has that one is alone here. */
  readonly #inner: LockPart | undefined;
  readonly #waits: ChangeWaits;

  /** Conditions are made by `Condition.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new Condition(lock?)` for an anonymous one. */
  protected constructor(handle: StateHandle, { lock }: ConditionOptions) {
    const waits = new ChangeWaits(handle, `Nobody notified ${handle.what}`);
    const isAnother = handle.state.geometry.parameter === LOCK_IS_ANOTHER;
    const part = partOf(handle, 'lock');
    if (lock !== undefined) mutexOf(lock);
    if (isAnother !== (lock !== undefined)) {
      throw new InterprocError(
        'ERR_MISMATCH',
        isAnother
          ? `${handle.what} was created with another object's lock; pass { lock }, your handle of it`
          : `${handle.what} was created with a lock of its own; pass none`,
      );
    }
    const mutex =
      lock === undefined
        ? new Mutex<Guard>(
            handle,
            part,
            (owner, recovered) => new Guard(owner, recovered),
            'create it with an RLock and use its guard.acquire()',
          )
        : mutexOf(lock);
    super(handle, lock === undefined ? [waits, mutex] : [waits]);
    this.#handle = handle;
    this.#part = partOf(handle, 'condition');
    this.#mutex = mutex;
    this.#inner = lock === undefined ? undefined : part;
    this.#waits = waits;
  }

  // The lock

  /** The lock, as soon as it is free. Throws as `Lock.acquire`. */
  acquire(options?: WaitOptions): Promise<Guard> {
    return this.#locking().acquire(options);
  }

  /** The lock, blocking this thread until it is free. Throws as `Lock.acquireSync`. */
  acquireSync(options?: SyncWaitOptions): Guard {
    return this.#locking().acquireSync(options);
  }

  /** The lock if it is free now, or its owner dead; null if not, or if calls of this handle wait for it. */
  tryAcquire(): Guard | null {
    return this.#locking().tryAcquire();
  }

  /**
   * Gives the lock back, whichever task of this handle has it.
   *
   * @throws ERR_NOT_OWNER if this handle does not hold it
   */
  release(): void {
    const { guard } = this.#mutex;
    if (guard === undefined) this.#mutex.release(undefined);
    else guard.release();
  }

  /** Runs `body` with the lock held, as `Lock.with` does. */
  with<R>(body: (guard: Guard) => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    return this.#locking().with(body, options);
  }

  /** Whether a task of this handle holds the lock. */
  get isHeld(): boolean {
    return this.#mutex.isHeld;
  }

  // Waiting and notifying

  /**
   * Gives the lock back, waits for a notification, and has the lock again. Resolves to true, or to false if `timeoutMs` ran out
   * first, as in Python. The time is that until the notification; the lock is waited for as long as it takes. What one waits for
   * may have been undone by others meanwhile: look again, or use `waitFor`.
   *
   * @throws (rejects) ERR_NOT_OWNER if the lock is not held, and nothing has changed; the signal's reason, with the lock held;
   * ERR_CLOSED, also when the handle closes while it waits, without the lock
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    this.#handle.assertOpen();
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    return this.#wait(timeoutMs, signal);
  }

  /** As `wait`, blocking this thread. */
  waitSync(options?: SyncWaitOptions): boolean {
    this.#handle.assertCanBlock('waitSync');
    return this.#waitSync(syncTimeoutOf(options));
  }

  /**
   * Waits, as `wait` does, until `predicate` returns something truthy, and resolves to that; if `timeoutMs` ran out, to what it
   * returned last. It is called with the lock held, first of all, and after each notification.
   *
   * @throws (rejects) as `wait`; what `predicate` throws, with the lock held
   */
  async waitFor<R>(predicate: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    this.#handle.assertOpen();
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    checkPredicate(predicate);
    this.#heldGuard('waitFor');
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const result = await predicate();
      const leftMs = deadline - performance.now();
      if (Boolean(result) || leftMs <= 0) return result;
      await this.#wait(leftMs, signal);
    }
  }

  /** As `waitFor`, blocking this thread. */
  waitForSync<R>(predicate: () => R, options?: SyncWaitOptions): R {
    this.#handle.assertCanBlock('waitForSync');
    const timeoutMs = syncTimeoutOf(options);
    checkPredicate(predicate);
    this.#heldGuard('waitForSync');
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const result = predicate();
      const leftMs = deadline - performance.now();
      if (Boolean(result) || leftMs <= 0) return result;
      this.#waitSync(leftMs);
    }
  }

  /**
   * Lets up to `count` of those who wait go on, wherever they are, when they have the lock. Returns how many.
   *
   * @throws ERR_NOT_OWNER if the lock is not held; ERR_INVALID_ARG
   */
  notify(count = 1): number {
    this.#handle.assertOpen();
    if (!Number.isSafeInteger(count) || count < 0) {
      throw invalidArgument('notify', 'a whole number of those who wait, 0 or more', count);
    }
    return this.#notify('notify', count);
  }

  /**
   * Lets all go on who wait now. Returns how many.
   *
   * @throws ERR_NOT_OWNER if the lock is not held
   */
  notifyAll(): number {
    this.#handle.assertOpen();
    return this.#notify('notifyAll', Infinity);
  }

  async #wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted === true) throw abortReason(signal);
    const guard = this.#begin('wait');
    this.#mutex.suspend(guard, true);
    let isNotified: boolean;
    let failure: { readonly error: unknown } | undefined;
    try {
      // Never 0, which would be no wait: the lock is to be free for a moment at least.
      isNotified = await this.#waits.wait(
        this.#beingNotified(),
        timeoutMs || Number.MIN_VALUE,
        signal,
      );
    } catch (error) {
      isNotified = this.#end();
      if (!isNotified) failure = this.#unlessTimedOut(error, signal);
    }
    if (failure !== undefined && this.#mutex.isClosed) throw failure.error;
    await this.#mutex.resume(guard);
    if (isNotified) this.#part.finishWait();
    if (failure !== undefined) throw failure.error;
    return isNotified;
  }

  #waitSync(timeoutMs: number): boolean {
    const guard = this.#begin('waitSync');
    // Not to another task of this handle, which could not run, and so not release it.
    this.#mutex.suspend(guard, false);
    let isNotified: boolean;
    let failure: { readonly error: unknown } | undefined;
    try {
      isNotified = this.#waits.waitSync(this.#beingNotified(), timeoutMs);
    } catch (error) {
      isNotified = this.#end();
      if (!isNotified) failure = this.#unlessTimedOut(error, undefined);
    }
    this.#mutex.resumeSync(guard);
    if (isNotified) this.#part.finishWait();
    if (failure !== undefined) throw failure.error;
    return isNotified;
  }

  #begin(call: string): Guard {
    const guard = this.#heldGuard(call);
    if (!this.#alone(() => this.#part.beginWait())) throw this.#notHeld(call);
    return guard;
  }

  /** Whether it had been notified after all. */
  #end(): boolean {
    return !this.#handle.isClosed && this.#part.endWait();
  }

  #unlessTimedOut(
    error: unknown,
    signal: AbortSignal | undefined,
  ): { readonly error: unknown } | undefined {
    try {
      timedOut(error, signal);
      return undefined;
    } catch {
      return { error };
    }
  }

  #beingNotified(): Operation<true> {
    return { attempt: () => (this.#part.take() ? true : NOT_YET) };
  }

  #notify(call: string, count: number): number {
    this.#heldGuard(call);
    const notified = this.#alone(() => this.#part.notify(count));
    if (notified < 0) throw this.#notHeld(call);
    this.#waits.serve();
    return notified;
  }

  /** Its words are changed by one at a time, who holds its own lock. */
  #alone<R>(act: () => R): R {
    const inner = this.#inner;
    if (inner === undefined) return act();
    if (inner.tryAcquire(true) < 0) {
      throw new InterprocError(
        'ERR_MISMATCH',
        `${this.#handle.what} is being used by one who does not hold the same lock; let all pass handles of one lock`,
      );
    }
    try {
      return act();
    } finally {
      inner.release();
    }
  }

  #locking(): Mutex {
    this.#handle.assertOpen();
    return this.#mutex;
  }

  #heldGuard(call: string): Guard {
    const { guard } = this.#mutex;
    if (guard === undefined || !this.#mutex.isHeld) throw this.#notHeld(call);
    return guard;
  }

  #notHeld(call: string): InterprocError {
    return new InterprocError(
      'ERR_NOT_OWNER',
      `${call}(): the lock of ${this.#handle.what} is not held by this handle; acquire it first`,
    );
  }

  protected facts(): object {
    return { held: this.isHeld };
  }
}

function checkPredicate(predicate: unknown): void {
  if (typeof predicate === 'function') return;
  throw invalidArgument('predicate', 'a function that tells whether to go on', predicate);
}

letLockTravel('condition', ({ geometry }) => {
  if (geometry.parameter !== LOCK_IS_ANOTHER) return;
  throw new InterprocError(
    'ERR_ENCODE',
    "A condition with another object's lock cannot travel; send the lock, and open the condition by its name",
  );
});
