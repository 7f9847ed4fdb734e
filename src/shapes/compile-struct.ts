import { inspect } from 'node:util';

import { fieldAt } from './field-shape.js';
import { interpretStruct } from './interpret-struct.js';
import { assign, shownRecord } from './struct-code.js';
import type { LaidOutField, StructCode, StructLayout } from './struct-code.js';
import { LITTLE_ENDIAN } from './scalar-types.js';
import type { ScalarName } from './scalar-types.js';

/** The calls of a DataView that read and write each type. */
const ACCESS: { readonly [N in ScalarName]: string } = {
  int8: 'Int8',
  uint8: 'Uint8',
  int16: 'Int16',
  uint16: 'Uint16',
  int32: 'Int32',
  uint32: 'Uint32',
  int64: 'BigInt64',
  uint64: 'BigUint64',
  float32: 'Float32',
  float64: 'Float64',
  bool: 'Uint8',
  char: 'Uint8',
};

/** What the code of a struct is given by name. */
interface Surroundings {
  readonly struct: StructLayout;
  /** A value that is not simply stored as it is: what is to be stored instead. */
  readonly convert: (field: number, value: unknown, prefix: string) => unknown;
  readonly assign: (view: DataView, field: number, value: unknown) => void;
  readonly shownRecord: typeof shownRecord;
  readonly custom: symbol;
}

/** An expression for what stands in field `i` of the struct at `at`. */
function reading({ shape, byteOffset }: LaidOutField, i: number, at: string): string {
  const place = `${at} + ${byteOffset}`;
  const { scalar } = shape;
  if (scalar === undefined) return `fields[${i}].shape.read(view, ${place})`;
  const stored = `view.get${ACCESS[scalar.name]}(${place}, ${LITTLE_ENDIAN})`;
  if (scalar.kind === 'bool') return `${stored} !== 0`;
  return scalar.kind === 'char' ? `String.fromCharCode(${stored})` : stored;
}

/** Whether `value` is stored as it is; the DataView wraps and rounds. */
const AS_IT_IS = {
  integer: 'Number.isInteger(value)',
  bigint: "typeof value === 'bigint'",
  float: "typeof value === 'number'",
  bool: 'false',
  char: 'false',
} as const;

/** A statement that stores `value` in scalar field `i` of the struct at `at`. */
function storing(
  { shape, byteOffset }: LaidOutField,
  i: number,
  at: string,
  prefix: string,
): string {
  const { scalar } = shape;
  if (scalar === undefined) return '';
  const stored = `${AS_IT_IS[scalar.kind]} ? value : convert(${i}, value, ${prefix})`;
  return `view.set${ACCESS[scalar.name]}(${at} + ${byteOffset}, ${stored}, ${LITTLE_ENDIAN});`;
}

// Names of fields are those of C, so they can stand in the code as they are.
function sourceOf({ fields }: StructLayout): string {
  const members = fields.map((field, i) => `${field.name}: ${reading(field, i, 'at')},`);
  const known = fields.map(({ name }, i) => `keys[${i}] === '${name}'`);
  const stores = fields.map((field, i) =>
    field.shape.scalar === undefined
      ? `fields[${i}].shape.write(view, at + ${field.byteOffset}, object.${field.name}, prefix + '${field.name}');`
      : `value = object.${field.name}; ${storing(field, i, 'at', 'prefix')}`,
  );
  const accessors = fields.map((field, i) => {
    const { name, byteOffset, shape } = field;
    const get = shape.isLive
      ? `return this.#live${i} ??= fields[${i}].shape.live(this.#view, ${byteOffset});`
      : `const view = this.#view; return ${reading(field, i, '0')};`;
    const set =
      shape.scalar === undefined
        ? `assign(this.#view, ${i}, value);`
        : `const view = this.#view; ${storing(field, i, '0', "''")}`;
    return `${shape.isLive ? `#live${i};` : ''} get ${name}() { ${get} } set ${name}(value) { ${set} }`;
  });
  return `'use strict';
const { struct, convert, assign, shownRecord, custom } = surroundings;
const { fields } = struct;
function read(view, at) { return { ${members.join('\n')} }; }
function write(view, at, object, prefix) {
  const keys = Object.keys(object);
  if (!(keys.length === ${fields.length} && ${known.join(' && ')})) struct.checkKeys(keys, prefix);
  let value;
  ${stores.join('\n')}
}
class Record {
  #view;
  constructor(view) { this.#view = view; Object.preventExtensions(this); }
  ${accessors.join('\n')}
  toJSON() { return read(this.#view, 0); }
  [custom](depth, options) { return shownRecord(read(this.#view, 0), depth, options); }
}
Object.freeze(Record.prototype);
return { read, write, Record };`;
}

/**
 * A function and accessors of each struct's own: each has offsets for constants, and remembers the types of one struct
 * only. Where the runtime forbids to compile (--disallow-code-generation-from-strings), the same, slower.
 */
export function compileStruct(struct: StructLayout): StructCode {
  const fieldOf = (i: number) => struct.fields[i] as LaidOutField;
  const surroundings: Surroundings = {
    struct,
    convert(i, value, prefix) {
      const { name, shape } = fieldOf(i);
      return shape.scalar?.toElement(value, fieldAt(prefix + name));
    },
    assign(view, i, value) {
      const { name, byteOffset, shape } = fieldOf(i);
      assign(shape, view, byteOffset, value, name);
    },
    shownRecord,
    custom: inspect.custom,
  };
  try {
    return new Function('surroundings', sourceOf(struct))(surroundings) as StructCode;
  } catch (error) {
    if (error instanceof EvalError) return interpretStruct(struct);
    throw error;
  }
}
