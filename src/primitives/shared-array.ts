import type { InspectOptionsStylized } from 'node:util';
import { inspect } from 'node:util';

import { InterprocError, invalidArgument } from '../errors.js';
import type { CellOperation } from '../contract/state.js';
import { coreOf, findCore } from './array-core.js';
import type { ArrayCore } from './array-core.js';
import { cellsOf } from './atomic-cells.js';
import type { AtomicCells } from './atomic-cells.js';
import type { EmbeddedLock } from './embedded-lock.js';
import { noViews } from './lacking.js';
import { letTravel } from './passengers.js';
import type { Assignable } from './value.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** What stands in front of the tickets of arrays. */
export const ARRAY_TRAVELS_AS = 'array';

/** A typed array has `set(values, offset)`; `set(index, value)` is ours. */
interface Setting<T> {
  /** Stores an element, as `xs[index] = value` does, but checks both: a wrong index or value is an error. @throws ERR_INVALID_ARG */
  set(index: number, value: Assignable<T>): void;
  /** Stores several, from `offset` on. @throws RangeError, as typed arrays do, if they do not fit */
  set(values: ArrayLike<Assignable<T>>, offset?: number): void;
}

/** What a shared array has that is not a typed array's. `T`: its elements; `View`: the plain typed array, or of structs the record. */
export interface SharedArrayMethods<T, View> {
  /** What it is opened by; of an anonymous array, what its file is called. */
  readonly name: string;
  /** The name of the scalar type of its elements, such as `'int32'`, or their struct. */
  readonly type: unknown;
  /**
   * The lock that belongs to the array: one for all its handles, in all processes. It keeps nobody off who does not acquire it.
   *
   * @throws ERR_CLOSED
   */
  readonly lock: EmbeddedLock;
  /** The element, as `xs[index]`, but a wrong index is an error. @throws ERR_INVALID_ARG */
  get(index: number): T;
  /** A plain array of copies. */
  slice(start?: number, end?: number): T[];
  /** A plain array of what `change` makes of each element. */
  map<R>(change: (value: T, index: number) => R): R[];
  /** A plain array of those for which `predicate` is true. */
  filter(predicate: (value: T, index: number) => unknown): T[];

  /**
   * Adds to an element in one indivisible step, and returns what was there. Wakes those who wait. Integers wrap.
   *
   * @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for bool, char and structs, which have no numbers
   */
  addAt(index: number, amount: Assignable<T>): T;
  /** Subtracts. As `addAt`. */
  subAt(index: number, amount: Assignable<T>): T;
  /** Bitwise, or of booleans. As `addAt`. @throws ERR_UNSUPPORTED for floats, char and structs */
  andAt(index: number, mask: Assignable<T>): T;
  /** As `andAt`. */
  orAt(index: number, mask: Assignable<T>): T;
  /** As `andAt`. */
  xorAt(index: number, mask: Assignable<T>): T;
  /** Stores an element, and returns what was there. As `addAt`. @throws ERR_UNSUPPORTED for structs */
  exchangeAt(index: number, value: Assignable<T>): T;
  /** Stores `replacement` if `expected` is there, and returns what was there. As `Value.compareExchange`. */
  compareExchangeAt(index: number, expected: Assignable<T>, replacement: Assignable<T>): T;
  /** Stores what `change` makes of the element, and returns what was there. `change` may run more than once. As `Value.update`. */
  updateAt(index: number, change: (value: T) => Assignable<T>): T;

  /**
   * Of structs: a record over the memory of one element, whose fields are read and stored in place.
   *
   * @throws ERR_UNSUPPORTED for scalars, and where the backend has no views, or this runtime allows none
   */
  viewAt(index: number): View;

  /**
   * Waits until `predicate` is true of the array, and resolves with the array. It looks after every atomic operation on an element and
   * every `notify()` of anybody, and a few times a second in any case; not after plain stores.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_CLOSED when the handle closes; what `predicate` throws; ERR_INVALID_ARG
   */
  waitFor(predicate: (array: this) => unknown, options?: WaitOptions): Promise<this>;
  /** As `waitFor`, but blocks this thread. Pending `waitFor`s of the same handle go on looking. */
  waitForSync(predicate: (array: this) => unknown, options?: SyncWaitOptions): this;
  /** Makes those who wait, in all processes, look at the array again. Needed after plain stores only. */
  notify(): void;
  /** A pending `waitFor` keeps the process alive: the default. */
  ref(): this;
  /** Pending waits of this handle do not keep the process alive. */
  unref(): this;
  /**
   * Lets go; pending waits reject with ERR_CLOSED. The memory is detached: the array and every view of it have length 0, and an
   * index gives undefined. The last one out removes it, unless it is to persist. Again is nothing.
   */
  close(): void;
  /** Removes the name: nobody can open it any more, and those who have it open go on with it. Again is no error. */
  unlink(): void;
  [Symbol.dispose](): void;
}

