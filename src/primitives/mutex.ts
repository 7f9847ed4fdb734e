import { InterprocError } from '../errors.js';
import { ACQUIRE, RECOVERED } from '../contract/locks.js';
import type { LockPart } from '../contract/locks.js';
import { Acquiring } from './acquiring.js';
import { markRecovered } from './guard.js';
import type { Guard, GuardOwner } from './guard.js';
import { HeldHere } from './held-here.js';
import type { SideOfHandle } from './side-of-handle.js';
import type { StateHandle } from './state-handle.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet } from './pending-waits.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** What the tasks of one handle know about its lock: which of them has it, if one has. */
export class Mutex<G extends Guard = Guard> implements GuardOwner, SideOfHandle {
  readonly side = ACQUIRE;
  readonly #handle: StateHandle;
  readonly #part: LockPart;
  readonly #make: (mutex: Mutex<G>, recovered: boolean) => G;
  readonly #acquiring: Acquiring<G>;
  readonly #heldHere: HeldHere;
  readonly #again: string;
  #guard: G | undefined;

  /** `again`: what a task does instead that has it and wants it again. */
  constructor(
    handle: StateHandle,
    part: LockPart,
    make: (mutex: Mutex<G>, recovered: boolean) => G,
    again: string,
  ) {
    this.#handle = handle;
    this.#part = part;
    this.#make = make;
    this.#again = again;
    this.#heldHere = new HeldHere(handle.state.identity(), this);
    this.#acquiring = new Acquiring(handle, ACQUIRE, `${handle.what} did not come free`, {
      look: (isOnly) => this.#look(isOnly),
      deadlock: () => this.#deadlock(),
      waitsForUs: () => this.#guard !== undefined,
    });
  }

  get what(): string {
    return this.#handle.what;
  }

  get isHeld(): boolean {
    return this.#guard !== undefined && !this.#handle.isClosed;
  }

  get isLocked(): boolean {
    this.#handle.assertOpen();
    return this.#part.isLocked();
  }

  get isClosed(): boolean {
    return this.#handle.isClosed;
  }

  /** Whose guard it is in this handle. */
  get guard(): G | undefined {
    return this.#guard;
  }

  acquire(options?: WaitOptions): Promise<G> {
    return this.#acquiring.acquire(options);
  }

  acquireSync(options?: SyncWaitOptions): G {
    return this.#acquiring.acquireSync(options);
  }

  tryAcquire(): G | null {
    return this.#acquiring.tryAcquire();
  }

  async with<R>(
    body: (guard: G) => R | PromiseLike<R>,
    options: WaitOptions | undefined,
  ): Promise<R> {
    const guard = await this.acquire(options);
    try {
      return await body(guard);
    } finally {
      guard[Symbol.dispose]();
    }
  }

  holds(guard: Guard): boolean {
    return this.#guard === guard && !this.#handle.isClosed;
  }

  /** @throws ERR_NOT_OWNER, ERR_CLOSED */
  release(guard: Guard | undefined): void {
    if (guard === undefined || this.#guard !== guard || this.#handle.isClosed) {
      throw this.#notOwner(guard !== undefined);
    }
    this.#letGo();
    this.#acquiring.serve();
  }

  /** Gives it back to have it again by `resume` or `resumeSync`. `serves`: other tasks of this handle may have it meanwhile. */
  suspend(guard: G, serves: boolean): void {
    if (!this.holds(guard)) throw this.#notOwner(false);
    this.#letGo();
    if (serves) this.#acquiring.serve();
  }

  async resume(guard: G): Promise<void> {
    this.#handle.assertOpen();
    if (this.#acquiring.isIdle && this.#retake(guard) !== NOT_YET) return;
    await this.#acquiring.add(this.#acquiring.operation(() => this.#retake(guard)));
  }

  resumeSync(guard: G): void {
    this.#acquiring.block({ attempt: () => this.#retake(guard) }, Infinity);
  }

  rung(): void {
    this.#acquiring.rung();
  }

  rejectAll(errorOf: () => unknown): void {
    this.#heldHere.leave();
    this.#acquiring.rejectAll(errorOf);
  }

  #look(isOnly: boolean): G | NotYet {
    if (this.#guard !== undefined) return NOT_YET;
    const status = this.#part.tryAcquire(isOnly);
    if (status < 0) return NOT_YET;
    const guard = this.#make(this, status === RECOVERED);
    this.#guard = guard;
    this.#heldHere.own.exclusively = true;
    return guard;
  }

  #retake(guard: G): true | NotYet {
    if (this.#guard !== undefined) return NOT_YET;
    const status = this.#part.tryAcquire(false);
    if (status < 0) return NOT_YET;
    if (status === RECOVERED) markRecovered(guard);
    this.#guard = guard;
    this.#heldHere.own.exclusively = true;
    return true;
  }

  #letGo(): void {
    this.#guard = undefined;
    this.#heldHere.own.exclusively = false;
    if (this.#part.release()) return;
    throw new InterprocError(
      'ERR_CORRUPT',
      `${this.what} was not this handle's although nobody released it: something wrote to it that is not interproc`,
    );
  }

  #deadlock(): InterprocError | undefined {
    if (!this.#heldHere.isExclusive) return undefined;
    return new InterprocError(
      'ERR_DEADLOCK',
      `acquireSync(): this very thread holds ${this.what}, and could not release it while it is blocked; release it first, await acquire(), or ${this.#again}`,
    );
  }

  #notOwner(isGuard: boolean): InterprocError {
    if (this.#handle.isClosed) {
      return new InterprocError(
        'ERR_CLOSED',
        `${this.what} was closed here, which gave it up; release it before close()`,
      );
    }
    return new InterprocError(
      'ERR_NOT_OWNER',
      isGuard
        ? `release(): this guard of ${this.what} does not hold it any more; release it once`
        : `${this.what} is not held by this handle; acquire it first, on the same handle`,
    );
  }
}
