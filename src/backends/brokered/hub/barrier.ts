import { BROKEN, BUSY, CHANGE } from '../../../contract/locks.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { BARRIER_STATE, BREAK, COME, GIVE_UP, PASS, PHASE_ENDED } from '../state-operations.js';
import type { StatePart, Surroundings, User } from './state-part.js';

/** Where a number of parties come together, phase after phase. */
export class Barrier implements StatePart {
  readonly sides: readonly Side[] = [CHANGE];
  readonly #surroundings: Surroundings;
  readonly #parties: number;
  /** Who has a place in this phase. */
  readonly #here = new Set<User>();
  /** For the end of which phase a handle waits. */
  readonly #awaited = new Map<User, number>();
  #phase = 0;
  #come = 0;
  #isBroken = false;

  constructor(surroundings: Surroundings, parties: number) {
    this.#surroundings = surroundings;
    this.#parties = parties;
  }

  serve(user: User, operation: number, body: Body, reply: FrameWriter): boolean {
    switch (operation) {
      case COME:
        reply
          .i32(this.#comes(user))
          .f64(this.#phase)
          .bool(this.#come === this.#parties);
        return true;
      case PASS: {
        const isNow = body.f64() === this.#phase && this.#come === this.#parties;
        if (isNow) this.#end(false);
        reply.bool(isNow);
        return true;
      }
      case GIVE_UP: {
        const isNow = body.f64() === this.#phase && this.#here.has(user);
        if (isNow) this.#break(true);
        reply.bool(!isNow);
        return true;
      }
      case BARRIER_STATE:
        reply.u32(this.#come).bool(this.#isBroken);
        return true;
      case BREAK:
        this.#break(body.bool());
        return true;
      default:
        return false;
    }
  }

  #comes(user: User): number {
    if (this.#isBroken) return BROKEN;
    if (this.#come === this.#parties) return BUSY;
    this.#here.add(user);
    return this.#come++;
  }

  /** `stays`: also for those who come, until it is reset. */
  #break(stays: boolean): void {
    this.#isBroken = stays;
    this.#end(true);
  }

  #end(isBroken: boolean): void {
    const phase = this.#phase;
    for (const user of this.#here) {
      user.push(PHASE_ENDED, (word) => word.f64(phase).bool(isBroken));
    }
    this.#here.clear();
    this.#phase++;
    this.#come = 0;
    this.#surroundings.changed();
  }

  isWorthALook(user: User): boolean {
    return this.#phase !== this.#awaited.get(user);
  }

  hearWaiting(user: User, _side: Side, body: Body): void {
    this.#awaited.set(user, body.f64());
  }

  sayReady(_user: User, _side: Side, word: FrameWriter): void {
    word.f64(this.#phase);
  }

  gaveUp(): void {}

  left(user: User): void {
    this.#awaited.delete(user);
    if (this.#here.delete(user)) this.#break(true);
  }
}
