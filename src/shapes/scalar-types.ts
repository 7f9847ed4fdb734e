/**
 * The one table of scalar types: what an element of shared memory can be, its name, its letter, and what becomes of a
 * JavaScript value on its way into it.
 *
 * | name | letters | C | bytes | JavaScript | range |
 * |---|---|---|---|---|---|
 * | `int8` | `b` | `int8_t` | 1 | number | -128 to 127 |
 * | `uint8` | `B` | `uint8_t` | 1 | number | 0 to 255 |
 * | `int16` | `h` | `int16_t` | 2 | number | -32,768 to 32,767 |
 * | `uint16` | `H` | `uint16_t` | 2 | number | 0 to 65,535 |
 * | `int32` | `i` | `int32_t` | 4 | number | -2^31 to 2^31 - 1 |
 * | `uint32` | `I` | `uint32_t` | 4 | number | 0 to 2^32 - 1 |
 * | `int64` | `q` `l` | `int64_t` | 8 | bigint | -2^63 to 2^63 - 1 |
 * | `uint64` | `Q` `L` | `uint64_t` | 8 | bigint | 0 to 2^64 - 1 |
 * | `float32` | `f` | `float` | 4 | number | 24 bits, up to 3.4e38 |
 * | `float64` | `d` | `double` | 8 | number | every number |
 * | `bool` | `?` | `bool` | 1 | boolean | |
 * | `char` | `c` | `char` | 1 | string | one character, U+0000 to U+00FF |
 *
 * The letters are those of Python's ctypes; `l` and `L` are C's `long`, which has 64 bits on Linux, and are bigints.
 *
 * - *Integers* take whole numbers of any size and wrap, as in C and in ctypes: 128 into an `int8` is -128. A fraction, NaN
 *   or an Infinity is ERR_INVALID_ARG. -0 is 0. A bigint is for the 64-bit types only.
 * - *64-bit integers* are read as bigints. They take bigints of any size, which wrap, and numbers up to 2^53 - 1; beyond it a
 *   number may not be the one that was meant, and is ERR_INVALID_ARG.
 * - *Floats* take every number: NaN, Infinity and -0 too. A `float32` rounds to the nearest; what is too large becomes Infinity.
 * - `bool` takes true and false and stores 1 and 0; every other byte is read as true.
 * - `char` takes a string of one character, and is one byte (Latin-1).
 *
 * Nothing else is converted: '3' is no number, and 1 is not true. Bytes stand in the machine's order.
 */

import { invalidArgument } from '../errors.js';

/** What the value of each type is in JavaScript. */
export interface ScalarValues {
  readonly int8: number;
  readonly uint8: number;
  readonly int16: number;
  readonly uint16: number;
  readonly int32: number;
  readonly uint32: number;
  readonly int64: bigint;
  readonly uint64: bigint;
  readonly float32: number;
  readonly float64: number;
  readonly bool: boolean;
  readonly char: string;
}

/** The typed array over elements of each type. */
export interface ScalarArrays {
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly bool: Uint8Array;
  readonly char: Uint8Array;
}

/** The types that the letters of Python's ctypes stand for. */
export interface ScalarLetters {
  readonly b: 'int8';
  readonly B: 'uint8';
  readonly h: 'int16';
  readonly H: 'uint16';
  readonly i: 'int32';
  readonly I: 'uint32';
  readonly l: 'int64';
  readonly L: 'uint64';
  readonly q: 'int64';
  readonly Q: 'uint64';
  readonly f: 'float32';
  readonly d: 'float64';
  readonly '?': 'bool';
  readonly c: 'char';
}

export type ScalarName = keyof ScalarValues;
export type ScalarLetter = keyof ScalarLetters;
/** A type as users write it: its name or its letter. */
export type ScalarTypeName = ScalarName | ScalarLetter;
/** The name of the type that a name or a letter stands for. */
export type ScalarNameOf<N extends ScalarTypeName> = N extends ScalarLetter
  ? ScalarLetters[N]
  : N extends ScalarName
    ? N
    : never;
/** `ScalarValueOf<'float64'>` and `ScalarValueOf<'d'>` are number. */
export type ScalarValueOf<N extends ScalarTypeName> = ScalarValues[ScalarNameOf<N>];
/** `ScalarArrayOf<'d'>` is Float64Array. */
export type ScalarArrayOf<N extends ScalarTypeName> = ScalarArrays[ScalarNameOf<N>];

/** What an element of a typed array is. */
export type Element = number | bigint;

