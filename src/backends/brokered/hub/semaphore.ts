import { ACQUIRE, ACQUIRED, BUSY, RECOVERED } from '../../../contract/locks.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { PERMITS, RELEASE, TRY_ACQUIRE } from '../state-operations.js';
import { fail } from './fail.js';
import type { StatePart, Surroundings, User } from './state-part.js';
import { Succession } from './succession.js';

const MOST_PERMITS = 2 ** 24 - 1;

/** Permits. Anybody may release one; what a handle has acquired and not released comes back when it closes or dies. */
export class Semaphore implements StatePart {
  readonly sides: readonly Side[] = [ACQUIRE];
  readonly #succession: Succession;
  /** That it began with. */
  readonly #initial: number;
  readonly #isBounded: boolean;
  readonly #held = new Map<User, number>();
  #heldByAll = 0;
  #free: number;
  #isAbandoned = false;

  /** @throws ERR_INVALID_ARG */
  constructor(surroundings: Surroundings, initial: number, isBounded: boolean) {
    if (initial > MOST_PERMITS) {
      fail('ERR_INVALID_ARG', `${initial} permits; a semaphore has ${MOST_PERMITS} at most`);
    }
    this.#succession = new Succession(surroundings, () => this.#free);
    this.#initial = initial;
    this.#isBounded = isBounded;
    this.#free = initial;
  }

  serve(user: User, operation: number, _body: Body, reply: FrameWriter): boolean {
    if (operation === TRY_ACQUIRE) reply.i32(this.#tryAcquire(user));
    else if (operation === RELEASE) reply.bool(this.#release(user));
    else if (operation === PERMITS) reply.u32(this.#free);
    else return false;
    return true;
  }

  #tryAcquire(user: User): number {
    if (!this.#succession.mayTake(user)) return BUSY;
    this.#succession.leave(user);
    this.#free--;
    this.#hold(user, 1);
    const status = this.#isAbandoned ? RECOVERED : ACQUIRED;
    this.#isAbandoned = false;
    return status;
  }

  #release(user: User): boolean {
    const holds = (this.#held.get(user) ?? 0) > 0;
    if (this.#isBounded ? this.#free >= this.#initial : !holds && !this.#hasRoomForMore) {
      return false;
    }
    this.#free++;
    if (holds) this.#hold(user, -1);
    this.#succession.offer();
    return true;
  }

  /** Who holds a permit of an unbounded one can always give it back: there is room for all that are held. */
  get #hasRoomForMore(): boolean {
    return this.#free + this.#heldByAll < MOST_PERMITS;
  }

  #hold(user: User, by: number): void {
    const held = (this.#held.get(user) ?? 0) + by;
    if (held === 0) this.#held.delete(user);
    else this.#held.set(user, held);
    this.#heldByAll += by;
  }

  isWorthALook(user: User): boolean {
    return this.#succession.isCalled(user) && this.#succession.mayTake(user);
  }

  hearWaiting(user: User): void {
    this.#succession.come(user);
  }

  sayReady(): void {}

  gaveUp(user: User): void {
    this.#succession.leave(user);
    this.#succession.offer();
  }

  /** No more come back than are missing from what it began with: somebody else may have released on its behalf. */
  left(user: User): void {
    this.#succession.leave(user);
    const held = this.#held.get(user) ?? 0;
    if (held > 0) {
      this.#hold(user, -held);
      const missing = Math.max(0, this.#initial - this.#free - this.#heldByAll);
      const back = Math.min(held, missing);
      this.#free += back;
      this.#isAbandoned ||= back > 0;
    }
    this.#succession.offer();
  }
}
