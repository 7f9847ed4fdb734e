import { ACQUIRE, ACQUIRED, BUSY, RECOVERED } from '../../../contract/locks.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { TRY_ACQUIRE } from '../state-operations.js';
import type { StatePart, Surroundings, User } from './state-part.js';
import { Succession } from './succession.js';

/** What handles acquire, and wait for in turn; what one had when it closed or died, the next hears that it was recovered. */
export abstract class AcquiredInTurn implements StatePart {
  readonly sides: readonly Side[] = [ACQUIRE];
  readonly #succession: Succession;
  /** Something came back of a handle that closed or died, and nobody has heard of it. */
  #isAbandoned = false;

  constructor(surroundings: Surroundings) {
    this.#succession = new Succession(surroundings, () => this.free);
  }

  /** How many may have it besides. */
  protected abstract readonly free: number;

  /** One more has it: something is free. */
  protected abstract take(user: User): void;

  /** A handle is gone: what it had is free again. Returns whether anything is. */
  protected abstract takeBack(user: User): boolean;

  serve(user: User, operation: number, _body: Body, reply: FrameWriter): boolean {
    if (operation !== TRY_ACQUIRE) return false;
    reply.i32(this.#tryAcquire(user));
    return true;
  }

  #tryAcquire(user: User): number {
    if (!this.#succession.mayTake(user)) return BUSY;
    this.#succession.leave(user);
    this.take(user);
    const status = this.#isAbandoned ? RECOVERED : ACQUIRED;
    this.#isAbandoned = false;
    return status;
  }

  /** Something is free again. */
  protected offer(): void {
    this.#succession.offer();
  }

  isWorthALook(user: User): boolean {
    return this.#succession.isCalled(user);
  }

  hearWaiting(user: User): void {
    this.#succession.come(user);
  }

  sayReady(): void {}

  gaveUp(user: User): void {
    this.#succession.leave(user);
    this.offer();
  }

  left(user: User): void {
    this.#succession.leave(user);
    if (this.takeBack(user)) this.#isAbandoned = true;
    this.offer();
  }
}
