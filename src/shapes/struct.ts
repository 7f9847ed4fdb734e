import { inspect } from 'node:util';
import type { InspectOptions } from 'node:util';
import { isAnyArrayBuffer } from 'node:util/types';

import { InterprocError, invalidArgument, shown } from '../errors.js';
import { ArrayShape, ScalarArrayShape, ScalarShape, TextShape } from './field-shape.js';
import type { FieldShape } from './field-shape.js';
import { findScalarType, SCALAR_TYPE_LIST } from './scalar-types.js';
import { StructShape } from './struct-shape.js';
import type {
  FieldType,
  RecordOfFields,
  StructFields,
  StructInput,
  ValueOfFields,
} from './struct-types.js';

/** The longest schema: it has to fit into the header of what is made of the struct. */
export const MAX_SCHEMA_BYTES = 3000;
/** The largest struct or array in one. */
const MAX_BYTES = 2 ** 30;
/** Levels of structs and arrays in each other. */
const MAX_DEPTH = 32;

// As in C: a layout is something that other languages can read.
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Memory that a struct can stand in. */
export type StructMemory = ArrayBufferLike | ArrayBufferView;

/** Where a field stands, and what it is. */
export interface StructField {
  /** The name of a scalar type, a struct, or `[type, length]`. */
  readonly type: FieldType;
  /** From the start of the struct. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

let shapeOfStruct: (struct: StructType<unknown, unknown>) => StructShape;
let hasShape: (value: object) => boolean;

/**
 * A struct of C: its layout, and ways to read and write it in memory. Two are the same type if their `schema`s are equal.
 * Made by `Struct`.
 */
export class StructType<Value, Live> {
  /** Its size in bytes, padding at its end included: a multiple of `alignment`. */
  readonly byteLength: number;
  /** Its address is a multiple of this: the size of its largest scalar. */
  readonly alignment: number;
  /** The fields by their names, in their order. */
  readonly fields: Readonly<Record<keyof Value & string, StructField>>;
  /** The whole definition as JSON, in one form only: who has it can make the same struct again. At most 3,000 bytes. */
  readonly schema: string;
  readonly #shape: StructShape;

  static {
    shapeOfStruct = (struct) => struct.#shape;
    hasShape = (value) => #shape in value;
  }

  constructor(shape: StructShape, types: ReadonlyMap<string, FieldType>, schema: string) {
    const fields: Record<string, StructField> = {};
    for (const { name, byteOffset, shape: field } of shape.fields) {
      const type = types.get(name) as FieldType;
      fields[name] = Object.freeze({ type, byteOffset, byteLength: field.byteLength });
    }
    this.byteLength = shape.byteLength;
    this.alignment = shape.alignment;
    this.fields = Object.freeze(fields) as typeof this.fields;
    this.schema = schema;
    this.#shape = shape;
    Object.freeze(this);
  }

  /**
   * A record over memory: its properties are the fields, and reading or assigning one reads or writes the memory.
   * Nested structs are records, and arrays are typed arrays, over the same memory (those of structs and of arrays: frozen
   * arrays of them; `char` arrays: strings). A nested struct or an array is assigned wholly, or if a part of it is
   * refused, not at all. The fields are accessors, not own properties: `{ ...record }` and structured clone see none of them,
   * `JSON.stringify` and `read` do. Once the memory is detached, using it throws a TypeError.
   *
   * @param byteOffset a place in `memory` where a struct of this alignment may stand
   * @throws ERR_INVALID_ARG if it does not fit there
   */
  view(memory: StructMemory, byteOffset = 0): Live {
    const view = this.#over(memory, byteOffset);
    if (view.byteOffset % this.alignment !== 0) {
      throw invalidArgument(
        'byteOffset',
        `a place at a multiple of ${this.alignment} bytes in the buffer, the alignment of the struct (read() and write() take any)`,
        view.byteOffset,
      );
    }
    return this.#shape.live(view, 0) as Live;
  }

  /**
   * A copy of a struct in memory, as a plain object: nested structs are plain objects, arrays plain arrays.
   *
   * @throws ERR_INVALID_ARG if there are not so many bytes
   */
  read(memory: StructMemory, byteOffset = 0): Value {
    return this.#shape.read(this.#over(memory, byteOffset), 0) as Value;
  }

