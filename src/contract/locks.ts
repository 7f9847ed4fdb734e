/**
 * What a backend promises of locks: single looks, and what each side of a state is waited on for.
 *
 * One open handle is one owner, whatever the number of tasks that use it: who of them holds what, the primitives keep apart. What
 * a handle holds when it closes or its process dies goes to the next one, who is told (RECOVERED). Who is merely stopped keeps it.
 */

import type { Side } from './shared-object.js';

/** Sides of a state: waits for a change of what it says, for the lock (a permit, the right to write), or for the right to read. */
export const CHANGE = 0 satisfies Side;
export const ACQUIRE = 1 satisfies Side;
export const SHARE = 2 satisfies Side;

/** Results of the `try…` calls, and of `passed`. */
export const ACQUIRED = 0;
/** The same, and the last owner never gave it back: what it guards may be half-done. */
export const RECOVERED = 1;
export const BUSY = -1;
/** Of a barrier: somebody gave up. */
export const BROKEN = -2;

/**
 * A lock: of `lock`, `rlock` and `condition`, and beside the bytes of a value, an array or memory.
 *
 * `isOnly`: no wait follows a BUSY, so that this one look must also find out whether the owner lives. After a wait that ended
 * without success `leave` is called.
 */
export interface LockPart {
  /** Not to be called by who holds it. ACQUIRED, RECOVERED or BUSY. */
  tryAcquire(isOnly: boolean): number;
  /** False if this handle does not hold it. */
  release(): boolean;
  /** Whether anybody holds it, a snapshot. */
  isLocked(): boolean;
}

export interface SemaphorePart {
  /** ACQUIRED, RECOVERED (some permits are a dead one's) or BUSY. */
  tryAcquire(isOnly: boolean): number;
  /** Also without having acquired. False if that is more than there may be. */
  release(): boolean;
  /** Free permits, a snapshot. */
  value(): number;
}

/** Waits on CHANGE, for notifications given under the state's own lock. */
export interface ConditionPart {
  /** One more task of this handle waits. False: the handle does not hold the lock, and nothing has changed. */
  beginWait(): boolean;
  /** Whether one of the waiting tasks of this handle has been notified. It is to acquire the lock, and to `finishWait` then. */
  take(): boolean;
  /** A task no longer waits. True: all that wait here have been notified, so this one has, as if `take` had said so. */
  endWait(): boolean;
  /** One that was notified has the lock again. Until then its notification goes to another if the handle closes or dies. */
  finishWait(): void;
  /** Notifies up to `count` waiting tasks, wherever they are; the dead are forgotten. How many; -1: the lock is not held. */
  notify(count: number): number;
}

/** Waits on CHANGE. */
export interface EventPart {
  isSet(): boolean;
  set(): void;
  clear(): void;
  /** What a waiter remembers from its beginning. */
  mark(): number;
  /** Whether it is set, or has been since `mark`. If not, it is what the next wait is for, in place of any other mark. */
  happened(mark: number): boolean;
}

/** One task's place in one passing of a barrier. */
export interface BarrierPlace {
  readonly phase: number;
  /** 0 for the first that came; BUSY: none, for those of this phase have all come, and their action still runs. */
  readonly index: number;
  /** All have come: run the action, then `pass`. */
  readonly isLast: boolean;
}

/** Waits on CHANGE, for the end of a phase. */
export interface BarrierPart {
  readonly parties: number;
  come(): BarrierPlace | typeof BROKEN;
  /** The action is done: the others go on. False: it was broken meanwhile. */
  pass(place: BarrierPlace): boolean;
  /** ACQUIRED, BROKEN, or BUSY: that phase has not ended, and its end is what the next wait is for. */
  passed(place: BarrierPlace): number;
  /** Breaks the barrier, unless it has been passed (true). */
  giveUp(place: BarrierPlace): boolean;
  waiting(): number;
  isBroken(): boolean;
  /** Breaks it for those who wait and those who come, until `reset`. */
  abort(): void;
  /** Breaks it for those who wait; then it is as new. */
  reset(): void;
}

/** Writers wait on ACQUIRE, readers on SHARE. */
export interface RwLockPart {
  /** Counted: release as often. ACQUIRED, RECOVERED or BUSY. Not to be called by who writes. */
  tryRead(isOnly: boolean): number;
  releaseRead(): boolean;
  /** Not to be called by who reads or writes. */
  tryWrite(isOnly: boolean): number;
  releaseWrite(): boolean;
}

/** What of these a state has: it depends on its kind. */
export interface LockParts {
  readonly lock: LockPart | undefined;
  readonly semaphore: SemaphorePart | undefined;
  readonly condition: ConditionPart | undefined;
  readonly event: EventPart | undefined;
  readonly barrier: BarrierPart | undefined;
  readonly rwLock: RwLockPart | undefined;
}

/** Of a state that has none; of others, what they have takes its place. */
export const NO_LOCK_PARTS: LockParts = Object.freeze({
  lock: undefined,
  semaphore: undefined,
  condition: undefined,
  event: undefined,
  barrier: undefined,
  rwLock: undefined,
});
