import type { Body, FrameWriter } from '../frames.js';
import { IS_LOCKED, RELEASE } from '../state-operations.js';
import { AcquiredInTurn } from './acquired-in-turn.js';
import { fail } from './fail.js';
import type { User } from './state-part.js';

/** A lock: one handle has it. */
export class Mutex extends AcquiredInTurn {
  #owner: User | undefined;

  isOwner(user: User): boolean {
    return this.#owner === user;
  }

  override serve(user: User, operation: number, body: Body, reply: FrameWriter): boolean {
    if (operation === RELEASE) this.#release(user);
    else if (operation === IS_LOCKED) reply.bool(this.#owner !== undefined);
    else return super.serve(user, operation, body, reply);
    return true;
  }

  #release(user: User): void {
    if (this.#owner !== user) fail('ERR_NOT_OWNER', 'It is released by who does not have it');
    this.#owner = undefined;
    this.offer();
  }

  protected get free(): number {
    return this.#owner === undefined ? 1 : 0;
  }

  protected take(user: User): void {
    this.#owner = user;
  }

  protected takeBack(user: User): boolean {
    if (this.#owner !== user) return false;
    this.#owner = undefined;
    return true;
  }
}
