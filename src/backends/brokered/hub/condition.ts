import { CHANGE } from '../../../contract/locks.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { BEGIN_WAIT, END_WAIT, FINISH_WAIT, NOTIFY_WAITING } from '../state-operations.js';
import { fail } from './fail.js';
import type { Mutex } from './mutex.js';
import type { StatePart, Surroundings, User } from './state-part.js';

/** Of one handle. */
interface Account {
  /** Tasks that wait, those that were notified and do not have the lock again included. */
  waiting: number;
  /** Of them, those that were notified. */
  notified: number;
  /** How many notifications it was ever given, and how many it has taken as far as we know; modulo 2^32. */
  given: number;
  taken: number;
}

/** Notifications go to handles, and there to whichever task looks first. Until it has the lock they go on to others if it dies. */
export class Condition implements StatePart {
  readonly sides: readonly Side[] = [CHANGE];
  readonly #surroundings: Surroundings;
  readonly #mutex: Mutex;
  readonly #accounts = new Map<User, Account>();

  constructor(surroundings: Surroundings, mutex: Mutex) {
    this.#surroundings = surroundings;
    this.#mutex = mutex;
  }

  serve(user: User, operation: number, body: Body, reply: FrameWriter): boolean {
    const account = this.#accountOf(user);
    switch (operation) {
      case BEGIN_WAIT:
        if (!this.#mutex.isOwner(user)) fail('ERR_NOT_OWNER', 'It waits without the lock');
        account.waiting++;
        return true;
      case END_WAIT:
        account.taken = body.u32();
        reply.bool(this.#endWait(account)).u32(account.given);
        return true;
      case FINISH_WAIT:
        if (account.notified === 0) fail('ERR_NOT_OWNER', 'It was not notified');
        account.notified--;
        account.waiting--;
        return true;
      case NOTIFY_WAITING: {
        const count = body.f64();
        reply.i32(this.#mutex.isOwner(user) ? this.#notify(count) : -1).u32(account.given);
        return true;
      }
      default:
        return false;
    }
  }

  /** Whether all that wait there have been notified, and so this one too. */
  #endWait(account: Account): boolean {
    if (account.waiting === 0) fail('ERR_NOT_OWNER', 'Nobody waits there');
    if (account.notified === account.waiting) return true;
    account.waiting--;
    return false;
  }

  #notify(count: number): number {
    let notified = 0;
    for (const account of this.#accounts.values()) {
      while (notified < count && account.notified < account.waiting) {
        account.notified++;
        account.given = (account.given + 1) >>> 0;
        notified++;
      }
    }
    if (notified > 0) this.#surroundings.changed();
    return notified;
  }

  #accountOf(user: User): Account {
    let account = this.#accounts.get(user);
    if (account === undefined) {
      account = { waiting: 0, notified: 0, given: 0, taken: 0 };
      this.#accounts.set(user, account);
    }
    return account;
  }

  isWorthALook(user: User): boolean {
    const { given, taken } = this.#accountOf(user);
    return given !== taken;
  }

  hearWaiting(user: User, _side: Side, body: Body): void {
    this.#accountOf(user).taken = body.u32();
  }

  sayReady(user: User, _side: Side, word: FrameWriter): void {
    word.u32(this.#accountOf(user).given);
  }

  gaveUp(): void {}

  left(user: User): void {
    const notified = this.#accounts.get(user)?.notified ?? 0;
    this.#accounts.delete(user);
    this.#notify(notified);
  }
}
