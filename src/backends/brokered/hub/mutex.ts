import { ACQUIRE, ACQUIRED, BUSY, RECOVERED } from '../../../contract/locks.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { IS_LOCKED, RELEASE, TRY_ACQUIRE } from '../state-operations.js';
import { fail } from './fail.js';
import type { StatePart, Surroundings, User } from './state-part.js';
import { Succession } from './succession.js';

/** A lock: one handle has it. */
export class Mutex implements StatePart {
  readonly sides: readonly Side[] = [ACQUIRE];
  readonly #succession: Succession;
  #owner: User | undefined;
  /** The last owner closed or died with it. */
  #isAbandoned = false;

  constructor(surroundings: Surroundings) {
    this.#succession = new Succession(surroundings, () => (this.#owner === undefined ? 1 : 0));
  }

  isOwner(user: User): boolean {
    return this.#owner === user;
  }

  serve(user: User, operation: number, _body: Body, reply: FrameWriter): boolean {
    if (operation === TRY_ACQUIRE) reply.i32(this.#tryAcquire(user));
    else if (operation === RELEASE) this.#release(user);
    else if (operation === IS_LOCKED) reply.bool(this.#owner !== undefined);
    else return false;
    return true;
  }

  #tryAcquire(user: User): number {
    if (!this.#succession.mayTake(user)) return BUSY;
    this.#succession.leave(user);
    this.#owner = user;
    const status = this.#isAbandoned ? RECOVERED : ACQUIRED;
    this.#isAbandoned = false;
    return status;
  }

  #release(user: User): void {
    if (this.#owner !== user) fail('ERR_NOT_OWNER', 'It is released by who does not have it');
    this.#owner = undefined;
    this.#succession.offer();
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

  left(user: User): void {
    this.#succession.leave(user);
    if (this.#owner === user) {
      this.#owner = undefined;
      this.#isAbandoned = true;
    }
    this.#succession.offer();
  }
}
