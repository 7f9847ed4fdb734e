import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import { Guard } from './guard.js';
import { Mutex } from './mutex.js';
import type { SideOfHandle } from './side-of-handle.js';
import type { StateHandle } from './state-handle.js';
import { partOf } from './state-parts.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/**
 * The lock of a value, an array or a list, the same one for all its handles: what Python's `get_lock()` gives. It holds nobody off who does
 * not ask for it. Otherwise it is as a `Lock`: owned by the task that has its guard, recovered and said so when its owner dies,
 * released by closing the handle.
 *
 * Every method throws ERR_CLOSED after the handle was closed.
 */
export class EmbeddedLock implements SideOfHandle {
  readonly #mutex: Mutex;

  /** @internal */
  constructor(handle: StateHandle) {
    this.#mutex = new Mutex<Guard>(
      handle,
      partOf(handle, 'lock'),
      (owner, recovered) => new Guard(owner, recovered),
      'use the guard that it has already',
    );
  }

  /** @throws (rejects) as `Lock.acquire` */
  acquire(options?: WaitOptions): Promise<Guard> {
    return this.#mutex.acquire(options);
  }

  /** @throws as `Lock.acquireSync` */
  acquireSync(options?: SyncWaitOptions): Guard {
    return this.#mutex.acquireSync(options);
  }

  /** The lock if it is free now; else null. */
  tryAcquire(): Guard | null {
    return this.#mutex.tryAcquire();
  }

  /** @throws ERR_NOT_OWNER if this handle does not hold it */
  release(): void {
    this.#mutex.release(this.#mutex.guard);
  }

  /** Runs `body` with the lock held, and resolves to what it returns. @throws (rejects) as `acquire`; what `body` throws */
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

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const facts = this.#mutex.isClosed
      ? { closed: true }
      : { held: this.isHeld, locked: this.isLocked };
    return `EmbeddedLock of ${this.#mutex.what} ${inspect(facts, options)}`;
  }

  /** @internal */
  get side(): SideOfHandle['side'] {
    return this.#mutex.side;
  }

  /** @internal */
  rung(): void {
    this.#mutex.rung();
  }

  /** @internal */
  rejectAll(errorOf: () => unknown): void {
    this.#mutex.rejectAll(errorOf);
  }
}
