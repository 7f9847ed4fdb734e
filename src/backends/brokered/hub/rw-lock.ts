import { ACQUIRE, ACQUIRED, BUSY, RECOVERED, SHARE } from '../../../contract/locks.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { RELEASE_READ, RELEASE_WRITE, TRY_READ, TRY_WRITE } from '../state-operations.js';
import { fail } from './fail.js';
import type { StatePart, Surroundings, User } from './state-part.js';
import { Succession } from './succession.js';

/** For so long a lock that a writer has left is kept for those who waited to read meanwhile. */
const LAPSE_MS = 20;

/**
 * Any number of readers or one writer. Neither starves: who waits to write keeps new readers out, and those who waited to read while
 * somebody wrote come before the next writer.
 */
export class RwLock implements StatePart {
  readonly sides: readonly Side[] = [ACQUIRE, SHARE];
  readonly #writers: Succession;
  readonly #reads = new Map<User, number>();
  readonly #waitingToRead = new Set<User>();
  /** Those who come before the next writer. */
  #readersFirst = new Set<User>();
  #writer: User | undefined;
  #isAbandoned = false;

  constructor(surroundings: Surroundings) {
    this.#writers = new Succession(surroundings, () => (this.#isFreeToWrite ? 1 : 0));
  }

  get #isFreeToWrite(): boolean {
    return this.#writer === undefined && this.#reads.size === 0 && this.#readersFirst.size === 0;
  }

  serve(user: User, operation: number, _body: Body, reply: FrameWriter): boolean {
    if (operation === TRY_READ) reply.i32(this.#tryRead(user));
    else if (operation === RELEASE_READ) this.#releaseRead(user);
    else if (operation === TRY_WRITE) reply.i32(this.#tryWrite(user));
    else if (operation === RELEASE_WRITE) this.#releaseWrite(user);
    else return false;
    return true;
  }

  #mayRead(user: User): boolean {
    if (this.#writer !== undefined) return false;
    return this.#readersFirst.has(user) || !this.#writers.hasOthers(user);
  }

  #tryRead(user: User): number {
    if (!this.#mayRead(user)) return BUSY;
    this.#reads.set(user, (this.#reads.get(user) ?? 0) + 1);
    this.#waitingToRead.delete(user);
    this.#readersFirst.delete(user);
    return this.#take();
  }

  #releaseRead(user: User): void {
    const left = (this.#reads.get(user) ?? 0) - 1;
    if (left < 0) fail('ERR_NOT_OWNER', 'It is released by who does not read');
    if (left > 0) this.#reads.set(user, left);
    else this.#reads.delete(user);
    this.#writers.offer();
  }

  #tryWrite(user: User): number {
    if (!this.#writers.mayTake(user)) return BUSY;
    this.#writers.leave(user);
    this.#writer = user;
    return this.#take();
  }

  #releaseWrite(user: User): void {
    if (this.#writer !== user) fail('ERR_NOT_OWNER', 'It is released by who does not write');
    this.#writer = undefined;
    this.#letReadersIn();
  }

  #letReadersIn(): void {
    // Who waits to write too lets its own readers come after its writer.
    const first = new Set([...this.#waitingToRead].filter((user) => !this.#writers.has(user)));
    this.#readersFirst = first;
    this.#writers.offer();
    const [reader] = first;
    reader?.after(LAPSE_MS, () => {
      for (const user of first) this.#waitingToRead.delete(user);
      first.clear();
      this.#writers.offer();
    });
  }

  #take(): number {
    const status = this.#isAbandoned ? RECOVERED : ACQUIRED;
    this.#isAbandoned = false;
    return status;
  }

  isWorthALook(user: User, side: Side): boolean {
    if (side === SHARE) return this.#mayRead(user);
    return this.#writers.isCalled(user);
  }

  hearWaiting(user: User, side: Side): void {
    if (side === SHARE) this.#waitingToRead.add(user);
    else {
      this.#writers.come(user);
      if (this.#readersFirst.delete(user)) this.#writers.offer();
    }
  }

  sayReady(): void {}

  gaveUp(user: User, side: Side): void {
    if (side === SHARE) {
      this.#waitingToRead.delete(user);
      this.#readersFirst.delete(user);
    } else this.#writers.leave(user);
    this.#writers.offer();
  }

  left(user: User): void {
    this.#writers.leave(user);
    this.#waitingToRead.delete(user);
    this.#readersFirst.delete(user);
    if (this.#reads.delete(user)) this.#isAbandoned = true;
    if (this.#writer === user) {
      this.#writer = undefined;
      this.#isAbandoned = true;
      this.#letReadersIn();
    } else this.#writers.offer();
  }
}
