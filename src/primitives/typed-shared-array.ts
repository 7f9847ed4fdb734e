import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import type { State } from '../contract/state.js';
import type { ScalarType } from '../shapes/scalar-types.js';
import { ArrayCore, coreOf, share } from './array-core.js';
import { defineMethods, isIndexed, SHARED_METHODS, shownArray } from './shared-array.js';

/** A typed array, as far as this file uses it. */
type Plain = Float64Array;
type PlainConstructor = Float64ArrayConstructor;

/** What a typed array does itself, once it is known to be open: of one that is detached V8 would throw errors of its own. */
const INHERITED: readonly string[] = [
  'at',
  'copyWithin',
  'entries',
  'every',
  'fill',
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'forEach',
  'includes',
  'indexOf',
  'join',
  'keys',
  'lastIndexOf',
  'reduce',
  'reduceRight',
  'reverse',
  'some',
  'sort',
  'subarray',
  'toLocaleString',
  'toReversed',
  'toSorted',
  'values',
  'with',
];

type Method = (this: never, ...args: unknown[]) => unknown;

/** The class of shared arrays that are typed arrays of one kind. */
function classOver(Base: PlainConstructor): new (state: State, type: ScalarType) => object {
  const base = Base.prototype as unknown as Record<string, Method | undefined>;

  class TypedSharedArray extends Base {
    /** What subarray() and the like make: plain ones. */
    static get [Symbol.species](): PlainConstructor {
      return Base;
    }

    constructor(state: State, type: ScalarType) {
      const core = new ArrayCore(state, type, () => this);
      super(state.buffer as ArrayBuffer, 0, core.elements.length);
      share(this, core);
    }
  }

  const methods: Record<string | symbol, Method> = {
    slice(this: Plain, ...range) {
      coreOf(this).handle.assertOpen();
      return Array.from(Base.prototype.subarray.apply(this, range as []));
    },
    map(this: Plain, change, self) {
      coreOf(this).handle.assertOpen();
      return Array.prototype.map.call(this, change as never, self);
    },
    filter(this: Plain, predicate, self) {
      coreOf(this).handle.assertOpen();
      return Array.prototype.filter.call(this, predicate as never, self);
    },
    set(this: Plain, target, value) {
      const core = coreOf(this);
      core.handle.assertOpen();
      if (isIndexed(target)) core.elements.write(core.checkIndex(target), value);
      else Base.prototype.set.call(this, target as ArrayLike<number>, value as number);
    },
    toString(this: Plain) {
      coreOf(this).handle.assertOpen();
      return this.join();
    },
    [inspect.custom](this: Plain, _depth, options) {
      const core = coreOf(this);
      const elements = core.handle.isClosed ? undefined : Base.prototype.subarray.call(this);
      return shownArray(core, elements, options as InspectOptionsStylized);
    },
  };
  for (const name of INHERITED) {
    const inherited = base[name];
    // Not all of them are there in every Node.
    if (inherited === undefined) continue;
    methods[name] = function (...args) {
      coreOf(this).handle.assertOpen();
      return Reflect.apply(inherited, this, args);
    };
  }
  methods[Symbol.iterator] = methods['values'] as Method;
  defineMethods(TypedSharedArray.prototype, methods);
  defineMethods(TypedSharedArray.prototype, SHARED_METHODS);
  Object.defineProperty(TypedSharedArray, 'name', { value: 'SharedArray' });
  return TypedSharedArray;
}

const classes = new Map<string, ReturnType<typeof classOver>>();

/** The shared array in a state whose memory JavaScript sees, of numbers or bigints. */
export function typedSharedArray(state: State, type: ScalarType): object {
  let Class = classes.get(type.name);
  if (Class === undefined) {
    Class = classOver(type.TypedArray as unknown as PlainConstructor);
    classes.set(type.name, Class);
  }
  return new Class(state, type);
}
