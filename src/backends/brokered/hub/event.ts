import { CHANGE } from '../../../contract/locks.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { CLEAR_EVENT, EVENT_STATE, SET_EVENT } from '../state-operations.js';
import type { StatePart, Surroundings, User } from './state-part.js';

/** A flag. Whoever waits when it is set goes on, however soon it is cleared: so it counts how often it was set. */
export class Event implements StatePart {
  readonly sides: readonly Side[] = [CHANGE];
  readonly #surroundings: Surroundings;
  readonly #marks = new Map<User, number>();
  #isSet = false;
  #sets = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  serve(_user: User, operation: number, _body: Body, reply: FrameWriter): boolean {
    if (operation === EVENT_STATE) reply.bool(this.#isSet).f64(this.#sets);
    else if (operation === SET_EVENT) {
      this.#isSet = true;
      this.#sets++;
      this.#surroundings.changed();
    } else if (operation === CLEAR_EVENT) this.#isSet = false;
    else return false;
    return true;
  }

  isWorthALook(user: User): boolean {
    return this.#isSet || this.#sets > (this.#marks.get(user) ?? 0);
  }

  hearWaiting(user: User, _side: Side, body: Body): void {
    this.#marks.set(user, body.f64());
  }

  sayReady(_user: User, _side: Side, word: FrameWriter): void {
    word.f64(this.#sets);
  }

  gaveUp(): void {}

  left(user: User): void {
    this.#marks.delete(user);
  }
}
