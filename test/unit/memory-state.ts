/** States inside one thread, as plainly as they can be written: what the locks are tested on besides the native ones. */

import { InterprocError, invalidArgument } from '../../src/errors.js';
import type { Capabilities } from '../../src/contract/capabilities.js';
import { ACQUIRE, ACQUIRED, BROKEN, BUSY, RECOVERED, SHARE } from '../../src/contract/locks.js';
import type { BarrierPlace, LockParts } from '../../src/contract/locks.js';
import type { Side } from '../../src/contract/shared-object.js';
import type { State, StateGeometry } from '../../src/contract/state.js';
import { CHANGE as CELLS_CHANGE } from '../../src/primitives/watching.js';
import { MemoryCells, SharedCells } from './memory-cells.js';

/** What the states of a backend need of it. */
export interface StateKeeper {
  readonly capabilities: Capabilities;
  /** What the rest of the world does while this thread is blocked; true if it may do more. */
  readonly whileBlocked: (() => boolean) | undefined;
  left(shared: SharedState): void;
  unlink(shared: SharedState): void;
}

interface Wait {
  readonly state: MemoryState;
  readonly side: Side;
  isRung: boolean;
}

/** What the states of one name share. */
export class SharedState {
  readonly states = new Set<MemoryState>();
  readonly bytes: Uint8Array<ArrayBuffer>;
  waits: Wait[] = [];
  // The lock, or the right to write.
  owner: MemoryState | undefined;
  isAbandoned = false;
  readonly reads = new Map<MemoryState, number>();
  permits: number;
  readonly held = new Map<MemoryState, number>();
  isSet = false;
  sets = 0;
  /** How many tasks of a handle wait; how many of them have been notified; and have seen it, but not the lock yet. */
  readonly condition = new Map<
    MemoryState,
    { waiting: number; granted: number; claimed: number }
  >();
  phase = 0;
  come = 0;
  readonly brokenPhases = new Set<number>();
  isBroken = false;
  readonly cells: SharedCells;

  constructor(
    readonly identity: bigint,
    readonly name: string,
    readonly geometry: StateGeometry,
    initial: Uint8Array | undefined,
  ) {
    this.bytes = new Uint8Array(geometry.byteLength);
    if (initial !== undefined) this.bytes.set(initial);
    this.permits = geometry.parameter;
    this.cells = new SharedCells(this.bytes);
  }

  /** Rings everybody for whom it is worth looking. */
  changed(): void {
    for (const wait of this.waits) {
      if (wait.isRung || !wait.state.isWorthALook(wait.side)) continue;
      wait.isRung = true;
      setImmediate(() => wait.state.answer(wait));
    }
  }

  isAnyReading(): boolean {
    return [...this.reads.values()].some((count) => count > 0);
  }

  take(): number {
    const status = this.isAbandoned ? RECOVERED : ACQUIRED;
    this.isAbandoned = false;
    return status;
  }

  notify(count: number): number {
    let notified = 0;
    for (const account of this.condition.values()) {
      while (notified < count && account.granted < account.waiting) {
        account.granted++;
        notified++;
      }
    }
    this.changed();
    return notified;
  }

  breakBarrier(stays: boolean): void {
    if (this.come > 0) this.brokenPhases.add(this.phase);
    this.phase++;
    this.come = 0;
    this.isBroken = stays;
    this.changed();
  }
}

export class MemoryState implements State {
  readonly name: string;
  readonly geometry: StateGeometry;
  readonly capabilities: Pick<Capabilities, 'blocking'>;
  readonly parts: LockParts;
  readonly cells: MemoryCells | undefined;
  readonly buffer = undefined;
  onReady: ((side: Side) => void) | undefined = undefined;
  readonly #keeper: StateKeeper;
  readonly #shared: SharedState;
  /** Of barriers: the phases in which a task of this handle waits. */
  readonly #places = new Set<BarrierPlace>();
  #mark = 0;
  #awaited = 0;
  #isClosed = false;

  constructor(keeper: StateKeeper, shared: SharedState) {
    this.#keeper = keeper;
    this.#shared = shared;
    this.name = shared.name;
    this.geometry = shared.geometry;
    this.capabilities = keeper.capabilities;
    const { kind } = shared.geometry;
    const hasCells = kind === 'value' || kind === 'array';
    this.cells = hasCells
      ? new MemoryCells(shared.cells, {
          enter: () => this.enter(),
          changed: () => shared.changed(),
        })
      : undefined;
    this.parts = this.#partsOf(shared.geometry.kind);
    shared.states.add(this);
  }

