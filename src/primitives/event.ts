import { abortReason, TimeoutError } from '../errors.js';
import type { EventPart } from '../contract/locks.js';
import { ChangeWaits } from './change-waits.js';
import { letLockTravel, LockHandle } from './lock-handle.js';
import { NOT_YET } from './pending-waits.js';
import type { Operation } from './pending-waits.js';
import type { StateHandle } from './state-handle.js';
import { partOf } from './state-parts.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/**
 * A flag that tasks, threads and processes wait for. It begins cleared.
 *
 * Whoever was waiting when it was set goes on, however soon it is cleared again. It belongs to nobody: the death of who has set it
 * changes nothing. Pending waits keep the process alive (see `unref`).
 *
 * Every method throws ERR_CLOSED after `close()`.
 *
 * @example
 * ```ts
 * import { Event } from 'interproc';
 *
 * const ready = Event.create('ready');
 * await ready.wait({ timeoutMs: 5 }); // => false
 * const waiting = ready.wait();
 * ready.set();
 * await waiting; // => true
 * ready.isSet; // => true
 * ready.close();
 * ```
 */
export class Event extends LockHandle {
  readonly #handle: StateHandle;
  readonly #part: EventPart;
  readonly #waits: ChangeWaits;

  /** Events are made by `Event.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new Event()` for an anonymous one. */
  protected constructor(handle: StateHandle) {
    const waits = new ChangeWaits(handle, `${handle.what} was not set`);
    super(handle, [waits]);
    this.#handle = handle;
    this.#part = partOf(handle, 'event');
    this.#waits = waits;
  }

  /** Whether it is set: a snapshot. */
  get isSet(): boolean {
    this.#handle.assertOpen();
    return this.#part.isSet();
  }

  /** Sets it: all that wait go on. Again is no error. O(waiting handles) */
  set(): void {
    this.#handle.assertOpen();
    this.#part.set();
    this.#waits.serve();
  }

  /** Clears it: who waits from now on waits for the next `set`. */
  clear(): void {
    this.#handle.assertOpen();
    this.#part.clear();
  }

  /**
   * Waits until it is set: at once if it is. Resolves to true, or to false if `timeoutMs` ran out, as in Python.
   *
   * @throws (rejects) the signal's reason; ERR_CLOSED, also when the handle closes while it waits
   */
  wait(options?: WaitOptions): Promise<boolean> {
    try {
      this.#handle.assertOpen();
      const timeoutMs = timeoutOf(options);
      const signal = signalOf(options);
      if (signal?.aborted === true) throw abortReason(signal);
      const settled = this.#waits.wait(this.#beingSet(), timeoutMs, signal);
      return timeoutMs === Infinity ? settled : settled.catch((error) => timedOut(error, signal));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `wait`, blocking this thread. */
  waitSync(options?: SyncWaitOptions): boolean {
    this.#handle.assertCanBlock('waitSync');
    const timeoutMs = syncTimeoutOf(options);
    try {
      return this.#waits.waitSync(this.#beingSet(), timeoutMs);
    } catch (error) {
      return timedOut(error, undefined);
    }
  }

  /** From now on. */
  #beingSet(): Operation<true> {
    const part = this.#part;
    const mark = part.mark();
    return { attempt: () => (part.happened(mark) ? true : NOT_YET) };
  }

  protected facts(): object {
    return { set: this.isSet };
  }
}

/** False for the end of the time given; other errors go on. */
export function timedOut(error: unknown, signal: AbortSignal | undefined): false {
  if (error instanceof TimeoutError && error !== signal?.reason) return false;
  throw error;
}

letLockTravel('event');
