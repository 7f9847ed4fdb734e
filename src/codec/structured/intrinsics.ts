/**
 * What built-in objects hold inside, by the accessors and methods they come with: own properties, subclasses
 * and prototypes that were changed do not matter, as they do not to structured clone.
 */

type Getter<Target, T> = (target: Target) => T;

function getter<Target extends object, T>(prototype: object, name: PropertyKey): Getter<Target, T> {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  return (target) => Reflect.apply(get as () => T, target, []);
}

const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

export interface ViewAccess {
  buffer(view: ArrayBufferView): ArrayBufferLike;
  byteOffset(view: ArrayBufferView): number;
  byteLength(view: ArrayBufferView): number;
}

function viewAccess(prototype: object): ViewAccess {
  return {
    buffer: getter(prototype, 'buffer'),
    byteOffset: getter(prototype, 'byteOffset'),
    byteLength: getter(prototype, 'byteLength'),
  };
}

export const typedArrayAccess = viewAccess(TypedArray);
export const dataViewAccess = viewAccess(DataView.prototype);

/** Undefined for a DataView. */
export const typedArrayName = getter<object, string | undefined>(TypedArray, Symbol.toStringTag);

export const arrayBuffer = {
  byteLength: getter<ArrayBuffer, number>(ArrayBuffer.prototype, 'byteLength'),
  isResizable: getter<ArrayBuffer, boolean>(ArrayBuffer.prototype, 'resizable'),
  maxByteLength: getter<ArrayBuffer, number>(ArrayBuffer.prototype, 'maxByteLength'),
};

const { getTime } = Date.prototype;
export const timeOf = (date: Date): number => Reflect.apply(getTime, date, []);

const FLAGS: ReadonlyArray<readonly [flag: string, isSet: Getter<RegExp, boolean>]> = [
  ['d', 'hasIndices'],
  ['g', 'global'],
  ['i', 'ignoreCase'],
  ['m', 'multiline'],
  ['s', 'dotAll'],
  ['u', 'unicode'],
  ['v', 'unicodeSets'],
  ['y', 'sticky'],
].map(([flag, name]) => [flag as string, getter(RegExp.prototype, name as string)]);

export const sourceOf = getter<RegExp, string>(RegExp.prototype, 'source');

export function flagsOf(regexp: RegExp): string {
  return FLAGS.filter(([, isSet]) => isSet(regexp))
    .map(([flag]) => flag)
    .join('');
}

const forEachOfMap = Map.prototype.forEach;
const forEachOfSet = Set.prototype.forEach;

/** Keys and values by turns, as they are now. */
export function entriesOf(map: Map<unknown, unknown>): unknown[] {
  const entries: unknown[] = [];
  Reflect.apply(forEachOfMap, map, [(value: unknown, key: unknown) => entries.push(key, value)]);
  return entries;
}

/** The members, as they are now. */
export function membersOf(set: Set<unknown>): unknown[] {
  const members: unknown[] = [];
  Reflect.apply(forEachOfSet, set, [(member: unknown) => members.push(member)]);
  return members;
}

const valueOf = {
  number: Number.prototype.valueOf,
  string: String.prototype.valueOf,
  boolean: Boolean.prototype.valueOf,
  bigint: BigInt.prototype.valueOf,
};

/** The primitive in a boxed one of that type. */
export function unboxed(box: object, type: keyof typeof valueOf): unknown {
  return Reflect.apply(valueOf[type], box, []);
}