/** What all shared arrays have in common with typed arrays, whatever their elements. */
interface ArrayPart<T, View> extends Setting<T>, Iterable<T> {
  [index: number]: T;
  /** 0 after `close()`. */
  readonly length: number;
  at(index: number): T | undefined;
  fill(value: Assignable<T>, start?: number, end?: number): this;
  forEach(callback: (value: T, index: number) => void): void;
  every(predicate: (value: T, index: number) => unknown): boolean;
  some(predicate: (value: T, index: number) => unknown): boolean;
  find(predicate: (value: T, index: number) => unknown): T | undefined;
  findIndex(predicate: (value: T, index: number) => unknown): number;
  findLast(predicate: (value: T, index: number) => unknown): T | undefined;
  findLastIndex(predicate: (value: T, index: number) => unknown): number;
  includes(value: T, from?: number): boolean;
  indexOf(value: T, from?: number): number;
  lastIndexOf(value: T, from?: number): number;
  join(separator?: string): string;
  reduce<R>(callback: (so: R, value: T, index: number) => R, initial: R): R;
  reverse(): this;
  sort(compare?: (a: T, b: T) => number): this;
  copyWithin(target: number, start: number, end?: number): this;
  keys(): IterableIterator<number>;
  values(): IterableIterator<T>;
  entries(): IterableIterator<[number, T]>;
  /**
   * A plain typed array over a part of the same memory, for whatever takes one. Detached by `close()`.
   *
   * @throws ERR_UNSUPPORTED for bool, char and structs, and where the backend has no views, or this runtime allows none
   */
  subarray(start?: number, end?: number): View;
}

/**
 * Elements of one type that processes share. Of numbers and bigints it is a typed array over shared memory: an `Int32Array` or whichever
 * it is, with all its methods, indexed at its speed, plainly, without locks; elements are never torn. `slice`, `map` and `filter` give plain arrays.
 *
 * Arrays of `bool`, `char` and structs have the same methods and can be indexed too; `get(i)` and `set(i, value)` are much faster
 * there. A struct is copied out and in, and two processes that use the same element at once may mix its fields: hold a lock.
 *
 * Where the backend has no views, or the runtime allows none (Electron; or INTERPROC_COPY_STATE=1) all is as above but for `subarray`, `buffer` and
 * `viewAt`; `get` and `set` cost about 0.3 us, an index about 0.9 us, and a method that looks at all elements works on a copy.
 * `slice`, `set(values)`, `fill` and the like are one access there, however many elements; iterating is one access each, and shows what is stored on the way.
 *
 * Every method throws ERR_CLOSED after `close()`; an index gives undefined.
 *
 * @example
 * ```ts
 * import { SharedArray } from 'interproc';
 *
 * const xs = new SharedArray('int32', [3, 1, 2]);
 * xs[1] = 5;
 * xs.addAt(0, 4); // => 3
 * xs.slice(); // => [ 7, 5, 2 ]
 * xs.map((x) => x / 2); // => [ 3.5, 2.5, 1 ]
 * Math.max(...xs); // => 7
 * await xs.waitFor((now) => now[0] === 7).then((same) => same === xs); // => true
 * xs.close();
 * ```
 */
export type SharedArray<T = unknown, View = unknown> = ArrayPart<T, View> &
  SharedArrayMethods<T, View>;

function atomicsOf(array: unknown, operation: string): AtomicCells<unknown> {
  const core = coreOf(array);
  if (core.atomics !== undefined) return core.atomics;
  throw new InterprocError(
    'ERR_UNSUPPORTED',
    `SharedArray '${core.name}': structs have no operation '${operation}'; change the element under a lock`,
  );
}

function calculate(
  array: unknown,
  call: string,
  operation: CellOperation,
  index: number,
  operand: unknown,
): unknown {
  const core = coreOf(array);
  const cells = core.atomics ?? atomicsOf(array, call);
  return cells.calculate(operation, core.checkIndex(index), operand);
}