  /**
   * Writes all fields, and zeroes the padding between them. A value lacks none and has no others; scalars are converted
   * as the table of types says, arrays have the length of the field's, and a string for a `char` array is at most as long
   * as that, of characters from U+0001 to U+00FF; zeroes fill the rest.
   *
   * @throws ERR_INVALID_ARG, ERR_TOO_LARGE if a string is too long; then nothing was written
   */
  write(memory: StructMemory, byteOffset: number, value: StructInput<Value>): void {
    const target = this.#over(memory, byteOffset);
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(
      this.#shape.pack(value),
    );
  }

  /** @throws ERR_INVALID_ARG */
  #over(memory: StructMemory, byteOffset: unknown): DataView {
    const isView = ArrayBuffer.isView(memory);
    if (!isView && !isAnyArrayBuffer(memory)) {
      throw invalidArgument(
        'memory',
        'an ArrayBuffer, a SharedArrayBuffer or a view of one',
        memory,
      );
    }
    const most = memory.byteLength - this.byteLength;
    if (
      typeof byteOffset !== 'number' ||
      !Number.isInteger(byteOffset) ||
      byteOffset < 0 ||
      byteOffset > most
    ) {
      throw new InterprocError(
        'ERR_INVALID_ARG',
        `A struct of ${this.byteLength} bytes does not fit at byteOffset ${shown(byteOffset)} of ${memory.byteLength} bytes`,
      );
    }
    return isView
      ? new DataView(memory.buffer, memory.byteOffset + byteOffset, this.byteLength)
      : new DataView(memory, byteOffset, this.byteLength);
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `Struct ${inspect(JSON.parse(this.schema), options)}`;
  }
}

/** Whether a value was made by `Struct`. */
export function isStruct(value: unknown): value is StructType<unknown, unknown> {
  return typeof value === 'object' && value !== null && hasShape(value);
}

/** How a struct reads and writes memory that was checked before. */
export function shapeOf(struct: StructType<unknown, unknown>): StructShape {
  return shapeOfStruct(struct);
}

/** A field's type in the form that `fields` shows, and its shape. */
interface Field {
  readonly type: FieldType;
  readonly shape: FieldShape;
}

/** @throws ERR_INVALID_ARG */
function checkDepth(depth: number, where: string): void {
  if (depth <= MAX_DEPTH) return;
  throw new InterprocError(
    'ERR_INVALID_ARG',
    `${where} has more than ${MAX_DEPTH} levels of structs and arrays in each other`,
  );
}

function fieldOf(type: unknown, where: string, level: number): Field {
  const scalar = findScalarType(type);
  if (scalar !== undefined) return { type: scalar.name, shape: new ScalarShape(scalar) };
  if (isStruct(type)) return { type, shape: shapeOf(type) };
  if (!Array.isArray(type)) {
    throw invalidArgument(
      where,
      `${SCALAR_TYPE_LIST}, a Struct, or [type, length] of one of them`,
      type,
    );
  }
  // An array may hold itself.
  checkDepth(level, where);
  const [itemType, length] = type as unknown[];
  if (type.length !== 2) throw invalidArgument(where, 'an array as [type, length]', type);
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 1) {
    throw invalidArgument(`${where}: the length of an array`, 'a whole number, 1 or more', length);
  }
  const item = fieldOf(itemType, where, level + 1);
  return { type: Object.freeze([item.type, length] as const), shape: arrayOf(item.shape, length) };
}

function arrayOf(item: FieldShape, length: number): FieldShape {
  const { scalar } = item;
  if (scalar === undefined) return new ArrayShape(item, length);
  return scalar.kind === 'char' ? new TextShape(length) : new ScalarArrayShape(scalar, length);
}

/** @throws ERR_INVALID_ARG */
function checkFieldName(name: PropertyKey): string {
  if (typeof name === 'string' && FIELD_NAME.test(name)) {
    if (!(name in Object.prototype) && name !== 'toJSON') return name;
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `A field cannot be called '${name}', which means something on every object of JavaScript`,
    );
  }
  throw invalidArgument("A field's name", "letters, digits and '_', no digit first, as in C", name);
}

