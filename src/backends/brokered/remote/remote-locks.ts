/** The locks of a state behind a hub. What a handle itself knows it does not ask: what it holds, and what it was told. */

import { ACQUIRED, BROKEN, BUSY, CHANGE, NO_LOCK_PARTS } from '../../../contract/locks.js';
import type {
  BarrierPart,
  BarrierPlace,
  ConditionPart,
  EventPart,
  LockPart,
  LockParts,
  RwLockPart,
  SemaphorePart,
} from '../../../contract/locks.js';
import type { StateGeometry } from '../../../contract/state.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import {
  BARRIER_STATE,
  BEGIN_WAIT,
  BREAK,
  CLEAR_EVENT,
  COME,
  END_WAIT,
  EVENT_STATE,
  FINISH_WAIT,
  GIVE_UP,
  IS_LOCKED,
  NOTIFY_WAITING,
  PASS,
  PERMITS,
  PHASE_ENDED,
  RELEASE,
  RELEASE_READ,
  RELEASE_WRITE,
  SET_EVENT,
  TRY_ACQUIRE,
  TRY_READ,
  TRY_WRITE,
} from '../state-operations.js';
import type { RemotePart, StateCalls } from './state-calls.js';

/** What all of them know. */
class Part {
  protected readonly calls: StateCalls;

  constructor(calls: StateCalls) {
    this.calls = calls;
  }

  protected ask(operation: number): Body {
    this.calls.request(operation);
    return this.calls.ask();
  }

  protected say(operation: number): void {
    this.calls.word(operation);
    this.calls.tell();
  }
}

class RemoteLock extends Part implements LockPart {
  #isHeld = false;

  get isHeld(): boolean {
    return this.#isHeld;
  }

  tryAcquire(): number {
    const status = this.ask(TRY_ACQUIRE).i32();
    if (status >= 0) this.#isHeld = true;
    return status;
  }

  release(): boolean {
    this.calls.assertOpen();
    if (!this.#isHeld) return false;
    this.#isHeld = false;
    this.say(RELEASE);
    return true;
  }

  isLocked(): boolean {
    return this.ask(IS_LOCKED).bool();
  }
}

class RemoteSemaphore extends Part implements SemaphorePart {
  readonly #isBounded: boolean;
  #held = 0;

  constructor(calls: StateCalls, isBounded: boolean) {
    super(calls);
    this.#isBounded = isBounded;
  }

  tryAcquire(): number {
    const status = this.ask(TRY_ACQUIRE).i32();
    if (status >= 0) this.#held++;
    return status;
  }

  release(): boolean {
    if (this.#held > 0 && !this.#isBounded) {
      // There is room for what is held.
      this.say(RELEASE);
      this.#held--;
      return true;
    }
    const isReleased = this.ask(RELEASE).bool();
    if (isReleased && this.#held > 0) this.#held--;
    return isReleased;
  }

  value(): number {
    return this.ask(PERMITS).u32();
  }
}

/** Of notifications this handle knows those that it was told of; who waits for one that it was not told of arms, and is told. */
class RemoteCondition extends Part implements ConditionPart, RemotePart {
  readonly sides: readonly Side[] = [CHANGE];
  readonly #lock: RemoteLock;
  /** Both count from the beginning, modulo 2^32. */
  #given = 0;
  #taken = 0;

  constructor(calls: StateCalls, lock: RemoteLock) {
    super(calls);
    this.#lock = lock;
  }

