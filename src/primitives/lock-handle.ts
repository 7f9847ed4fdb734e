import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import type { State, StateKind } from '../contract/state.js';
import type { SideOfHandle } from './side-of-handle.js';
import type { StateHandle } from './state-handle.js';
import { letTravel } from './passengers.js';

/**
 * The state of a handle; undefined if `object` is none.
 * @throws ERR_CLOSED
 */
let stateOf: (object: object) => State | undefined;

/** What handles of locks have in common: a name, waits that keep the process alive, an end. */
export abstract class LockHandle {
  readonly #handle: StateHandle;
  readonly #sides: readonly SideOfHandle[];

  static {
    stateOf = (object) => (#handle in object ? object.#handle.open() : undefined);
  }

  protected constructor(handle: StateHandle, sides: readonly SideOfHandle[]) {
    this.#handle = handle;
    this.#sides = sides;
    handle.state.onReady = (side) => sides.find((one) => one.side === side)?.rung();
  }

  /** What it is opened by; of an anonymous one, what its file is called. */
  get name(): string {
    return this.#handle.name;
  }

  /** Pending waits of this handle keep the process alive, as they do by default. */
  ref(): this {
    this.#handle.open().ref();
    this.#handle.isRefd = true;
    return this;
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    this.#handle.open().unref();
    this.#handle.isRefd = false;
    return this;
  }

  /**
   * Leaves it: pending calls reject with ERR_CLOSED, and what this handle holds goes to the next one, who is told so as after a
   * death (`recovered`): release first. Its last participant removes it, unless it is `persist`. Again is no error.
   */
  close(): void {
    if (this.#handle.isClosed) return;
    for (const side of this.#sides) side.rejectAll(() => this.#handle.closedError());
    this.#handle.close();
  }

  /** Removes the name: nobody can open it any more, and those who have it open go on with it. Again is no error. */
  unlink(): void {
    this.#handle.open().unlink();
  }

  /** `using lock = Lock.open(name)`: closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const facts = this.#handle.isClosed ? { closed: true } : this.facts();
    return `${this.constructor.name} ${inspect(this.name, options)} ${inspect(facts, options)}`;
  }

  /** What `inspect` shows of an open one. */
  protected abstract facts(): object;
}

/** Lets handles of one kind travel in messages; `check` throws for those that cannot. */
export function letLockTravel(kind: StateKind, check?: (state: State) => void): void {
  letTravel(kind, (object) => {
    const state = stateOf(object);
    if (state?.geometry.kind !== kind) return undefined;
    check?.(state);
    return state;
  });
}
