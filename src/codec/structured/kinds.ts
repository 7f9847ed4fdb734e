import { types } from 'node:util';

import { ERRORS } from './format.js';
import { VIEW_KINDS } from './views.js';

/** What an object is to structured clone: what it was made as, whatever it says and its prototype is. */
export type Kind =
  | 'ordinary'
  | 'view'
  | 'Map'
  | 'Set'
  | 'Date'
  | 'RegExp'
  | 'Error'
  | 'ArrayBuffer'
  | 'number'
  | 'string'
  | 'boolean'
  | 'bigint'
  | 'refused';

interface Check {
  readonly kind: Kind;
  readonly is: (object: object) => boolean;
  /** Whose instances it mostly is. */
  readonly of: ReadonlyArray<{ readonly prototype: object }>;
}

const BUILT_IN: readonly Check[] = [
  { kind: 'view', is: ArrayBuffer.isView, of: [Buffer, ...VIEW_KINDS.flatMap(constructorOf)] },
  { kind: 'Map', is: types.isMap, of: [Map] },
  { kind: 'Set', is: types.isSet, of: [Set] },
  { kind: 'Date', is: types.isDate, of: [Date] },
  { kind: 'RegExp', is: types.isRegExp, of: [RegExp] },
  {
    kind: 'Error',
    is: types.isNativeError,
    of: ERRORS.map((name) => globalThis[name]),
  },
  { kind: 'ArrayBuffer', is: types.isArrayBuffer, of: [ArrayBuffer] },
  { kind: 'number', is: types.isNumberObject, of: [Number] },
  { kind: 'string', is: types.isStringObject, of: [String] },
  { kind: 'boolean', is: types.isBooleanObject, of: [Boolean] },
  { kind: 'bigint', is: types.isBigIntObject, of: [BigInt] },
];

function constructorOf({ constructor }: (typeof VIEW_KINDS)[number]): Array<{ prototype: object }> {
  return constructor === undefined ? [] : [constructor as unknown as { prototype: object }];
}

/** Those that may have properties of their own, by which they would pass for ordinary objects. */
const REFUSED: ReadonlyArray<(object: object) => boolean> = [
  types.isArgumentsObject,
  types.isModuleNamespaceObject,
  types.isSharedArrayBuffer,
  types.isPromise,
  types.isWeakMap,
  types.isWeakSet,
  types.isSymbolObject,
  types.isGeneratorObject,
  types.isMapIterator,
  types.isSetIterator,
  types.isExternal,
];

/** By prototype: which check to make first. */
const LIKELY: ReadonlyMap<object | null, Check> = new Map(
  BUILT_IN.flatMap((check) => check.of.map(({ prototype }) => [prototype, check])),
);

/** The kind of an object that has one of the prototypes of built-in objects, and is such an object. */
export function builtInKind(object: object, prototype: object | null): Kind | undefined {
  const check = LIKELY.get(prototype);
  return check?.is(object) === true ? check.kind : undefined;
}

/** The kind of any object, as far as Node tells it. */
export function kindOf(object: object): Kind {
  for (const { kind, is } of BUILT_IN) if (is(object)) return kind;
  return REFUSED.some((is) => is(object)) ? 'refused' : 'ordinary';
}

/**
 * Whether structured clone makes a plain object of one without properties. What lives in this process only
 * (weak references, ports, locales) has none; so its looking at one runs no code of the caller's.
 */
export function becomesPlain(empty: object): boolean {
  try {
    return Object.getPrototypeOf(structuredClone(empty)) === Object.prototype;
  } catch {
    return false;
  }
}
