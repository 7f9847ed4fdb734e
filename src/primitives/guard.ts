import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

/** What a guard is of. */
export interface GuardOwner {
  /** How messages call it. */
  readonly what: string;
  holds(guard: Guard): boolean;
  /** @throws ERR_NOT_OWNER, ERR_CLOSED */
  release(guard: Guard): void;
}

/** @internal Says of a guard that it was got back from one who never released it. */
export let markRecovered: (guard: Guard) => void;

/**
 * A lock, a permit, or the right to read or write, in your hands until `release()`.
 *
 * A guard that is forgotten is *not* released: whether the work it protects is finished, only its holder knows. It stays held
 * until its handle is closed or its process ends, and the next owner is told (`recovered`). Use `with`, `using` or `finally`.
 */
export class Guard {
  readonly #owner: GuardOwner;
  #recovered: boolean;

  static {
    markRecovered = (guard) => {
      guard.#recovered = true;
    };
  }

  /** Made by the calls that acquire. */
  constructor(owner: GuardOwner, recovered: boolean) {
    this.#owner = owner;
    this.#recovered = recovered;
  }

  /**
   * Whether the previous owner never released it, because its process died or it closed its handle: what it was working on may be
   * half-done. Of a semaphore: whether permits have come back that way since somebody last acquired one. It is told once, to the
   * next owner; who cannot repair what it finds should pass the word on by means of its own.
   */
  get recovered(): boolean {
    return this.#recovered;
  }

  /** Whether it is still held: not released, not given up by closing the handle, and not lent to others by a condition's `wait`. */
  get isHeld(): boolean {
    return this.#owner.holds(this);
  }

  /**
   * Gives it back. O(1), without a system call unless somebody sleeps for it.
   *
   * @throws ERR_NOT_OWNER it was released before, or a condition's `wait` has lent the lock to others; ERR_CLOSED the handle was
   * closed, which gave it up
   */
  release(): void {
    this.#owner.release(this);
  }

  /** `using guard = await lock.acquire()`: releases it at the end of the block, unless it was released before. */
  [Symbol.dispose](): void {
    if (this.isHeld) this.release();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const facts = { held: this.isHeld, ...(this.#recovered ? { recovered: true } : {}) };
    return `Guard of ${this.#owner.what} ${inspect(facts, options)}`;
  }
}
