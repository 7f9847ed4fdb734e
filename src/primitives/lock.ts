import { Guard } from './guard.js';
import { Mutex } from './mutex.js';
import type { StateHandle } from './state-handle.js';
import { partOf } from './state-parts.js';
import { letLockTravel, LockHandle } from './lock-handle.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** @internal The mutex of a lock. */
export let mutexOfLock: (lock: Lock) => Mutex;

/**
 * Mutual exclusion between processes, threads and the tasks of one event loop.
 *
 * *Owners.* A task holds the lock by its guard, and only this handle can release it: `lock.release()` releases whatever guard of
 * this handle holds it. A semaphore is for handing over.
 *
 * *Death.* A lock whose owner dies or closes its handle goes to the next one, within a second, and its guard says `recovered`: what
 * the lock guards may be half-written. An owner that is merely stopped keeps it.
 *
 * *Order.* Calls of one handle are served in the order they were made; but a blocking call comes before those that are pending,
 * which could not run meanwhile. Between handles, a lock that is free goes to whoever comes first, and no waiter is passed by more
 * than some hundred times or a few milliseconds. *Waiting* keeps the process alive (see `unref`), but not for ever for another task
 * of this handle: if nothing else is left to happen, nobody would release it, and the process ends.
 *
 * *Cost.* Free, it is one native call each to acquire and release, and no system call.
 *
 * Every method throws ERR_CLOSED after `close()`.
 *
 * @example
 * ```ts
 * import { Lock } from 'interproc';
 *
 * const lock = Lock.openOrCreate('printer');
 * const sum = await lock.with(() => 1 + 1);
 * sum; // => 2
 *
 * const guard = await lock.acquire({ timeoutMs: 1000 });
 * guard.recovered; // => false
 * lock.tryAcquire(); // => null
 * guard.release();
 * lock.close();
 * ```
 */
export class Lock extends LockHandle {
  readonly #mutex: Mutex;

  static {
    mutexOfLock = (lock) => lock.#mutex;
  }

  /** Locks are made by `Lock.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new Lock()` for an anonymous one. */
  protected constructor(handle: StateHandle) {
    const mutex = new Mutex<Guard>(
      handle,
      partOf(handle, 'lock'),
      (owner, recovered) => new Guard(owner, recovered),
      'use an RLock and its guard.acquire()',
    );
    super(handle, [mutex]);
    this.#mutex = mutex;
  }

  /**
   * The lock, as soon as it is free.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the handle closes while it waits. In each case
   * nothing was acquired. A task that awaits what it holds itself waits for ever: nobody can tell it from another task.
   */
  acquire(options?: WaitOptions): Promise<Guard> {
    return this.#mutex.acquire(options);
  }

  /**
   * The lock, blocking this thread until it is free.
   *
   * @throws ERR_DEADLOCK, whatever the timeout, if this very thread holds it, by this handle or another; else as `acquire`
   */
  acquireSync(options?: SyncWaitOptions): Guard {
    return this.#mutex.acquireSync(options);
  }

  /** The lock if it is free now, or its owner dead; null if not, or if calls of this handle wait for it. */
  tryAcquire(): Guard | null {
    return this.#mutex.tryAcquire();
  }

  /**
   * Gives it back, whichever task of this handle has it.
   *
   * @throws ERR_NOT_OWNER if this handle does not hold it
   */
  release(): void {
    this.#mutex.release(this.#mutex.guard);
  }

  /**
   * Runs `body` with the lock held, and resolves to what it returns. The lock is released when what it returns has settled, or it
   * throws; `body` may also release it earlier.
   *
   * @throws (rejects) as `acquire`; what `body` throws
   */
  with<R>(body: (guard: Guard) => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
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

letLockTravel('lock');