  enter(): SharedState {
    if (this.#isClosed) throw new InterprocError('ERR_CLOSED', `state ${this.name} is closed`);
    return this.#shared;
  }

  isWorthALook(side: Side): boolean {
    const shared = this.#shared;
    if (side === ACQUIRE) {
      const isSemaphore = shared.geometry.kind.toLowerCase().endsWith('semaphore');
      return isSemaphore
        ? shared.permits > 0
        : shared.owner === undefined && !shared.isAnyReading();
    }
    if (side === CELLS_CHANGE && this.cells !== undefined) return this.cells.isWorthALook;
    if (side === SHARE) return this.#mayRead();
    switch (shared.geometry.kind) {
      case 'event':
        return shared.isSet || shared.sets > this.#mark;
      case 'condition':
        return this.#hasUnclaimed();
      default:
        return shared.phase !== this.#awaited || shared.isBroken;
    }
  }

  #hasUnclaimed(): boolean {
    const account = this.#shared.condition.get(this);
    return account !== undefined && account.granted > account.claimed;
  }

  /** Who waits to write keeps new readers out, but for those who read already. */
  #mayRead(): boolean {
    const { owner, waits, reads } = this.#shared;
    if (owner !== undefined) return false;
    if ((reads.get(this) ?? 0) > 0) return true;
    return !waits.some(({ side, state }) => side === ACQUIRE && state !== this);
  }

  #partsOf(kind: string): LockParts {
    const shared = this.#shared;
    const none = {
      lock: undefined,
      semaphore: undefined,
      condition: undefined,
      event: undefined,
      barrier: undefined,
      rwLock: undefined,
    };
    const lock = {
      tryAcquire: () => {
        this.enter();
        if (shared.owner === this) throw new Error('acquired by who holds it');
        if (shared.owner !== undefined) return BUSY;
        shared.owner = this;
        return shared.take();
      },
      release: () => {
        this.enter();
        if (shared.owner !== this) return false;
        shared.owner = undefined;
        shared.changed();
        return true;
      },
      isLocked: () => shared.owner !== undefined,
    };
    switch (kind) {
      case 'semaphore':
      case 'boundedSemaphore':
        return { ...none, semaphore: this.#semaphore(kind === 'boundedSemaphore') };
      case 'event':
        return { ...none, event: this.#event() };
      case 'condition':
        return { ...none, lock, condition: this.#condition() };
      case 'barrier':
        return { ...none, barrier: this.#barrier() };
      case 'rwlock':
        return { ...none, rwLock: this.#rwLock() };
      default:
        return { ...none, lock };
    }
  }

  #semaphore(isBounded: boolean): NonNullable<LockParts['semaphore']> {
    const shared = this.#shared;
    const count = (by: number) => shared.held.set(this, (shared.held.get(this) ?? 0) + by);
    return {
      tryAcquire: () => {
        this.enter();
        if (shared.permits === 0) return BUSY;
        shared.permits--;
        count(1);
        return shared.take();
      },
      release: () => {
        this.enter();
        const most = isBounded ? this.geometry.parameter : 2 ** 24 - 1;
        if (shared.permits >= most) return false;
        shared.permits++;
        if ((shared.held.get(this) ?? 0) > 0) count(-1);
        shared.changed();
        return true;
      },
      value: () => this.enter().permits,
    };
  }

  #event(): NonNullable<LockParts['event']> {
    const shared = this.#shared;
    return {
      isSet: () => this.enter().isSet,
      set: () => {
        this.enter().isSet = true;
        shared.sets++;
        shared.changed();
      },
      clear: () => {
        this.enter().isSet = false;
      },
      mark: () => this.enter().sets,
      happened: (mark) => {
        this.#mark = mark;
        return shared.isSet || shared.sets > mark;
      },
    };
  }

  #condition(): NonNullable<LockParts['condition']> {
    const shared = this.#shared;
    const mine = () => {
      const known = this.enter().condition.get(this) ?? { waiting: 0, granted: 0, claimed: 0 };
      shared.condition.set(this, known);
      return known;
    };
    return {
      beginWait: () => {
        if (this.enter().owner !== this) return false;
        mine().waiting++;
        return true;
      },
      take: () => {
        const account = mine();
        if (account.granted <= account.claimed) return false;
        account.claimed++;
        return true;
      },
      endWait: () => {
        const account = mine();
        if (account.granted === account.waiting) {
          account.claimed++;
          return true;
        }
        account.waiting--;
        return false;
      },
      finishWait: () => {
        const account = mine();
        account.claimed--;
        account.granted--;
        account.waiting--;
      },
      notify: (count) => {
        if (this.enter().owner !== this) return -1;
        return shared.notify(count);
      },
    };
  }

  #barrier(): NonNullable<LockParts['barrier']> {
    const shared = this.#shared;
    const { parameter: parties } = this.geometry;
    return {
      parties,
      come: () => {
        this.enter();
        if (shared.isBroken) return BROKEN;
        if (shared.come === parties) return { phase: shared.phase, index: BUSY, isLast: false };
        const index = shared.come++;
        const place = { phase: shared.phase, index, isLast: shared.come === parties };
        this.#places.add(place);
        return place;
      },
      pass: (place) => {
        this.#places.delete(place);
        if (shared.brokenPhases.has(place.phase)) return false;
        shared.phase++;
        shared.come = 0;
        shared.changed();
        return true;
      },
      passed: (place) => {
        this.#awaited = place.phase;
        if (shared.phase === place.phase) return BUSY;
        this.#places.delete(place);
        return shared.brokenPhases.has(place.phase) ? BROKEN : ACQUIRED;
      },
      giveUp: (place) => {
        this.#places.delete(place);
        if (shared.phase === place.phase) shared.breakBarrier(true);
        return !shared.brokenPhases.has(place.phase);
      },
      waiting: () => this.enter().come,
      isBroken: () => this.enter().isBroken,
      abort: () => this.enter().breakBarrier(true),
      reset: () => this.enter().breakBarrier(false),
    };
  }

  #rwLock(): NonNullable<LockParts['rwLock']> {
    const shared = this.#shared;
    const read = (by: number) => shared.reads.set(this, (shared.reads.get(this) ?? 0) + by);
    return {
      tryRead: () => {
        this.enter();
        if (shared.owner === this) throw new Error('read by who writes');
        if (!this.#mayRead()) return BUSY;
        read(1);
        return shared.take();
      },
      releaseRead: () => {
        this.enter();
        if ((shared.reads.get(this) ?? 0) === 0) return false;
        read(-1);
        shared.changed();
        return true;
      },
      tryWrite: () => {
        this.enter();
        if (shared.owner === this || (shared.reads.get(this) ?? 0) > 0) {
          throw new Error('written by who reads or writes');
        }
        if (shared.owner !== undefined || shared.isAnyReading()) return BUSY;
        shared.owner = this;
        return shared.take();
      },
      releaseWrite: () => {
        this.enter();
        if (shared.owner !== this) return false;
        shared.owner = undefined;
        shared.changed();
        return true;
      },
    };
  }

  arm(side: Side): boolean {
    const shared = this.enter();
    if (shared.waits.some((wait) => wait.state === this && wait.side === side)) {
      throw new Error(`armed twice: side ${side} of ${this.name}`);
    }
    if (this.isWorthALook(side)) return true;
    shared.waits.push({ state: this, side, isRung: false });
    return false;
  }

  disarm(side: Side): void {
    const shared = this.enter();
    const known = shared.waits.length;
    shared.waits = shared.waits.filter((wait) => wait.state !== this || wait.side !== side);
    if (shared.waits.length < known) shared.changed();
  }

  leave(): void {
    this.enter();
  }

  answer(wait: Wait): void {
    const shared = this.#shared;
    if (!shared.waits.includes(wait)) return;
    shared.waits = shared.waits.filter((one) => one !== wait);
    this.onReady?.(wait.side);
  }

  waitSync(side: Side, timeoutMs: number): boolean {
    if (this.enter().waits.some((wait) => wait.state === this && wait.side === side)) {
      throw new Error(`blocks while armed: side ${side} of ${this.name}`);
    }
    let isAnyActing = true;
    while (isAnyActing) {
      isAnyActing = this.#keeper.whileBlocked?.() === true;
      if (this.isWorthALook(side)) return true;
    }
    if (timeoutMs === Infinity) {
      throw new Error('blocked for ever: nobody else acts in this thread');
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeoutMs);
    return false;
  }

  ref(): void {
    this.enter();
  }

  unref(): void {
    this.enter();
  }

  identity(): bigint {
    return this.enter().identity;
  }

  read(offset: number, into: Uint8Array): void {
    into.set(this.#range(offset, into.length));
  }

  write(offset: number, from: Uint8Array): void {
    this.#range(offset, from.length).set(from);
  }

  #range(offset: number, length: number): Uint8Array {
    const { bytes } = this.enter();
    if (offset >= 0 && offset + length <= bytes.length)
      return bytes.subarray(offset, offset + length);
    throw invalidArgument('The range', `inside the ${bytes.length} bytes`, [offset, length]);
  }

  close(): void {
    if (this.#isClosed) return;
    const shared = this.#shared;
    shared.waits = shared.waits.filter(({ state }) => state !== this);
    // What it was notified of goes to others.
    const left = shared.condition.get(this)?.granted ?? 0;
    shared.condition.delete(this);
    shared.notify(left);
    const held = shared.held.get(this) ?? 0;
    const others = [...shared.held].reduce(
      (sum, [state, n]) => (state === this ? sum : sum + n),
      0,
    );
    const missing = Math.max(0, this.geometry.parameter - shared.permits - others);
    const back = Math.min(held, missing);
    shared.permits += back;
    const isReading = (shared.reads.get(this) ?? 0) > 0;
    shared.isAbandoned ||= back > 0 || isReading || shared.owner === this;
    if (shared.owner === this) shared.owner = undefined;
    shared.held.delete(this);
    shared.reads.delete(this);
    if ([...this.#places].some(({ phase }) => phase === shared.phase)) shared.breakBarrier(true);
    this.#isClosed = true;
    shared.states.delete(this);
    shared.changed();
    this.#keeper.left(shared);
  }

  unlink(): void {
    this.#keeper.unlink(this.enter());
  }
}