  beginWait(): boolean {
    this.calls.assertOpen();
    if (!this.#lock.isHeld) return false;
    this.say(BEGIN_WAIT);
    return true;
  }

  take(): boolean {
    this.calls.assertOpen();
    if (this.#given === this.#taken) return false;
    this.#taken = (this.#taken + 1) >>> 0;
    return true;
  }

  endWait(): boolean {
    this.calls.request(END_WAIT).u32(this.#taken);
    const reply = this.calls.ask();
    const isNotified = reply.bool();
    this.#given = reply.u32();
    if (isNotified) this.#taken = (this.#taken + 1) >>> 0;
    return isNotified;
  }

  finishWait(): void {
    this.say(FINISH_WAIT);
  }

  notify(count: number): number {
    this.calls.assertOpen();
    if (!this.#lock.isHeld) return -1;
    this.calls.request(NOTIFY_WAITING).f64(count);
    const reply = this.calls.ask();
    const notified = reply.i32();
    this.#given = reply.u32();
    return notified;
  }

  sayWaiting(word: FrameWriter): void {
    word.u32(this.#taken);
  }

  heard(body: Body): void {
    this.#given = body.u32();
  }
}

class RemoteEvent extends Part implements EventPart, RemotePart {
  readonly sides: readonly Side[] = [CHANGE];
  /** As far as this handle was told. */
  #sets = 0;
  /** What the call that begins with this mark finds. */
  #begun: { readonly mark: number; readonly isSet: boolean } | undefined;
  #mark = 0;

  isSet(): boolean {
    return this.ask(EVENT_STATE).bool();
  }

  set(): void {
    this.say(SET_EVENT);
  }

  clear(): void {
    this.say(CLEAR_EVENT);
  }

  mark(): number {
    const reply = this.ask(EVENT_STATE);
    const isSet = reply.bool();
    this.#sets = reply.f64();
    this.#begun = { mark: this.#sets, isSet };
    return this.#sets;
  }

  happened(mark: number): boolean {
    this.calls.assertOpen();
    this.#mark = mark;
    if (this.#sets > mark) return true;
    const begun = this.#begun;
    this.#begun = undefined;
    // Whoever goes on to wait is told at once if it has been set meanwhile.
    if (begun?.mark === mark) return begun.isSet;
    const reply = this.ask(EVENT_STATE);
    const isSet = reply.bool();
    this.#sets = reply.f64();
    return isSet || this.#sets > mark;
  }

  sayWaiting(word: FrameWriter): void {
    word.f64(this.#mark);
  }

  heard(body: Body): void {
    this.#sets = Math.max(this.#sets, body.f64());
  }
}

/** Of phases in which this handle has places the hub tells the end, so that nobody has to ask. */
class RemoteBarrier extends Part implements BarrierPart, RemotePart {
  readonly sides: readonly Side[] = [CHANGE];
  readonly parties: number;
  /** By phase: how many places of this handle it has, and how it ended if it has. */
  readonly #phases = new Map<number, { places: number; status: number }>();
  #phase = 0;
  #awaited = 0;

  constructor(calls: StateCalls, parties: number) {
    super(calls);
    this.parties = parties;
  }

  come(): BarrierPlace | typeof BROKEN {
    const reply = this.ask(COME);
    const index = reply.i32();
    if (index === BROKEN) return BROKEN;
    const phase = reply.f64();
    const areAllThere = reply.bool();
    this.#phase = Math.max(this.#phase, phase);
    if (index === BUSY) return { phase, index, isLast: false };
    const known = this.#phases.get(phase);
    if (known === undefined) this.#phases.set(phase, { places: 1, status: BUSY });
    else known.places++;
    return { phase, index, isLast: areAllThere };
  }

  pass({ phase }: BarrierPlace): boolean {
    this.calls.request(PASS).f64(phase);
    const isPassed = this.calls.ask().bool();
    this.#forget(phase);
    return isPassed;
  }

  passed({ phase, index }: BarrierPlace): number {
    this.calls.assertOpen();
    this.#awaited = phase;
    if (index === BUSY) return this.#phase === phase ? BUSY : ACQUIRED;
    const status = this.#phases.get(phase)?.status ?? BROKEN;
    if (status !== BUSY) this.#forget(phase);
    return status;
  }

  giveUp({ phase }: BarrierPlace): boolean {
    this.calls.request(GIVE_UP).f64(phase);
    const hadEnded = this.calls.ask().bool();
    const isPassed = hadEnded && this.#phases.get(phase)?.status === ACQUIRED;
    this.#forget(phase);
    return isPassed;
  }

  /** One of its places is over. */
  #forget(phase: number): void {
    const known = this.#phases.get(phase);
    if (known === undefined) return;
    known.places--;
    if (known.places === 0) this.#phases.delete(phase);
  }

  waiting(): number {
    return this.ask(BARRIER_STATE).u32();
  }

  isBroken(): boolean {
    const reply = this.ask(BARRIER_STATE);
    reply.u32();
    return reply.bool();
  }

  abort(): void {
    this.#break(true);
  }

  reset(): void {
    this.#break(false);
  }

  #break(stays: boolean): void {
    this.calls.request(BREAK).bool(stays);
    this.calls.ask();
  }

  sayWaiting(word: FrameWriter): void {
    word.f64(this.#awaited);
  }

  heard(body: Body): void {
    this.#phase = Math.max(this.#phase, body.f64());
  }

  told(operation: number, body: Body): void {
    if (operation !== PHASE_ENDED) return;
    const phase = body.f64();
    const known = this.#phases.get(phase);
    if (known !== undefined) known.status = body.bool() ? BROKEN : ACQUIRED;
  }
}

class RemoteRwLock extends Part implements RwLockPart {
  #reads = 0;
  #writes = false;

  tryRead(): number {
    const status = this.ask(TRY_READ).i32();
    if (status >= 0) this.#reads++;
    return status;
  }

  releaseRead(): boolean {
    this.calls.assertOpen();
    if (this.#reads === 0) return false;
    this.#reads--;
    this.say(RELEASE_READ);
    return true;
  }

  tryWrite(): number {
    const status = this.ask(TRY_WRITE).i32();
    if (status >= 0) this.#writes = true;
    return status;
  }

  releaseWrite(): boolean {
    this.calls.assertOpen();
    if (!this.#writes) return false;
    this.#writes = false;
    this.say(RELEASE_WRITE);
    return true;
  }
}

/** What a state of that kind has, and those of it that hear of waits. */
export function lockPartsOf(
  calls: StateCalls,
  { kind, parameter }: StateGeometry,
): { readonly parts: LockParts; readonly hearing: RemotePart | undefined } {
  switch (kind) {
    case 'semaphore':
    case 'boundedSemaphore': {
      const semaphore = new RemoteSemaphore(calls, kind === 'boundedSemaphore');
      return { parts: { ...NO_LOCK_PARTS, semaphore }, hearing: undefined };
    }
    case 'event': {
      const event = new RemoteEvent(calls);
      return { parts: { ...NO_LOCK_PARTS, event }, hearing: event };
    }
    case 'barrier': {
      const barrier = new RemoteBarrier(calls, parameter);
      return { parts: { ...NO_LOCK_PARTS, barrier }, hearing: barrier };
    }
    case 'rwlock':
      return { parts: { ...NO_LOCK_PARTS, rwLock: new RemoteRwLock(calls) }, hearing: undefined };
    case 'condition': {
      const lock = new RemoteLock(calls);
      const condition = new RemoteCondition(calls, lock);
      return { parts: { ...NO_LOCK_PARTS, lock, condition }, hearing: condition };
    }
    default:
      return { parts: { ...NO_LOCK_PARTS, lock: new RemoteLock(calls) }, hearing: undefined };
  }
}
