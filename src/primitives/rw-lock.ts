import { InterprocError } from '../errors.js';
import { ACQUIRE, RECOVERED, SHARE } from '../contract/locks.js';
import type { RwLockPart } from '../contract/locks.js';
import type { Side } from '../contract/shared-object.js';
import { Acquiring } from './acquiring.js';
import { Guard } from './guard.js';
import type { GuardOwner } from './guard.js';
import { HeldHere } from './held-here.js';
import { letLockTravel, LockHandle } from './lock-handle.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet } from './pending-waits.js';
import type { SideOfHandle } from './side-of-handle.js';
import type { StateHandle } from './state-handle.js';
import { partOf } from './state-parts.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** What the tasks of one handle may do: read, any number of them, or write, one of them. */
class Turns {
  readonly reading: Acquiring<Guard>;
  readonly writing: Acquiring<Guard>;
  readonly reads: Rights;
  readonly writes: Rights;
  readonly #handle: StateHandle;
  readonly #part: RwLockPart;
  readonly #heldHere: HeldHere;
  /** Those who waited to read while a task wrote come before the next that writes. */
  #readersFirst = false;

  constructor(handle: StateHandle) {
    this.#handle = handle;
    this.#part = partOf(handle, 'rwLock');
    this.#heldHere = new HeldHere(handle.state.identity(), this);
    this.reads = new Rights(handle, 'read', () => this.#readDone());
    this.writes = new Rights(handle, 'write', () => this.#writeDone());
    this.reading = this.#acquiring(SHARE, 'read', {
      look: (isOnly, isBlocking) => this.#lookToRead(isOnly, isBlocking),
      // Who reads already keeps writers out, and they keep new readers out.
      mustNotHold: () => this.#heldHere.isExclusive || this.#heldHere.isShared,
      waitsForUs: () => this.#mayNotRead(),
      gaveUp: () => undefined,
    });
    this.writing = this.#acquiring(ACQUIRE, 'write', {
      look: (isOnly) => this.#lookToWrite(isOnly),
      mustNotHold: () => this.#heldHere.isExclusive || this.#heldHere.isShared,
      waitsForUs: () => this.#mayNotWrite(),
      // It kept this handle's readers out.
      gaveUp: () =>
        queueMicrotask(() => {
          if (!handle.isClosed) this.reading.serve();
        }),
    });
  }

  /** What must be forgotten when the handle closes. */
  get leaving(): SideOfHandle {
    return {
      side: SHARE,
      rung: () => this.reading.rung(),
      rejectAll: (errorOf) => {
        this.#heldHere.leave();
        this.reading.rejectAll(errorOf);
      },
    };
  }

  #acquiring(
    side: Side,
    what: string,
    rules: {
      look(isOnly: boolean, isBlocking: boolean): Guard | NotYet;
      mustNotHold(): boolean;
      waitsForUs(): boolean;
      gaveUp(): void;
    },
  ): Acquiring<Guard> {
    const name = this.#handle.what;
    return new Acquiring(this.#handle, side, `${name} did not come free to ${what}`, {
      ...rules,
      deadlock: () => {
        if (!rules.mustNotHold()) return undefined;
        return new InterprocError(
          'ERR_DEADLOCK',
          `acquire${what === 'read' ? 'Read' : 'Write'}Sync(): this very thread holds ${name}, and could not release it while it is blocked; release it first, or await`,
        );
      },
    });
  }

  #mayNotRead(): boolean {
    return this.writes.count > 0 || (!this.writing.isIdle && !this.#readersFirst);
  }

  #mayNotWrite(): boolean {
    return this.writes.count > 0 || this.reads.count > 0;
  }

  #lookToRead(isOnly: boolean, isBlocking: boolean): Guard | NotYet {
    // A writer that waits in a blocked thread could do nothing with its turn.
    if (isBlocking ? this.writes.count > 0 : this.#mayNotRead()) return NOT_YET;
    const status = this.#part.tryRead(isOnly);
    if (status < 0) return NOT_YET;
    this.#heldHere.own.shared++;
    return this.reads.add(status === RECOVERED);
  }

  #lookToWrite(isOnly: boolean): Guard | NotYet {
    if (this.#mayNotWrite()) return NOT_YET;
    const status = this.#part.tryWrite(isOnly);
    if (status < 0) return NOT_YET;
    this.#heldHere.own.exclusively = true;
    return this.writes.add(status === RECOVERED);
  }

  #readDone(): void {
    this.#heldHere.own.shared--;
    this.#check(this.#part.releaseRead());
    this.writing.serve();
    this.reading.serve();
  }

  #writeDone(): void {
    this.#heldHere.own.exclusively = false;
    this.#check(this.#part.releaseWrite());
    this.#readersFirst = true;
    try {
      this.reading.serve();
    } finally {
      this.#readersFirst = false;
    }
    this.writing.serve();
  }

  #check(wasOurs: boolean): void {
    if (wasOurs) return;
    throw new InterprocError(
      'ERR_CORRUPT',
      `${this.#handle.what} was not this handle's although nobody released it: something wrote to it that is not interproc`,
    );
  }
}

/** The guards of one handle that read, or that write. */
class Rights implements GuardOwner {
  readonly #handle: StateHandle;
  readonly #right: string;
  readonly #done: () => void;
  readonly #guards = new Set<Guard>();

