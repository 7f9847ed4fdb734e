import { types } from 'node:util';

/**
 * How two values differ in anything that a program can see, or undefined: prototypes, property attributes and their
 * order, holes, -0, what is inside built-in objects, and which objects are the same one.
 */
export function difference(a: unknown, b: unknown): string | undefined {
  return compare(a, b, 'value', { ofA: new Map(), ofB: new Map() });
}

interface Partners {
  readonly ofA: Map<object, object>;
  readonly ofB: Map<object, object>;
}

const KINDS = [
  'isMap',
  'isSet',
  'isDate',
  'isRegExp',
  'isNativeError',
  'isArrayBuffer',
  'isTypedArray',
  'isDataView',
  'isNumberObject',
  'isStringObject',
  'isBooleanObject',
  'isBigIntObject',
] as const;

function compare(a: unknown, b: unknown, path: string, partners: Partners): string | undefined {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Object.is(a, b)
      ? undefined
      : `${path}: ${typeof a} ${String(a)}, ${typeof b} ${String(b)}`;
  }
  if (partners.ofA.has(a) || partners.ofB.has(b)) {
    return partners.ofA.get(a) === b ? undefined : `${path}: is another object than elsewhere`;
  }
  partners.ofA.set(a, b);
  partners.ofB.set(b, a);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: another prototype`;
  if (Array.isArray(a) !== Array.isArray(b)) return `${path}: array or not`;
  for (const is of KINDS) if (types[is](a) !== types[is](b)) return `${path}: ${is} or not`;
  return (
    compareInsides(a, b, path, partners) ??
    compareLists(Reflect.ownKeys(a), Reflect.ownKeys(b), `${path}: keys`, partners) ??
    compareProperties(a, b, path, partners)
  );
}

function compareLists(
  a: readonly unknown[],
  b: readonly unknown[],
  path: string,
  partners: Partners,
): string | undefined {
  if (a.length !== b.length) return `${path}: ${a.length} of them, ${b.length}`;
  for (const [i, value] of a.entries()) {
    const found = compare(value, b[i], `${path}(${i})`, partners);
    if (found !== undefined) return found;
  }
  return undefined;
}

function compareProperties(
  a: object,
  b: object,
  path: string,
  partners: Partners,
): string | undefined {
  for (const key of Reflect.ownKeys(a)) {
    const [own = {}, other = {}] = [a, b].map((o) => Reflect.getOwnPropertyDescriptor(o, key));
    const name = `${path}[${String(key)}]`;
    for (const attribute of ['enumerable', 'configurable', 'writable'] as const) {
      if (own[attribute] !== other[attribute]) return `${name}: ${attribute} or not`;
    }
    // Some Nodes have accessors for the stack.
    const found = compare(Reflect.get(a, key), Reflect.get(b, key), name, partners);
    if (found !== undefined) return found;
  }
  return undefined;
}

function compareInsides(
  a: object,
  b: object,
  path: string,
  partners: Partners,
): string | undefined {
  return compareLists(insides(a), insides(b), `${path}: inside`, partners);
}

/** What an object holds that is no property. */
function insides(object: object): unknown[] {
  if (types.isMap(object)) return [...object.entries()].flat();
  if (types.isSet(object)) return [...object];
  if (types.isDate(object)) return [object.getTime()];
  if (types.isRegExp(object)) return [object.source, object.flags, object.lastIndex];
  if (types.isBoxedPrimitive(object)) return [object.valueOf()];
  if (ArrayBuffer.isView(object)) return [object.buffer, object.byteOffset, object.byteLength];
  if (types.isArrayBuffer(object)) {
    const { resizable, maxByteLength } = object as { resizable?: boolean; maxByteLength?: number };
    return [resizable, maxByteLength, ...new Uint8Array(object)];
  }
  return [];
}
