import { InterprocError } from '../errors.js';
import { ACQUIRE, RECOVERED } from '../contract/locks.js';
import type { SemaphorePart } from '../contract/locks.js';
import { Acquiring } from './acquiring.js';
import { Guard } from './guard.js';
import type { GuardOwner } from './guard.js';
import type { StateHandle } from './state-handle.js';
import { NOT_YET } from './pending-waits.js';
import { partOf } from './state-parts.js';
import { letLockTravel, LockHandle } from './lock-handle.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** The permits of one handle's guards. */
class Permits implements GuardOwner {
  readonly acquiring: Acquiring<Guard>;
  readonly part: SemaphorePart;
  readonly #handle: StateHandle;
  readonly #guards = new Set<Guard>();

  constructor(handle: StateHandle) {
    const part = partOf(handle, 'semaphore');
    this.#handle = handle;
    this.part = part;
    this.acquiring = new Acquiring(handle, ACQUIRE, `No permit of ${handle.what} came free`, {
      look: (isOnly) => {
        const status = part.tryAcquire(isOnly);
        if (status < 0) return NOT_YET;
        const guard = new Guard(this, status === RECOVERED);
        this.#guards.add(guard);
        return guard;
      },
      // Anybody may release.
      deadlock: () => undefined,
      waitsForUs: () => false,
    });
  }

  get what(): string {
    return this.#handle.what;
  }

  get held(): number {
    return this.#guards.size;
  }

  holds(guard: Guard): boolean {
    return this.#guards.has(guard) && !this.#handle.isClosed;
  }

  release(guard: Guard): void {
    this.#handle.assertOpen();
    if (!this.#guards.delete(guard)) {
      throw new InterprocError(
        'ERR_NOT_OWNER',
        `release(): this guard of ${this.what} was released before; release each once`,
      );
    }
    this.giveBack();
  }

  giveBack(): void {
    this.#handle.assertOpen();
    if (!this.part.release()) {
      throw new InterprocError(
        'ERR_OVER_RELEASE',
        `release(): ${this.what} has all the permits it may have; release once for each acquire`,
      );
    }
    this.acquiring.serve();
  }
}

/**
 * A number of permits. Acquiring takes one, waiting until there is one; anybody may release one, also who has acquired none: that
 * is how a permit is handed over, or a signal sent.
 *
 * *Death.* The permits of a process that dies, or of a handle that is closed, come back within a second, and who acquires next is
 * told (`guard.recovered`). What was released by somebody else on its behalf is not counted twice: no more come back than are
 * missing from what the semaphore began with. One that began with 0, as signals do, gets none back.
 *
 * All else is as with `Lock`, but for ERR_DEADLOCK: blocking can end here, for anybody may release.
 *
 * @example
 * ```ts
 * import { Semaphore } from 'interproc';
 *
 * const seats = new Semaphore(2);
 * const guard = await seats.acquire();
 * seats.value; // => 1
 * guard.release();
 * seats.release(); // one more than it began with
 * seats.value; // => 3
 * seats.close();
 * ```
 */
export class Semaphore extends LockHandle {
  readonly #permits: Permits;

  /** Semaphores are made by `Semaphore.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new Semaphore(value)` for an anonymous one. */
  protected constructor(handle: StateHandle) {
    const permits = new Permits(handle);
    super(handle, [permits.acquiring]);
    this.#permits = permits;
  }

  /**
   * A permit, as soon as there is one.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the handle closes while it waits. In each case
   * nothing was acquired
   */
  acquire(options?: WaitOptions): Promise<Guard> {
    return this.#permits.acquiring.acquire(options);
  }

  /** A permit, blocking this thread until there is one, ahead of this handle's pending calls. Throws as `acquire`. */
  acquireSync(options?: SyncWaitOptions): Guard {
    return this.#permits.acquiring.acquireSync(options);
  }

  /** A permit if there is one now; null if not, or if calls of this handle wait for one. */
  tryAcquire(): Guard | null {
    return this.#permits.acquiring.tryAcquire();
  }

  /**
   * Gives a permit back, or adds one: no guard is asked for. Guards that were not released stay valid.
   *
   * @throws ERR_OVER_RELEASE, of a BoundedSemaphore, if it has all its permits; of others, beyond 16,777,215
   */
  release(): void {
    this.#permits.giveBack();
  }

  /** Runs `body` with a permit, as `Lock.with` does with the lock. */
  async with<R>(body: (guard: Guard) => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    const guard = await this.acquire(options);
    try {
      return await body(guard);
    } finally {
      guard[Symbol.dispose]();
    }
  }

  /** Free permits: a snapshot. */
  get value(): number {
    this.#permits.acquiring.assertOpen();
    return this.#permits.part.value();
  }

  protected facts(): object {
    return { value: this.value, held: this.#permits.held };
  }
}

/** A semaphore that never has more permits than it began with: releasing too often throws ERR_OVER_RELEASE instead of hiding a mistake. */
export class BoundedSemaphore extends Semaphore {}

letLockTravel('semaphore');
letLockTravel('boundedSemaphore');