  constructor(handle: StateHandle, right: string, done: () => void) {
    this.#handle = handle;
    this.#right = right;
    this.#done = done;
  }

  get what(): string {
    return this.#handle.what;
  }

  get count(): number {
    return this.#guards.size;
  }

  add(recovered: boolean): Guard {
    const guard = new Guard(this, recovered);
    this.#guards.add(guard);
    return guard;
  }

  holds(guard: Guard): boolean {
    return this.#guards.has(guard) && !this.#handle.isClosed;
  }

  release(guard: Guard): void {
    this.#handle.assertOpen();
    if (!this.#guards.delete(guard)) {
      throw new InterprocError(
        'ERR_NOT_OWNER',
        `release(): this guard of ${this.what} was released before; release each once`,
      );
    }
    this.#done();
  }

  /** @throws ERR_NOT_OWNER, ERR_CLOSED */
  releaseLast(): void {
    this.#handle.assertOpen();
    const last = [...this.#guards].at(-1);
    if (last !== undefined) {
      this.release(last);
      return;
    }
    throw new InterprocError(
      'ERR_NOT_OWNER',
      `${this.what} is not held to ${this.#right} by this handle; acquire it first, on the same handle`,
    );
  }
}

/**
 * Any number of readers, or one writer.
 *
 * *Order.* Neither starves: who waits to write keeps new readers out, and those who waited to read while somebody wrote come before
 * the next writer. Therefore a task that reads must not wait to read again: a writer that waits for the first would keep out the
 * second.
 *
 * *Death.* What a process holds that dies, or a handle that is closed, goes to the next ones within a second; the next writer or
 * reader is told by `guard.recovered` if a writer died, since the data may be half-written; also if a reader did.
 *
 * All else is as with `Lock`.
 *
 * @example
 * ```ts
 * import { RWLock } from 'interproc';
 *
 * const lock = new RWLock();
 * const one = await lock.acquireRead();
 * const two = await lock.acquireRead();
 * lock.tryAcquireWrite(); // => null
 * one.release();
 * two.release();
 * await lock.withWrite(() => 'written'); // => 'written'
 * lock.close();
 * ```
 */
export class RWLock extends LockHandle {
  readonly #turns: Turns;

  /** RWLocks are made by `RWLock.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new RWLock()` for an anonymous one. */
  protected constructor(handle: StateHandle) {
    const turns = new Turns(handle);
    super(handle, [turns.leaving, turns.writing]);
    this.#turns = turns;
  }

  /**
   * The right to read, as soon as nobody writes or waits to.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED, also when the handle closes while it waits. In each case
   * nothing was acquired
   */
  acquireRead(options?: WaitOptions): Promise<Guard> {
    return this.#turns.reading.acquire(options);
  }

  /**
   * As `acquireRead`, blocking this thread.
   *
   * @throws ERR_DEADLOCK, whatever the timeout, if it would have to wait and this very thread writes or reads, by whichever
   * handle; else as `acquireRead`
   */
  acquireReadSync(options?: SyncWaitOptions): Guard {
    return this.#turns.reading.acquireSync(options);
  }

  /** The right to read if it can be had now; else null. */
  tryAcquireRead(): Guard | null {
    return this.#turns.reading.tryAcquire();
  }

  /** The right to write, as soon as nobody reads or writes. Throws as `acquireRead`. */
  acquireWrite(options?: WaitOptions): Promise<Guard> {
    return this.#turns.writing.acquire(options);
  }

  /**
   * As `acquireWrite`, blocking this thread.
   *
   * @throws ERR_DEADLOCK, whatever the timeout, if this very thread writes or reads, by whichever handle; else as `acquireWrite`
   */
  acquireWriteSync(options?: SyncWaitOptions): Guard {
    return this.#turns.writing.acquireSync(options);
  }

  /** The right to write if it can be had now; else null. */
  tryAcquireWrite(): Guard | null {
    return this.#turns.writing.tryAcquire();
  }

  /**
   * Gives back the right to read that this handle acquired last.
   *
   * @throws ERR_NOT_OWNER if no task of this handle reads
   */
  releaseRead(): void {
    this.#turns.reads.releaseLast();
  }

  /**
   * Gives back the right to write.
   *
   * @throws ERR_NOT_OWNER if no task of this handle writes
   */
  releaseWrite(): void {
    this.#turns.writes.releaseLast();
  }

  /** Runs `body` with the right to read, as `Lock.with` does with the lock. */
  withRead<R>(body: (guard: Guard) => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    return runWith(this.acquireRead(options), body);
  }

  /** Runs `body` with the right to write, as `Lock.with` does with the lock. */
  withWrite<R>(body: (guard: Guard) => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    return runWith(this.acquireWrite(options), body);
  }

  /** How many tasks of this handle read. */
  get reads(): number {
    return this.#turns.reads.count;
  }

  /** Whether a task of this handle writes. */
  get isWriting(): boolean {
    return this.#turns.writes.count > 0;
  }

  protected facts(): object {
    return { reads: this.reads, writing: this.isWriting };
  }
}

async function runWith<R>(
  acquired: Promise<Guard>,
  body: (guard: Guard) => R | PromiseLike<R>,
): Promise<R> {
  const guard = await acquired;
  try {
    return await body(guard);
  } finally {
    guard[Symbol.dispose]();
  }
}

letLockTravel('rwlock');
