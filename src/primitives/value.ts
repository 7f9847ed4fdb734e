import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import { InterprocError } from '../errors.js';
import type { State } from '../contract/state.js';
import type { StructInput } from '../shapes/struct-types.js';
import { Watching, CHANGE } from './watching.js';
import { cellsOf } from './atomic-cells.js';
import { EmbeddedLock } from './embedded-lock.js';
import { letTravel } from './passengers.js';
import { StateHandle } from './state-handle.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** What stands in front of the tickets of values. */
export const VALUE_TRAVELS_AS = 'value';

/** What may be assigned to a value: for 64-bit integers whole numbers too, for structs anything with the same fields. */
export type Assignable<T> = T extends bigint
  ? bigint | number
  : T extends boolean
    ? boolean
    : T extends object
      ? StructInput<T>
      : T;

let stateOf: (object: object) => State | undefined;

/**
 * One value that processes share: a number, a bigint, a boolean, a character, or a struct.
 *
 * *Plain access.* `value` reads and stores it as fast as an element of a typed array. A scalar is never torn; a struct is read and
 * written whole, also if its writer is killed in the middle: it has then the old value or the new one.
 *
 * *Atomic operations* (`add` to `update`) are one indivisible step, whoever else does the same, and return the value that was there
 * before. `n.value += 1` is two steps, and loses increments of others that come in between.
 *
 * *Waiting.* `waitFor` and `waitForSync` look again whenever somebody has used an atomic operation or called `notify()`, in any process. A
 * plain store wakes nobody until `notify()`. A pending `waitFor` keeps the process alive (see `unref`).
 *
 * Every method throws ERR_CLOSED after `close()`. All operations are O(size of the value).
 *
 * @example
 * ```ts
 * import { Struct, Value } from 'interproc';
 *
 * const n = new Value('int32', 40);
 * n.add(2); // => 40
 * n.value; // => 42
 * n.compareExchange(42, 7); // => 42
 * await n.waitFor((v) => v === 7); // => 7
 * n.close();
 *
 * const Point = Struct({ x: 'float64', y: 'float64' });
 * const p = new Value(Point, { x: 1, y: 2 });
 * p.value.x; // => 1
 * p.update(({ x, y }) => ({ x: x + 1, y })); // => { x: 1, y: 2 }
 * p.value; // => { x: 2, y: 2 }
 * p.close();
 * ```
 */
export abstract class Value<T = unknown, Live = unknown> {
  readonly #handle: StateHandle;
  readonly #waits: Watching<T>;
  #lock: EmbeddedLock | undefined;

  static {
    stateOf = (object) => (#handle in object ? object.#handle.open() : undefined);
  }

  /** Values are had by `new Value(type)`, `Value.create`, `open`, `openOrCreate` and `openWhenAvailable`. */
  protected constructor(state: State) {
    this.#handle = new StateHandle('Value', state);
    this.#waits = new Watching<T>(state, cellsOf(state), {
      what: `Value '${state.name}'`,
      read: () => this.value,
    });
    state.onReady = (side) => {
      if (side === CHANGE) this.#waits.rung();
      else if (side === this.#lock?.side) this.#lock.rung();
    };
  }

  /** What it is opened by; of an anonymous value, what its file is called. */
  get name(): string {
    return this.#handle.name;
  }

  /** The name of its scalar type, such as `'int32'`, or its struct. */
  abstract get type(): unknown;

  /**
   * The value: a plain load, or store. Of a struct a plain object of its own, which changes nothing when it is changed; to change one
   * field, use `update` or `view`.
   *
   * A store wakes nobody: call `notify()`, or use `exchange`. That of a struct waits while another process is in the middle of one, if
   * need be for as long as that process is stopped; reading never waits.
   *
   * @throws ERR_INVALID_ARG for what the type does not take; integers wrap
   */
  abstract get value(): T;
  abstract set value(value: Assignable<T>);

  /**
   * Of a struct: a record over the shared memory itself. Each field is read and stored in place, plainly, and not together with the
   * others: a `value = …` or `update` of somebody else at the same time may overwrite it, and what `value` gives may mix old and new fields.
   *
   * @throws ERR_UNSUPPORTED for other types, and where the backend has no views, or this runtime allows none
   */
  abstract get view(): Live;

