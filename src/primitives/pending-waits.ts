import { abortReason, TimeoutError } from '../errors.js';
import { JOIN, PUT, TAKE } from '../contract/channel.js';
import type { Channel, Side } from '../contract/channel.js';
import { DeadlineTimer } from './deadline-timer.js';
import type { Watcher } from './waitable.js';

/** What an attempt returns when it must wait. */
export const NOT_YET: unique symbol = Symbol('not yet');
export type NotYet = typeof NOT_YET;

/** One kind of call, as something that is tried until it succeeds. */
export interface Operation<T> {
  /** One look: the result, or NOT_YET. What it throws ends the wait. */
  attempt(): T | NotYet;
  /**
   * The wait ended otherwise. Returns the error to fail with, after adding to it how far the call had got; undefined if it
   * was withdrawn.
   */
  failed?<E>(error: E): E;
}

/** The error that a wait of this operation fails with. */
export function failureOf<E>(operation: Operation<unknown>, error: E): E {
  return operation.failed === undefined ? error : operation.failed(error);
}

/**
 * A channel that says "look again" although a look finds nothing is about to change its mind, within a round
 * or two. Whatever makes it go on, the event loop gets its turns.
 */
const FRUITLESS_ROUNDS = 64;

/** What did not happen to a queue. */
function describeTimeout(side: Side, name: string): string {
  switch (side) {
    case TAKE:
      return `No message came from queue '${name}'`;
    case PUT:
      return `No room came free in queue '${name}'`;
    case JOIN:
      return `Not all messages of queue '${name}' were finished`;
  }
}

/** What is waited for. */
export type WaitedFor = Pick<Channel, 'name' | 'arm' | 'disarm'>;

/** Who takes what no call is pending for. */
export interface Taker {
  /** Takes all that is there, or asks to be told no more. Must not throw. */
  take(): void;
  failed(error: unknown): void;
}

class Wait {
  previous: Wait | undefined;
  next: Wait | undefined;
  isPending = true;
  timer: DeadlineTimer | undefined;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  /** How it ends if the attempt that is under way finds nothing. */
  ending: (() => void) | undefined;