/**
 * A struct as C lays it out, for memory that is shared with C, C++, Rust, Python's ctypes or other programs of this package: fields
 * stand in the order given, each at a multiple of its own size (of its largest scalar, if it is a struct or an
 * array), and the whole is padded to a multiple of its alignment. That is what gcc and clang do on x86-64 and arm64.
 *
 * A field is a scalar type by name or letter, another struct, or a fixed array `[type, length]`. A `char` array is a string. Names are
 * those of C; at most 1 GiB, 32 levels, and 3,000 bytes of `schema`. As a queue's `codec` it makes a queue of plain
 * objects with these fields. O(number of fields).
 *
 * @throws ERR_INVALID_ARG; ERR_TOO_LARGE
 *
 * @example
 * ```ts
 * import { Struct } from 'interproc';
 *
 * const Point = Struct({ x: 'float64', y: 'float64', id: 'uint32' });
 * const Path = Struct({ name: ['char', 12], length: 'uint32', points: [Point, 2] });
 * Path.byteLength; // => 64
 * Path.fields.points.byteOffset; // => 16
 *
 * const memory = new SharedArrayBuffer(Path.byteLength);
 * const path = Path.view(memory);
 * path.name = 'home';
 * path.points[1].x = 2.5;
 * Path.read(memory).points[1]; // => { x: 2.5, y: 0, id: 0 }
 * ```
 */
export function Struct<const Fields extends StructFields>(
  fields: Fields,
): StructType<ValueOfFields<Fields>, RecordOfFields<Fields>> {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw invalidArgument('Struct', "an object such as { x: 'float64' }", fields);
  }
  const types = new Map<string, FieldType>();
  const shapes = new Map<string, FieldShape>();
  for (const key of Reflect.ownKeys(fields)) {
    const name = checkFieldName(key);
    const { type, shape } = fieldOf(fields[name], `Field '${name}'`, 1);
    types.set(name, type);
    shapes.set(name, shape);
  }
  if (shapes.size === 0) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `A struct has one field at least; received ${shown(fields)}`,
    );
  }
  const shape = new StructShape(shapes);
  checkDepth(shape.depth, 'The struct');
  if (shape.byteLength > MAX_BYTES) {
    throw new InterprocError(
      'ERR_TOO_LARGE',
      `The struct would have ${shape.byteLength} bytes; it may have ${MAX_BYTES} at most`,
    );
  }
  const schema = JSON.stringify(shape.schema);
  if (schema.length > MAX_SCHEMA_BYTES) {
    throw new InterprocError(
      'ERR_TOO_LARGE',
      `The definition of a struct takes at most ${MAX_SCHEMA_BYTES} bytes as JSON; this one has ${schema.length}: ${shown(schema)}. Use shorter names, or arrays`,
    );
  }
  return new StructType(shape, types, schema);
}

/** The field types that a part of a parsed schema stands for. */
function typeOfNode(node: unknown): unknown {
  if (Array.isArray(node)) return node.map((part, i) => (i === 0 ? typeOfNode(part) : part));
  return typeof node === 'object' && node !== null ? structOfNode(node) : node;
}

function structOfNode(node: object): StructType<unknown, unknown> {
  const fields = Object.entries(node).map(([name, part]) => [name, typeOfNode(part)]);
  return Struct(Object.fromEntries(fields) as StructFields);
}

/**
 * The struct that has this `schema`, which may come from anybody.
 * @throws ERR_CORRUPT
 */
export function structOfSchema(schema: string): StructType<unknown, unknown> {
  let struct: StructType<unknown, unknown> | undefined;
  let cause: unknown;
  try {
    // A message may hold text of any length, which would take its time to be refused.
    const node: unknown = schema.length > MAX_SCHEMA_BYTES ? undefined : JSON.parse(schema);
    if (typeof node === 'object' && node !== null && !Array.isArray(node)) {
      struct = structOfNode(node);
    }
  } catch (error) {
    cause = error;
  }
  // There is one text for a struct: spaces, letters for types, or a field that stands twice are none of ours.
  if (struct?.schema === schema) return struct;
  throw new InterprocError('ERR_CORRUPT', `${shown(schema)} is no struct's schema`, { cause });
}
