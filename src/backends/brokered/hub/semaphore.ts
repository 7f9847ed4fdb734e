import type { Body, FrameWriter } from '../frames.js';
import { PERMITS, RELEASE } from '../state-operations.js';
import { AcquiredInTurn } from './acquired-in-turn.js';
import { fail } from './fail.js';
import type { Surroundings, User } from './state-part.js';

const MOST_PERMITS = 2 ** 24 - 1;

/** Permits. Anybody may release one; what a handle has acquired and not released comes back when it closes or dies. */
export class Semaphore extends AcquiredInTurn {
  /** That it began with. */
  readonly #initial: number;
  readonly #isBounded: boolean;
  readonly #held = new Map<User, number>();
  #heldByAll = 0;
  #free: number;

  /** @throws ERR_INVALID_ARG */
  constructor(surroundings: Surroundings, initial: number, isBounded: boolean) {
    super(surroundings);
    if (initial > MOST_PERMITS) {
      fail('ERR_INVALID_ARG', `${initial} permits; a semaphore has ${MOST_PERMITS} at most`);
    }
    this.#initial = initial;
    this.#isBounded = isBounded;
    this.#free = initial;
  }

  override serve(user: User, operation: number, body: Body, reply: FrameWriter): boolean {
    if (operation === RELEASE) reply.bool(this.#release(user));
    else if (operation === PERMITS) reply.u32(this.#free);
    else return super.serve(user, operation, body, reply);
    return true;
  }

  #release(user: User): boolean {
    const holds = (this.#held.get(user) ?? 0) > 0;
    if (this.#isBounded ? this.#free >= this.#initial : !holds && !this.#hasRoomForMore) {
      return false;
    }
    this.#free++;
    if (holds) this.#hold(user, -1);
    this.offer();
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

  protected get free(): number {
    return this.#free;
  }

  protected take(user: User): void {
    this.#free--;
    this.#hold(user, 1);
  }

  /** No more come back than are missing from what it began with: somebody else may have released on its behalf. */
  protected takeBack(user: User): boolean {
    const held = this.#held.get(user) ?? 0;
    if (held === 0) return false;
    this.#hold(user, -held);
    const missing = Math.max(0, this.#initial - this.#free - this.#heldByAll);
    const back = Math.min(held, missing);
    this.#free += back;
    return back > 0;
  }
}