/** A typed array over elements of some type. */
export type ElementArray = ScalarArrays[ScalarName];

export interface ElementArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): ElementArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ElementArray;
}

export type ScalarKind = 'integer' | 'bigint' | 'float' | 'bool' | 'char';

/** One row of the table. */
export interface ScalarType<Value = ScalarValues[ScalarName]> {
  readonly name: ScalarName;
  /** Its letters in ctypes. */
  readonly letters: readonly ScalarLetter[];
  readonly kind: ScalarKind;
  /** Size in bytes, and in C also its alignment. */
  readonly byteLength: number;
  /** The typed array whose elements have this type's size and, but for `bool` and `char`, its values. */
  readonly TypedArray: ElementArrayConstructor;

  /**
   * What a typed array of this type holds for `value`: wrapped, rounded, 0 or 1, a character's code.
   *
   * @param what names what is written, for the message
   * @throws ERR_INVALID_ARG
   */
  toElement(value: unknown, what: string): Element;
  /** The value of what a typed array of this type holds. */
  fromElement(element: Element): Value;
  /** The value at a byte of `view`, aligned or not. */
  read(view: DataView, byteOffset: number): Value;
  /**
   * Stores `value` at a byte of `view`, aligned or not.
   *
   * @param what names what is written, for the message
   * @throws ERR_INVALID_ARG, and nothing is stored
   */
  write(view: DataView, byteOffset: number, value: unknown, what: string): void;
}

/** The machine's byte order, as a DataView wants to be told: the memory is shared with programs of this machine only. */
export const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function wholeNumber(value: unknown, what: string, name: ScalarName): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw invalidArgument(`${what} (${name})`, 'a whole number', value);
}

function wholeBigint(value: unknown, what: string, name: ScalarName): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw invalidArgument(
    `${what} (${name})`,
    'a bigint, or a whole number of at most 2^53 - 1',
    value,
  );
}

function anyNumber(value: unknown, what: string, name: ScalarName): number {
  if (typeof value === 'number') return value;
  throw invalidArgument(`${what} (${name})`, 'a number', value);
}

/** A type whose elements are its values. */
function numberType<V extends Element>(
  kind: ScalarKind,
  name: ScalarName,
  letters: readonly ScalarLetter[],
  TypedArray: ElementArrayConstructor,
  check: (value: unknown, what: string, name: ScalarName) => V,
  wrap: (value: V) => V,
  read: (view: DataView, byteOffset: number) => V,
  store: (view: DataView, byteOffset: number, value: V) => void,
): ScalarType<V> {
  return Object.freeze({
    name,
    letters,
    kind,
    byteLength: TypedArray.BYTES_PER_ELEMENT,
    TypedArray,
    toElement: (value: unknown, what: string) => wrap(check(value, what, name)),
    fromElement: (element: Element) => element as V,
    read,
    write(view: DataView, byteOffset: number, value: unknown, what: string): void {
      store(view, byteOffset, check(value, what, name));
    },
  });
}

function bit(value: unknown, what: string): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  throw invalidArgument(`${what} (bool)`, 'true or false', value);
}

const boolType: ScalarType<boolean> = Object.freeze({
  name: 'bool' as const,
  letters: ['?'] as const,
  kind: 'bool' as const,
  byteLength: 1,
  TypedArray: Uint8Array,
  toElement: bit,
  fromElement: (element: Element) => element !== 0,
  read: (view: DataView, byteOffset: number) => view.getUint8(byteOffset) !== 0,
  write(view: DataView, byteOffset: number, value: unknown, what: string): void {
    view.setUint8(byteOffset, bit(value, what));
  },
});

function characterCode(value: unknown, what: string): number {
  if (typeof value === 'string' && value.length === 1) {
    const code = value.charCodeAt(0);
    if (code <= 0xff) return code;
  }
  throw invalidArgument(`${what} (char)`, 'a string of one character, U+0000 to U+00FF', value);
}

const charType: ScalarType<string> = Object.freeze({
  name: 'char' as const,
  letters: ['c'] as const,
  kind: 'char' as const,
  byteLength: 1,
  TypedArray: Uint8Array,
  toElement: characterCode,
  fromElement: (element: Element) => String.fromCharCode(element as number),
  read: (view: DataView, byteOffset: number) => String.fromCharCode(view.getUint8(byteOffset)),
  write(view: DataView, byteOffset: number, value: unknown, what: string): void {
    view.setUint8(byteOffset, characterCode(value, what));
  },
});

