/** The locks of a native state, as the contract wants them. */

import { ACQUIRED, BROKEN, BUSY, NO_LOCK_PARTS } from '../../contract/locks.js';
import type {
  BarrierPart,
  BarrierPlace,
  ConditionPart,
  EventPart,
  LockPart,
  LockParts,
  RwLockPart,
  SemaphorePart,
} from '../../contract/locks.js';
import type { StateGeometry } from '../../contract/state.js';
import type { Addon, Constants, Token } from './addon.js';
import { statusError } from './failures.js';
import type { NativeObject } from './native-object.js';

/** What all of them know. The object is asked for its token at each use: closed, it has none. */
class Part {
  protected readonly addon: Addon;
  protected readonly constants: Constants;
  readonly #object: NativeObject;

  constructor(addon: Addon, object: NativeObject) {
    this.addon = addon;
    this.constants = addon.constants;
    this.#object = object;
  }

  protected get token(): Token {
    return this.#object.token;
  }

  /** ACQUIRED, RECOVERED or BUSY. */
  protected acquired(result: number): number {
    if (result >= 0) return result;
    if (result === -this.constants.busy) return BUSY;
    throw this.failure(result);
  }

  /** Whether the call succeeded, or was refused in the way that it may be. */
  protected unless(refusal: number, result: number): boolean {
    if (result >= 0) return true;
    if (result === -refusal) return false;
    throw this.failure(result);
  }

  protected known(result: number): number {
    if (result >= 0) return result;
    throw this.failure(result);
  }

  protected failure(result: number): Error {
    return statusError(this.constants, -result, this.#object.name);
  }
}

class NativeLock extends Part implements LockPart {
  tryAcquire(isOnly: boolean): number {
    return this.acquired(this.addon.acquireLock(this.token, isOnly ? 1 : 0));
  }

  release(): boolean {
    return this.unless(this.constants.notOwner, this.addon.releaseLock(this.token));
  }

  isLocked(): boolean {
    return this.known(this.addon.isLocked(this.token)) !== 0;
  }
}

class NativeSemaphore extends Part implements SemaphorePart {
  tryAcquire(isOnly: boolean): number {
    return this.acquired(this.addon.acquirePermit(this.token, isOnly ? 1 : 0));
  }

  release(): boolean {
    return this.unless(this.constants.overRelease, this.addon.releasePermit(this.token));
  }

  value(): number {
    return this.known(this.addon.permits(this.token));
  }
}

class NativeCondition extends Part implements ConditionPart {
  beginWait(): boolean {
    return this.unless(this.constants.notOwner, this.addon.beginCondition(this.token));
  }

  take(): boolean {
    return this.unless(this.constants.busy, this.addon.takeNotification(this.token));
  }

  endWait(): boolean {
    return this.known(this.addon.endCondition(this.token)) !== 0;
  }

  finishWait(): void {
    this.known(this.addon.finishCondition(this.token));
  }

  notify(count: number): number {
    const result = this.addon.notifyCondition(this.token, count);
    return this.unless(this.constants.notOwner, result) ? result : -1;
  }
}

class NativeEvent extends Part implements EventPart {
  isSet(): boolean {
    return this.known(this.addon.eventIsSet(this.token)) !== 0;
  }

  set(): void {
    this.known(this.addon.setEvent(this.token));
  }

  clear(): void {
    this.known(this.addon.clearEvent(this.token));
  }

  mark(): number {
    return this.known(this.addon.eventSets(this.token));
  }

  happened(mark: number): boolean {
    return this.known(this.addon.eventHappened(this.token, mark)) !== 0;
  }
}

class NativeBarrier extends Part implements BarrierPart {
  readonly parties: number;

  constructor(addon: Addon, object: NativeObject, parties: number) {
    super(addon, object);
    this.parties = parties;
  }

  come(): BarrierPlace | typeof BROKEN {
    const { results } = this.addon;
    const { busy, broken, placePhase, placeIsLast } = this.constants;
    const result = this.addon.barrierCome(this.token);
    if (result === -broken) return BROKEN;
    const index = result === -busy ? BUSY : this.known(result);
    return { phase: results[placePhase] as number, index, isLast: results[placeIsLast] === 1 };
  }

  pass({ phase }: BarrierPlace): boolean {
    return this.unless(this.constants.broken, this.addon.barrierPass(this.token, phase));
  }

  passed({ phase }: BarrierPlace): number {
    const result = this.addon.barrierPassed(this.token, phase);
    if (result === -this.constants.busy) return BUSY;
    return this.unless(this.constants.broken, result) ? ACQUIRED : BROKEN;
  }

  giveUp({ phase }: BarrierPlace): boolean {
    return this.unless(this.constants.broken, this.addon.barrierGiveUp(this.token, phase));
  }

  waiting(): number {
    return this.known(this.addon.barrierWaiting(this.token));
  }

  isBroken(): boolean {
    return this.known(this.addon.barrierIsBroken(this.token)) !== 0;
  }

  abort(): void {
    this.known(this.addon.barrierAbort(this.token));
  }

  reset(): void {
    this.known(this.addon.barrierReset(this.token));
  }
}

class NativeRwLock extends Part implements RwLockPart {
  tryRead(isOnly: boolean): number {
    return this.acquired(this.addon.acquireRead(this.token, isOnly ? 1 : 0));
  }

  releaseRead(): boolean {
    return this.unless(this.constants.notOwner, this.addon.releaseRead(this.token));
  }

  tryWrite(isOnly: boolean): number {
    return this.acquired(this.addon.acquireWrite(this.token, isOnly ? 1 : 0));
  }

  releaseWrite(): boolean {
    return this.unless(this.constants.notOwner, this.addon.releaseWrite(this.token));
  }
}

/** What a state of that kind has. */
export function lockPartsOf(
  addon: Addon,
  object: NativeObject,
  { kind, parameter }: StateGeometry,
): LockParts {
  switch (kind) {
    case 'semaphore':
    case 'boundedSemaphore':
      return { ...NO_LOCK_PARTS, semaphore: new NativeSemaphore(addon, object) };
    case 'event':
      return { ...NO_LOCK_PARTS, event: new NativeEvent(addon, object) };
    case 'barrier':
      return { ...NO_LOCK_PARTS, barrier: new NativeBarrier(addon, object, parameter) };
    case 'rwlock':
      return { ...NO_LOCK_PARTS, rwLock: new NativeRwLock(addon, object) };
    case 'condition':
      return {
        ...NO_LOCK_PARTS,
        lock: new NativeLock(addon, object),
        condition: new NativeCondition(addon, object),
      };
    default:
      return { ...NO_LOCK_PARTS, lock: new NativeLock(addon, object) };
  }
}
