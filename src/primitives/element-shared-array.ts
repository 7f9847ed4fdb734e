import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import { InterprocError } from '../errors.js';
import type { State } from '../contract/state.js';
import type { Element, ScalarType } from '../shapes/scalar-types.js';
import type { StructType } from '../shapes/struct.js';
import { ArrayCore, coreOf, findCore, share } from './array-core.js';
import { noViews } from './lacking.js';
import { defineMethods, isIndexed, SHARED_METHODS, shownArray } from './shared-array.js';

const INDEX = /^(?:0|[1-9][0-9]*)$/;

/**
 * What stands behind the methods in the chain of prototypes: a property that is no method, and that no object has, is an index. So methods
 * are found at their usual speed.
 */
const indexed: ProxyHandler<object> = {
  get(target, key, receiver) {
    if (typeof key !== 'string' || !INDEX.test(key)) return Reflect.get(target, key, receiver);
    const core = findCore(receiver as object);
    const index = Number(key);
    return core !== undefined && index < core.length ? core.elements.read(index) : undefined;
  },
  set(target, key, value, receiver) {
    if (typeof key !== 'string' || !INDEX.test(key)) {
      return Reflect.set(target, key, value, receiver);
    }
    const core = findCore(receiver as object);
    const index = Number(key);
    if (core !== undefined && index < core.length) {
      core.elements.write(index, asTypedArray(core.scalar, value));
    }
    return true;
  },
};

/** What a typed array would store; of other types the value itself, to be checked. */
function asTypedArray(type: ScalarType | undefined, value: unknown): unknown {
  if (type === undefined || type.kind === 'bool' || type.kind === 'char') return value;
  const one = new type.TypedArray(1) as unknown as { [index: number]: Element };
  one[0] = value as Element;
  return one[0];
}

/** The same of many. */
function allAsTypedArray(type: ScalarType | undefined, values: unknown[]): unknown[] {
  if (type === undefined || type.kind === 'bool' || type.kind === 'char') return values;
  const all = new type.TypedArray(values.length);
  (all as { set(values: unknown[]): void }).set(values);
  return all as unknown as unknown[];
}

/** All elements as they are now: a typed array of numbers or bigints, else a plain array. */
function snapshotOf({ elements }: ArrayCore): unknown[] {
  return elements.copyOut(0, elements.length);
}

/** Where an argument points to that may count from the end; `otherwise` if there is none. */
function position(argument: unknown, length: number, otherwise: number): number {
  if (argument === undefined) return otherwise;
  const at = Math.trunc(Number(argument)) || 0;
  return at < 0 ? Math.max(at + length, 0) : Math.min(at, length);
}

const READING: readonly string[] = [
  'every',
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'forEach',
  'includes',
  'indexOf',
  'join',
  'lastIndexOf',
  'reduce',
  'reduceRight',
  'some',
  'toLocaleString',
  'toString',
];

const CHANGING = ['reverse', 'sort'];

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<string | symbol, Method>;

function openCoreOf(array: unknown): ArrayCore {
  const core = coreOf(array);
  core.handle.assertOpen();
  return core;
}

const methods: Methods = {
  at(index) {
    const { elements } = openCoreOf(this);
    const asked = Math.trunc(Number(index)) || 0;
    const at = asked < 0 ? asked + elements.length : asked;
    return at >= 0 && at < elements.length ? elements.read(at) : undefined;
  },
  slice(start, end) {
    const { elements } = openCoreOf(this);
    const from = position(start, elements.length, 0);
    const to = Math.max(from, position(end, elements.length, elements.length));
    return Array.from(elements.copyOut(from, to));
  },
  map(change, self) {
    return Array.from(snapshotOf(openCoreOf(this))).map(change as never, self);
  },
  filter(predicate, self) {
    return Array.from(snapshotOf(openCoreOf(this))).filter(predicate as never, self);
  },
  set(target, value) {
    const core = openCoreOf(this);
    if (isIndexed(target)) {
      core.elements.write(core.checkIndex(target), value);
      return;
    }
    const values = allAsTypedArray(core.scalar, Array.from(target as ArrayLike<unknown>));
    const offset = Math.trunc(Number(value ?? 0));
    if (!(offset >= 0) || offset + values.length > core.length) {
      throw new RangeError('offset is out of bounds');
    }
    core.elements.copyIn(offset, values);
  },
  fill(value, start, end) {
    const { elements, scalar } = openCoreOf(this);
    const stored = asTypedArray(scalar, value);
    const from = position(start, elements.length, 0);
    const to = Math.max(from, position(end, elements.length, elements.length));
    elements.copyIn(
      from,
      Array.from({ length: to - from }, () => stored),
    );
    return this;
  },
  copyWithin(target, start, end) {
    const { elements } = openCoreOf(this);
    const { length } = elements;
    const to = position(target, length, 0);
    const from = position(start, length, 0);
    const count = Math.min(position(end, length, length) - from, length - to);
    if (count > 0) elements.copyIn(to, elements.copyOut(from, from + count));
    return this;
  },
  *values() {
    const core = openCoreOf(this);
    for (let i = 0; i < core.length; i++) yield core.elements.read(i);
  },
  *keys() {
    const core = openCoreOf(this);
    for (let i = 0; i < core.length; i++) yield i;
  },
  *entries() {
    const core = openCoreOf(this);
    for (let i = 0; i < core.length; i++) yield [i, core.elements.read(i)];
  },
  subarray() {
    const core = openCoreOf(this);
    if (core.state.buffer === undefined) {
      throw noViews('subarray', core.name, 'slice() gives a copy');
    }
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `SharedArray '${core.name}' can give no typed array over its memory: its elements are no numbers; slice() gives a copy`,
    );
  },
  [inspect.custom](_depth, options) {
    const core = coreOf(this);
    const elements = core.handle.isClosed ? undefined : snapshotOf(core);
    return shownArray(core, elements, options as InspectOptionsStylized);
  },
};
methods[Symbol.iterator] = methods['values'] as Method;
for (const name of READING) {
  methods[name] = function (...args) {
    const snapshot = snapshotOf(openCoreOf(this)) as unknown as Methods;
    return Reflect.apply(snapshot[name] as Method, snapshot, args);
  };
}
for (const name of CHANGING) {
  methods[name] = function (...args) {
    const core = openCoreOf(this);
    const snapshot = snapshotOf(core);
    Reflect.apply((snapshot as unknown as Methods)[name] as Method, snapshot, args);
    core.elements.copyIn(0, snapshot);
    return this;
  };
}

const prototype = Object.create(
  new Proxy(Object.create(Object.prototype) as object, indexed),
) as object;
defineMethods(prototype, methods);
defineMethods(prototype, {
  get length(): number {
    return coreOf(this).length;
  },
});
defineMethods(prototype, SHARED_METHODS);

/** The shared array in a state: of bool, char and structs, or whose memory JavaScript does not see. */
export function elementSharedArray(
  state: State,
  type: ScalarType | StructType<unknown, unknown>,
): object {
  const array = Object.create(prototype) as object;
  share(array, new ArrayCore(state, type, () => array));
  return array;
}