  /** Adds, and returns what was there. Integers wrap. @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for bool, char and structs */
  abstract add(amount: Assignable<T>): T;
  /** Subtracts, and returns what was there. Integers wrap. @throws as `add` */
  abstract sub(amount: Assignable<T>): T;
  /** Bitwise, or of two booleans; returns what was there. @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for floats, char and structs */
  abstract and(mask: Assignable<T>): T;
  /** As `and`. */
  abstract or(mask: Assignable<T>): T;
  /** As `and`. */
  abstract xor(mask: Assignable<T>): T;
  /** Stores, and returns what was there. @throws ERR_INVALID_ARG */
  abstract exchange(value: Assignable<T>): T;
  /**
   * Stores `replacement` if `expected` is there, and returns what was there: it was stored if that is `expected`. Both are converted as
   * on their way in. Floats are compared as by `Object.is`: NaN is NaN, and -0 is not 0.
   *
   * @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for structs: use `update`
   */
  abstract compareExchange(expected: Assignable<T>, replacement: Assignable<T>): T;
  /**
   * Stores what `change` makes of the value, and returns what was there. If somebody else changes it meanwhile, `change` is called again with
   * the new value: it may run more than once, and should do nothing but calculate. What it throws ends the call, and nothing is stored.
   *
   * @throws ERR_INVALID_ARG
   */
  abstract update(change: (value: T) => Assignable<T>): T;

  /**
   * Waits until `predicate` is true of the value, and resolves with that value; at once if it is true now. It looks after every
   * atomic operation and `notify()` of anybody, though not at every value in between, and a few times a second in any case.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED when the handle closes; what `predicate` throws; ERR_INVALID_ARG
   */
  waitFor(predicate: (value: T) => unknown, options?: WaitOptions): Promise<T> {
    if (this.#handle.isClosed) return Promise.reject(this.#handle.closedError());
    return this.#waits.wait(predicate, options);
  }

  /**
   * As `waitFor`, but blocks this thread. Pending `waitFor`s of the same handle go on looking.
   *
   * @throws as `waitFor`
   */
  waitForSync(predicate: (value: T) => unknown, options?: SyncWaitOptions): T {
    this.#handle.assertCanBlock('waitForSync');
    return this.#waits.waitSync(predicate, options);
  }

  /** Makes those who wait, in all processes, look at the value again. Needed after plain stores only. */
  notify(): void {
    cellsOf(this.#handle.open()).notify();
  }

  /**
   * The lock that belongs to the value: one for all its handles, in all processes. It is for steps that no atomic operation does, and keeps
   * nobody off who does not acquire it.
   */
  get lock(): EmbeddedLock {
    this.#handle.assertOpen();
    return (this.#lock ??= new EmbeddedLock(this.#handle));
  }

  /** A pending `waitFor` keeps the process alive: the default. */
  ref(): this {
    this.#handle.open().ref();
    return this;
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    this.#handle.open().unref();
    return this;
  }

  /** Lets go; pending waits reject with ERR_CLOSED. The last one out removes the value, unless it is to persist. Again is nothing. */
  close(): void {
    if (this.#handle.isClosed) return;
    const errorOf = () => this.#handle.closedError();
    this.#waits.rejectAll(errorOf);
    this.#lock?.rejectAll(errorOf);
    this.#handle.close();
  }

  /** Removes the name: nobody can open it any more, and those who have it open go on with it. Again is no error. */
  unlink(): void {
    this.#handle.open().unlink();
  }

  /** `using n = Value.open(name)`: closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const facts = this.#handle.isClosed
      ? { type: this.type, closed: true }
      : { type: this.type, value: this.value };
    return `Value ${inspect(this.name, options)} ${inspect(facts, options)}`;
  }

  /** @throws ERR_CLOSED */
  protected assertOpen(): void {
    this.#handle.assertOpen();
  }

  protected unsupported(call: string, wayOut: string): InterprocError {
    return new InterprocError('ERR_UNSUPPORTED', `Value '${this.name}': ${call}; ${wayOut}`);
  }
}

letTravel(VALUE_TRAVELS_AS, (object) => stateOf(object));
