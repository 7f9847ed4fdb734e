import { abortReason } from '../errors.js';
import type { InterprocError } from '../errors.js';
import type { Side } from '../contract/shared-object.js';
import { blockAhead } from './blocking.js';
import type { SideOfHandle } from './side-of-handle.js';
import type { StateHandle } from './state-handle.js';
import { NOT_YET, PendingWaits } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/**
 * After so many calls that did not have to wait, the event loop gets a turn: awaiting what is free never leaves V8's microtasks.
 * A turn costs 1.5-2 us: 2 ns per call.
 */
export const CALLS_PER_TURN = 1024;

// What setTimeout can count to.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How one handle gets hold of one thing. */
export interface Claim<G> {
  /** One look. `isOnly`: no wait follows. `isBlocking`: nothing else happens in this thread until it succeeds. */
  look(isOnly: boolean, isBlocking: boolean): G | NotYet;
  /** What a blocking call is to throw instead of waiting, because this thread itself is in its way. */
  deadlock(): InterprocError | undefined;
  /** Whether only a task that uses this very handle can end the wait, by a call that leads to `serve`. */
  waitsForUs(): boolean;
  /** A wait has ended without success. */
  gaveUp?(): void;
}

/** The awaited, the blocking and the try form of acquiring, for one side of one handle; calls are served in order. */
export class Acquiring<G> implements SideOfHandle {
  readonly side: Side;
  readonly #handle: StateHandle;
  readonly #claim: Claim<G>;
  readonly #waits: PendingWaits;
  readonly #operation: Operation<G>;
  #calls = 0;

  /** `timedOut`: what a TimeoutError says did not happen in time. */
  constructor(handle: StateHandle, side: Side, timedOut: string, claim: Claim<G>) {
    const { state } = handle;
    this.side = side;
    this.#handle = handle;
    this.#claim = claim;
    const waitedFor = {
      name: state.name,
      // Asleep for a lock that is in our own hands, a handle would only wake itself.
      arm: (which: Side) => !claim.waitsForUs() && state.arm(which),
      disarm: (which: Side) => state.disarm(which),
    };
    this.#waits = new PendingWaits(waitedFor, side, timedOut);
    this.#operation = this.operation(() => claim.look(false, false));
  }

  /** A wait of this side for something else than `look`. */
  operation<R>(attempt: () => R | NotYet): Operation<R> {
    return {
      attempt,
      failed: (error) => {
        this.#claim.gaveUp?.();
        return error;
      },
    };
  }

  assertOpen(): void {
    this.#handle.assertOpen();
  }

  get isIdle(): boolean {
    return this.#waits.isIdle;
  }

  acquire(options: WaitOptions | undefined): Promise<G> {
    try {
      this.#handle.assertOpen();
      if (options !== undefined) return this.#acquireWithin(options);
      return this.#start(Infinity, undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  acquireSync(options: SyncWaitOptions | undefined): G {
    this.#handle.assertCanBlock('acquireSync');
    const timeoutMs = syncTimeoutOf(options);
    const got = this.#claim.look(timeoutMs === 0, true);
    if (got !== NOT_YET) return got;
    const deadlock = this.#claim.deadlock();
    if (deadlock !== undefined) {
      // The look may have taken this handle's place among those who wait.
      this.#waits.suspend();
      this.#handle.state.leave(this.side);
      this.#waits.serve();
      throw deadlock;
    }
    return this.block({ attempt: () => this.#claim.look(false, true) }, timeoutMs);
  }

  tryAcquire(): G | null {
    this.#handle.assertOpen();
    const got = this.#lookOnce();
    return got === NOT_YET ? null : got;
  }

  /** Waits for as long as it takes. */
  add<R>(operation: Operation<R>): Promise<R> {
    return this.#waits.add(operation, Infinity, undefined);
  }

  block<R>(operation: Operation<R>, timeoutMs: number): R {
    return blockAhead(this.#handle.state, this.side, this.#waits, operation, timeoutMs);
  }

  /** It may be worth looking: a task of this handle gave something back. */
  serve(): void {
    if (!this.#waits.isIdle) this.#waits.serve();
  }

  rung(): void {
    this.#waits.rung();
  }

  rejectAll(errorOf: () => unknown): void {
    this.#waits.rejectAll(errorOf);
  }

  #acquireWithin(options: WaitOptions): Promise<G> {
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted === true) throw abortReason(signal);
    if (timeoutMs > 0) return this.#start(timeoutMs, signal);
    const got = this.#lookOnce();
    if (got === NOT_YET) throw this.#waits.timeoutError(0);
    return Promise.resolve(got);
  }

  #start(timeoutMs: number, signal: AbortSignal | undefined): Promise<G> {
    const isTurnDue = ++this.#calls % CALLS_PER_TURN === 0;
    if (this.#waits.isIdle && !isTurnDue) {
      const got = this.#claim.look(false, false);
      if (got !== NOT_YET) return Promise.resolve(got);
    }
    const waiting = this.#waits.add(this.#operation, timeoutMs, signal, isTurnDue);
    if (timeoutMs !== Infinity || signal !== undefined) this.#stayUntil(waiting, timeoutMs);
    return waiting;
  }

  /** A wait for a task of this handle asks nothing of the state that would keep the process alive; but one that can end does. */
  #stayUntil(waiting: Promise<G>, timeoutMs: number): void {
    if (!this.#handle.isRefd || !this.#claim.waitsForUs()) return;
    const staying = setTimeout(() => {}, Math.min(timeoutMs, LONGEST_TIMER_MS));
    const leave = () => clearTimeout(staying);
    waiting.then(leave, leave);
  }

  #lookOnce(): G | NotYet {
    this.serve();
    return this.#waits.isIdle ? this.#claim.look(true, false) : NOT_YET;
  }
}