/** All rows, by name. */
export const SCALAR_TYPES: { readonly [N in ScalarName]: ScalarType<ScalarValues[N]> } =
  Object.freeze({
    int8: numberType(
      'integer',
      'int8',
      ['b'],
      Int8Array,
      wholeNumber,
      (value) => (value << 24) >> 24,
      (view, at) => view.getInt8(at),
      (view, at, value) => view.setInt8(at, value),
    ),
    uint8: numberType(
      'integer',
      'uint8',
      ['B'],
      Uint8Array,
      wholeNumber,
      (value) => value & 0xff,
      (view, at) => view.getUint8(at),
      (view, at, value) => view.setUint8(at, value),
    ),
    int16: numberType(
      'integer',
      'int16',
      ['h'],
      Int16Array,
      wholeNumber,
      (value) => (value << 16) >> 16,
      (view, at) => view.getInt16(at, LITTLE_ENDIAN),
      (view, at, value) => view.setInt16(at, value, LITTLE_ENDIAN),
    ),
    uint16: numberType(
      'integer',
      'uint16',
      ['H'],
      Uint16Array,
      wholeNumber,
      (value) => value & 0xffff,
      (view, at) => view.getUint16(at, LITTLE_ENDIAN),
      (view, at, value) => view.setUint16(at, value, LITTLE_ENDIAN),
    ),
    int32: numberType(
      'integer',
      'int32',
      ['i'],
      Int32Array,
      wholeNumber,
      (value) => value | 0,
      (view, at) => view.getInt32(at, LITTLE_ENDIAN),
      (view, at, value) => view.setInt32(at, value, LITTLE_ENDIAN),
    ),
    uint32: numberType(
      'integer',
      'uint32',
      ['I'],
      Uint32Array,
      wholeNumber,
      (value) => value >>> 0,
      (view, at) => view.getUint32(at, LITTLE_ENDIAN),
      (view, at, value) => view.setUint32(at, value, LITTLE_ENDIAN),
    ),
    int64: numberType(
      'bigint',
      'int64',
      ['q', 'l'],
      BigInt64Array,
      wholeBigint,
      (value) => BigInt.asIntN(64, value),
      (view, at) => view.getBigInt64(at, LITTLE_ENDIAN),
      (view, at, value) => view.setBigInt64(at, value, LITTLE_ENDIAN),
    ),
    uint64: numberType(
      'bigint',
      'uint64',
      ['Q', 'L'],
      BigUint64Array,
      wholeBigint,
      (value) => BigInt.asUintN(64, value),
      (view, at) => view.getBigUint64(at, LITTLE_ENDIAN),
      (view, at, value) => view.setBigUint64(at, value, LITTLE_ENDIAN),
    ),
    float32: numberType(
      'float',
      'float32',
      ['f'],
      Float32Array,
      anyNumber,
      Math.fround,
      (view, at) => view.getFloat32(at, LITTLE_ENDIAN),
      (view, at, value) => view.setFloat32(at, value, LITTLE_ENDIAN),
    ),
    float64: numberType(
      'float',
      'float64',
      ['d'],
      Float64Array,
      anyNumber,
      (value) => value,
      (view, at) => view.getFloat64(at, LITTLE_ENDIAN),
      (view, at, value) => view.setFloat64(at, value, LITTLE_ENDIAN),
    ),
    bool: boolType,
    char: charType,
  });

const byNameOrLetter: ReadonlyMap<unknown, ScalarType> = new Map(
  Object.values<ScalarType>(SCALAR_TYPES).flatMap((type): [string, ScalarType][] => [
    [type.name, type],
    ...type.letters.map((letter): [string, ScalarType] => [letter, type]),
  ]),
);

/** Every name with its letters, as messages list them. */
export const SCALAR_TYPE_LIST = Object.values<ScalarType>(SCALAR_TYPES)
  .map(({ name, letters }) => `${name} (${letters.join(', ')})`)
  .join(', ');

/** The type of a name or a letter; undefined if there is none. */
export function findScalarType(name: unknown): ScalarType | undefined {
  return byNameOrLetter.get(name);
}

/**
 * The type of a name or a letter.
 * @throws ERR_INVALID_ARG, listing them
 */
export function scalarType<N extends ScalarTypeName>(
  name: N,
  what = 'The type',
): ScalarType<ScalarValueOf<N>> {
  const type = byNameOrLetter.get(name);
  if (type !== undefined) return type as ScalarType<ScalarValueOf<N>>;
  throw invalidArgument(what, `one of ${SCALAR_TYPE_LIST}`, name);
}