/** The methods of `SharedArrayMethods` but for those that depend on how the elements are had; `this` is any shared array. */
export const SHARED_METHODS = {
  get name(): string {
    return coreOf(this).name;
  },
  get type(): unknown {
    return coreOf(this).type;
  },
  get lock(): EmbeddedLock {
    return coreOf(this).lock;
  },
  get(index: number): unknown {
    const core = coreOf(this);
    return core.elements.read(core.checkIndex(index));
  },
  addAt(index: number, amount: unknown): unknown {
    return calculate(this, 'addAt', 'add', index, amount);
  },
  subAt(index: number, amount: unknown): unknown {
    return calculate(this, 'subAt', 'sub', index, amount);
  },
  andAt(index: number, mask: unknown): unknown {
    return calculate(this, 'andAt', 'and', index, mask);
  },
  orAt(index: number, mask: unknown): unknown {
    return calculate(this, 'orAt', 'or', index, mask);
  },
  xorAt(index: number, mask: unknown): unknown {
    return calculate(this, 'xorAt', 'xor', index, mask);
  },
  exchangeAt(index: number, value: unknown): unknown {
    const cells = atomicsOf(this, 'exchangeAt');
    return cells.exchange(coreOf(this).checkIndex(index), value);
  },
  compareExchangeAt(index: number, expected: unknown, replacement: unknown): unknown {
    const cells = atomicsOf(this, 'compareExchangeAt');
    return cells.compareExchange(coreOf(this).checkIndex(index), expected, replacement);
  },
  updateAt(index: number, change: (value: unknown) => unknown): unknown {
    const core = coreOf(this);
    const at = core.checkIndex(index);
    return atomicsOf(this, 'updateAt').update(at, change, () => core.handle.assertOpen());
  },
  viewAt(index: number): unknown {
    const core = coreOf(this);
    const at = core.checkIndex(index);
    const { struct } = core;
    const { buffer } = core.state;
    if (struct !== undefined && buffer !== undefined) {
      return struct.view(buffer, at * struct.byteLength);
    }
    if (struct !== undefined) {
      throw noViews('viewAt', core.name, 'use get(i) and set(i, value)');
    }
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `SharedArray '${core.name}' has no structs to view; use xs[i] or get(i)`,
    );
  },
  waitFor(predicate: (array: object) => unknown, options?: WaitOptions): Promise<object> {
    const { handle, waits } = coreOf(this);
    if (handle.isClosed) return Promise.reject(handle.closedError());
    return waits.wait(predicate, options);
  },
  waitForSync(predicate: (array: object) => unknown, options?: SyncWaitOptions): object {
    const { handle, waits } = coreOf(this);
    handle.assertCanBlock('waitForSync');
    return waits.waitSync(predicate, options);
  },
  notify(): void {
    cellsOf(coreOf(this).handle.open()).notify();
  },
  ref(): unknown {
    coreOf(this).handle.open().ref();
    return this;
  },
  unref(): unknown {
    coreOf(this).handle.open().unref();
    return this;
  },
  close(): void {
    coreOf(this).close();
  },
  unlink(): void {
    coreOf(this).handle.open().unlink();
  },
  [Symbol.dispose](): void {
    coreOf(this).close();
  },
};

/** What a shared array prints as. */
export function shownArray(
  core: ArrayCore,
  elements: unknown,
  options: InspectOptionsStylized,
): string {
  const name = inspect(core.name, options);
  const facts = core.handle.isClosed
    ? inspect({ type: core.type, closed: true }, options)
    : `${core.struct === undefined ? core.type : inspect(core.struct, options)} ${inspect(elements, options)}`;
  return `SharedArray ${name} ${facts}`;
}

/** Whether the first argument of `set` is an index. */
export function isIndexed(target: unknown): target is number {
  if (typeof target === 'number') return true;
  if (typeof target === 'object' && target !== null) return false;
  throw invalidArgument('set', 'an index and a value, or values and an offset', target);
}

/** Defines methods and getters on a prototype as a class does. */
export function defineMethods(prototype: object, methods: object): void {
  for (const key of Reflect.ownKeys(methods)) {
    const described = Object.getOwnPropertyDescriptor(methods, key) as PropertyDescriptor;
    Object.defineProperty(prototype, key, { ...described, enumerable: false });
  }
}

letTravel(ARRAY_TRAVELS_AS, (object) => findCore(object)?.handle.open());
