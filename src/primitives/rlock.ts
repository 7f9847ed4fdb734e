import { InterprocError } from '../errors.js';
import { Guard } from './guard.js';
import type { GuardOwner } from './guard.js';
import { Mutex } from './mutex.js';
import type { StateHandle } from './state-handle.js';
import { partOf } from './state-parts.js';
import { letLockTravel, LockHandle } from './lock-handle.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** One task's ownership: the lock is given back with the last of its guards. */
class Ownership implements GuardOwner {
  /** Of those that are not released, in the order they were acquired. */
  readonly guards: RLockGuard[] = [];
  readonly #mutex: Mutex<RLockGuard>;
  /** The guard the mutex knows it by, released or not. */
  readonly #first: RLockGuard;

  constructor(mutex: Mutex<RLockGuard>, recovered: boolean) {
    this.#mutex = mutex;
    this.#first = this.#add(recovered);
  }

  get first(): RLockGuard {
    return this.#first;
  }

  get what(): string {
    return this.#mutex.what;
  }

  holds(guard: Guard): boolean {
    return this.#mutex.holds(this.#first) && this.guards.includes(guard as RLockGuard);
  }

  enter(guard: RLockGuard): RLockGuard {
    if (this.holds(guard)) return this.#add(guard.recovered);
    throw new InterprocError(
      'ERR_NOT_OWNER',
      `acquire(): this guard of ${this.what} does not hold it any more; acquire the lock itself`,
    );
  }

  release(guard: Guard): void {
    // Of one that is not held the mutex knows what to say.
    if (!this.holds(guard)) {
      if (this.#mutex.holds(this.#first)) throw notHeld(this.what);
      this.#mutex.release(guard);
      return;
    }
    this.guards.splice(this.guards.indexOf(guard as RLockGuard), 1);
    if (this.guards.length === 0) this.#mutex.release(this.#first);
  }

  #add(recovered: boolean): RLockGuard {
    const guard = new RLockGuard(this, recovered);
    this.guards.push(guard);
    return guard;
  }
}

function notHeld(what: string): InterprocError {
  return new InterprocError(
    'ERR_NOT_OWNER',
    `release(): this guard of ${what} was released before; release each once`,
  );
}

let ownershipOf: (guard: RLockGuard) => Ownership;

/** A guard of a lock that can be acquired again by who has it. */
export class RLockGuard extends Guard {
  readonly #ownership: Ownership;

  static {
    ownershipOf = (guard) => guard.#ownership;
  }

  /** Made by the calls that acquire. */
  constructor(ownership: Ownership, recovered: boolean) {
    super(ownership, recovered);
    this.#ownership = ownership;
  }

  /**
   * Another guard of the same ownership, at once. The lock is given back when all of its guards are released, in whatever order.
   *
   * @throws ERR_NOT_OWNER if this guard does not hold the lock any more
   */
  acquire(): RLockGuard {
    return this.#ownership.enter(this);
  }
}

/** @internal The mutex of a lock. */
export let mutexOfRLock: (lock: RLock) => Mutex<RLockGuard>;

/**
 * A lock that its owner can acquire again: by its guard, since the tasks of an event loop share a thread, and only a guard tells
 * who asks. `lock.acquire()` is for those who do not have it, and waits for those who have. All else is as with `Lock`.
 *
 * @example
 * ```ts
 * import { RLock } from 'interproc';
 *
 * const lock = new RLock();
 * const outer = await lock.acquire();
 * const inner = outer.acquire();
 * outer.release();
 * lock.isHeld; // => true
 * inner.release();
 * lock.isHeld; // => false
 * lock.close();
 * ```
 */
export class RLock extends LockHandle {
  readonly #mutex: Mutex<RLockGuard>;

  static {
    mutexOfRLock = (lock) => lock.#mutex;
  }

  /** RLocks are made by `RLock.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new RLock()` for an anonymous one. */
  protected constructor(handle: StateHandle) {
    const mutex = new Mutex<RLockGuard>(
      handle,
      partOf(handle, 'lock'),
      (owner, recovered) => new Ownership(owner, recovered).first,
      'acquire() it again by its guard',
    );
    super(handle, [mutex]);
    this.#mutex = mutex;
  }

  /** The lock, as soon as it is free. Throws as `Lock.acquire`. */
  acquire(options?: WaitOptions): Promise<RLockGuard> {
    return this.#mutex.acquire(options);
  }

  /** The lock, blocking this thread until it is free. Throws as `Lock.acquireSync`. */
  acquireSync(options?: SyncWaitOptions): RLockGuard {
    return this.#mutex.acquireSync(options);
  }

  /** The lock if it is free now, or its owner dead; null if not, or if calls of this handle wait for it. */
  tryAcquire(): RLockGuard | null {
    return this.#mutex.tryAcquire();
  }

  /**
   * Releases the guard of this handle that was acquired last.
   *
   * @throws ERR_NOT_OWNER if this handle does not hold it
   */
  release(): void {
    const { guard } = this.#mutex;
    const last = guard && ownershipOf(guard).guards.at(-1);
    if (last === undefined) this.#mutex.release(undefined);
    else last.release();
  }

  /** Runs `body` with the lock held, as `Lock.with` does. */
  with<R>(body: (guard: RLockGuard) => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    return this.#mutex.with(body, options);
  }

  /** Whether a task of this handle holds it. */
  get isHeld(): boolean {
    return this.#mutex.isHeld;
  }

  /** Whether anybody holds it: a snapshot. */
  get isLocked(): boolean {
    return this.#mutex.isLocked;
  }

  protected facts(): object {
    return { held: this.isHeld, locked: this.isLocked };
  }
}

letLockTravel('rlock');
