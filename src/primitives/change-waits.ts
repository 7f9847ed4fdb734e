import type { InterprocError } from '../errors.js';
import { CHANGE } from '../contract/locks.js';
import { CALLS_PER_TURN } from './acquiring.js';
import { blockAhead } from './blocking.js';
import { NOT_YET, PendingWaits } from './pending-waits.js';
import type { Operation } from './pending-waits.js';
import type { SideOfHandle } from './side-of-handle.js';
import type { StateHandle } from './state-handle.js';

/** The tasks of one handle that wait for a change: of an event, a condition, a barrier. */
export class ChangeWaits implements SideOfHandle {
  readonly side = CHANGE;
  readonly #handle: StateHandle;
  readonly #waits: PendingWaits;
  #calls = 0;

  /** `timedOut`: what a TimeoutError says did not happen in time. */
  constructor(handle: StateHandle, timedOut: string) {
    this.#handle = handle;
    this.#waits = new PendingWaits(handle.state, CHANGE, timedOut);
  }

  timeoutError(timeoutMs: number): InterprocError {
    return this.#waits.timeoutError(timeoutMs);
  }

  /** Looks at once; does not wait if `timeoutMs` is 0. */
  wait<T>(operation: Operation<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> {
    const isTurnDue = ++this.#calls % CALLS_PER_TURN === 0;
    if (!isTurnDue || timeoutMs === 0) {
      this.serve();
      const result = this.#waits.isIdle ? operation.attempt() : NOT_YET;
      if (result !== NOT_YET) return Promise.resolve(result);
      if (timeoutMs === 0) return Promise.reject(this.timeoutError(0));
    }
    return this.#waits.add(operation, timeoutMs, signal, isTurnDue);
  }

  waitSync<T>(operation: Operation<T>, timeoutMs: number): T {
    return blockAhead(this.#handle.state, CHANGE, this.#waits, operation, timeoutMs);
  }

  /** A task of this handle has changed something. */
  serve(): void {
    if (!this.#waits.isIdle) this.#waits.serve();
  }

  rung(): void {
    this.#waits.rung();
  }

  rejectAll(errorOf: () => unknown): void {
    this.#waits.rejectAll(errorOf);
  }
}