  constructor(
    readonly operation: Operation<unknown>,
    readonly resolve: (value: unknown) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

/**
 * The calls of one handle that wait for the same thing, first come first served.
 *
 * Besides them there may be those who only watch, and one who takes what no call is pending for. They are told when it is worth
 * looking and nobody is pending: calls that take go first.
 *
 * Invariants outside of a method: while a call is pending or somebody is to be told, the channel is armed, or a turn of the event
 * loop is due at whose end `serve` runs, or a blocking call is serving them; when none is, the channel is not armed. Only the
 * first call is ever attempted.
 */
export class PendingWaits {
  readonly #channel: WaitedFor;
  readonly #side: Side;
  readonly #timedOut: string;
  #first: Wait | undefined;
  #last: Wait | undefined;
  #isArmed = false;
  #isLooking = false;
  #attempted: Wait | undefined;
  #onIdle: (() => void) | undefined;
  #taker: Taker | undefined;
  #watchers: Set<Watcher> | undefined;
  #isTelling = false;

  /** `timedOut`: what a TimeoutError says did not happen in time. */
  constructor(
    channel: WaitedFor,
    side: Side,
    timedOut: string = describeTimeout(side, channel.name),
  ) {
    this.#channel = channel;
    this.#side = side;
    this.#timedOut = timedOut;
  }

  get isIdle(): boolean {
    return this.#first === undefined;
  }

  /** Whether an attempt is under way: then nobody else can be served, until it returns. */
  get isLooking(): boolean {
    return this.#isLooking;
  }

  /**
   * Adds a call that has just been tried in vain (or has others before it), and settles as it does in the end.
   * `afterTurn`: it was not tried, because the event loop is to have a turn first.
   */
  add<T>(
    operation: Operation<T>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    afterTurn = false,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) {
        // By code of the caller's that ran meanwhile: it will not fire again.
        reject(failureOf(operation, abortReason(signal)));
        return;
      }
      const wait = new Wait(operation, resolve as (value: unknown) => void, reject);
      const isFirst = this.#first === undefined;
      wait.previous = this.#last;
      if (this.#last === undefined) this.#first = wait;
      else this.#last.next = wait;
      this.#last = wait;

      if (timeoutMs !== Infinity) {
        wait.timer = new DeadlineTimer(timeoutMs, () => this.#timeOut(wait, timeoutMs));
      }
      if (signal !== undefined) {
        wait.signal = signal;
        wait.onAbort = () => this.#fail(wait, abortReason(signal));
        signal.addEventListener('abort', wait.onAbort, { once: true });
      }
      if (afterTurn && isFirst) setImmediate(() => this.serve());
      else if (isFirst) this.#arm();
    });
  }

  /** Whether somebody watches, or takes what no call is pending for. */
  get isWatched(): boolean {
    return this.#taker !== undefined || (this.#watchers?.size ?? 0) > 0;
  }

  /** Tells `watcher`, once, when it is worth looking and no call is pending. */
  watch(watcher: Watcher): void {
    (this.#watchers ??= new Set()).add(watcher);
    this.#arm();
  }

  unwatch(watcher: Watcher): void {
    if (this.#watchers?.delete(watcher) === true && !this.#isWaiting()) this.suspend();
  }

  /** Who takes what no call is pending for; undefined: nobody any more. */
  setTaker(taker: Taker | undefined): void {
    this.#taker = taker;
    if (taker !== undefined) this.#arm();
    else if (!this.#isWaiting()) this.suspend();
  }

  /** Serves as many as can be, in order, and asks to be told about the rest. Called when it is worth looking. */
  serve(): void {
    this.suspend();
    this.look();
    this.#arm();
  }

  /** There may be something now, which the channel does not know of. */
  came(): void {
    if (this.#isTelling) {
      queueMicrotask(() => this.came());
      return;
    }
    this.suspend();
    this.look();
    if (this.#first === undefined && this.isWatched) this.#tell();
    this.#arm();
  }

  /** Called when the channel rang: it is no longer armed, and it is worth looking. */
  rung(): void {
    this.#isArmed = false;
    // Pending calls go first; a channel that is armed behind them says whether they leave something.
    if (this.#first === undefined && this.isWatched) this.#tell();
    this.serve();
  }

  /** Stops asking the channel, for a call that serves the pending ones itself by `look` and ends with `serve`. */
  suspend(): void {
    if (!this.#isArmed) return;
    this.#isArmed = false;
    this.#channel.disarm(this.#side);
  }

  /** Serves as many as can be, in order, and returns whether none is left. */
  look(): boolean {
    // Re-entered from a codec of the caller's: the loop further up goes on.
    if (this.#isLooking) return false;
    this.#isLooking = true;
    try {
      while (this.#first !== undefined && this.#attempt(this.#first));
    } finally {
      this.#isLooking = false;
    }
    return this.#first === undefined;
  }

  /** Settles every pending call of this operation with `value`; none of them takes anything. */
  finish<T>(operation: Operation<T>, value: T): void {
    for (let wait = this.#first; wait !== undefined; wait = wait.next) {
      if (wait.operation !== operation) continue;
      this.#end(wait, () => {
        operation.failed?.(undefined);
        wait.resolve(value);
      });
    }
    this.#afterLeaving();
  }

  /** Each with an error of its own, to which its operation may add. */
  rejectAll(errorOf: () => unknown): void {
    for (let wait = this.#first; wait !== undefined; wait = wait.next) {
      this.#reject(wait, errorOf());
    }
    const watchers = this.#watchers;
    this.#watchers = undefined;
    for (const watcher of watchers ?? []) watcher.failed(errorOf());
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.failed(errorOf());
    this.suspend();
  }

  /** Calls back once, as soon as nothing is pending: at once if nothing is. */
  whenIdle(callback: () => void): void {
    if (this.#first === undefined) callback();
    else this.#onIdle = callback;
  }

  timeoutError(timeoutMs: number): TimeoutError {
    return new TimeoutError(`${this.#timedOut} within ${timeoutMs} ms`);
  }

  /** Whether the wait is over. */
  #attempt(wait: Wait): boolean {
    let result: unknown;
    this.#attempted = wait;
    try {
      result = wait.operation.attempt();
    } catch (error) {
      this.#attempted = undefined;
      this.#reject(wait, error);
      return true;
    }
    this.#attempted = undefined;
    if (result === NOT_YET) {
      if (wait.ending === undefined) return false;
      this.#end(wait, wait.ending);
      return true;
    }
    this.#remove(wait);
    wait.resolve(result);
    return true;
  }

  #arm(): void {
    // Re-entered while those who are to be told are: the loop further up goes on, and arms.
    if (this.#isTelling) return;
    for (let round = 0; this.#isWaiting() && !this.#isArmed && !this.#isLooking; round++) {
      if (round === FRUITLESS_ROUNDS) {
        setImmediate(() => this.serve());
        return;
      }
      try {
        this.#isArmed = !this.#channel.arm(this.#side);
      } catch (error) {
        this.#failFirst(error);
        continue;
      }
      if (this.#isArmed) return;
      this.look();
      if (this.#first === undefined && this.isWatched) this.#tell();
    }
  }

  #isWaiting(): boolean {
    return this.#first !== undefined || this.isWatched;
  }

  /** It is worth looking, and nobody is pending. */
  #tell(): void {
    this.#isTelling = true;
    try {
      this.#taker?.take();
      const watchers = this.#watchers;
      this.#watchers = undefined;
      for (const watcher of watchers ?? []) watcher.worthALook();
    } finally {
      this.#isTelling = false;
    }
    // Codecs of the caller's may have run, and called.
    this.look();
  }

  /** The channel cannot be armed. For the next it is asked again, so that each gets an error of its own. */
  #failFirst(error: unknown): void {
    if (this.#first !== undefined) {
      this.#reject(this.#first, error);
      return;
    }
    const taker = this.#taker;
    this.#taker = undefined;
    if (taker !== undefined) {
      taker.failed(error);
      return;
    }
    for (const watcher of this.#watchers ?? []) {
      this.#watchers?.delete(watcher);
      watcher.failed(error);
      return;
    }
  }

  #timeOut(wait: Wait, timeoutMs: number): void {
    // Timers run before the doorbell is read: what came in time is not missed.
    this.serve();
    if (wait.isPending) this.#fail(wait, this.timeoutError(timeoutMs));
  }

  #fail(wait: Wait, error: unknown): void {
    this.#reject(wait, error);
    this.#afterLeaving();
  }

  #reject(wait: Wait, error: unknown): void {
    this.#end(wait, () => wait.reject(failureOf(wait.operation, error)));
  }

  /**
   * A codec of the caller's may end the very wait that it decodes for, by aborting it or closing the handle: what the attempt
   * comes to goes first, for a message that it has taken would be lost.
   */
  #end(wait: Wait, settle: () => void): void {
    if (wait === this.#attempted) {
      wait.ending ??= settle;
      return;
    }
    this.#remove(wait);
    settle();
  }

  /** The new first one may fit where the one that left did not, and waits for something else. */
  #afterLeaving(): void {
    if (!this.#isWaiting()) this.suspend();
    else if (!this.#isLooking) this.serve();
  }

  #remove(wait: Wait): void {
    wait.isPending = false;
    if (wait.previous === undefined) this.#first = wait.next;
    else wait.previous.next = wait.next;
    if (wait.next === undefined) this.#last = wait.previous;
    else wait.next.previous = wait.previous;
    wait.timer?.clear();
    if (wait.signal !== undefined && wait.onAbort !== undefined) {
      wait.signal.removeEventListener('abort', wait.onAbort);
    }
    if (this.#first === undefined) {
      const callback = this.#onIdle;
      this.#onIdle = undefined;
      callback?.();
    }
  }
}
