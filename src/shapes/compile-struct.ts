import { inspect } from 'node:util';

import { fieldAt } from './field-path.js';
import type { FieldPath } from './field-path.js';
import { interpretStruct } from './interpret-struct.js';
import { reading, storing } from './scalar-code.js';
import { assign, shownRecord } from './struct-code.js';
import type { LaidOutField, StructCode, StructLayout } from './struct-code.js';

/** What the code of a struct is given by name. */
interface Surroundings {
  readonly struct: StructLayout;
  /** A value that is not simply stored as it is: what is to be stored instead. */
  readonly convert: (field: number, value: unknown, path: FieldPath) => unknown;
  readonly assign: (view: DataView, field: number, value: unknown) => void;
  readonly shownRecord: typeof shownRecord;
  readonly custom: symbol;
}

/** An expression for what stands in field `i` of the struct at `at`. */
function readingField({ shape, byteOffset }: LaidOutField, i: number, at: string): string {
  const place = `${at} + ${byteOffset}`;
  return shape.scalar === undefined
    ? `fields[${i}].shape.read(view, ${place})`
    : reading(shape.scalar, place);
}

// Names of fields are those of C, so they can stand in the code as they are.
function sourceOf({ fields }: StructLayout): string {
  const members = fields.map((field, i) => `${field.name}: ${readingField(field, i, 'at')},`);
  const known = fields.map(({ name }, i) => `keys[${i}] === '${name}'`);
  const stores = fields.map(({ name, byteOffset, shape }, i) =>
    shape.scalar === undefined
      ? `fields[${i}].shape.write(view, at + ${byteOffset}, object.${name}, path + '.${name}');`
      : `value = object.${name}; ${storing(shape.scalar, `at + ${byteOffset}`, `convert(${i}, value, path)`)}`,
  );
  const accessors = fields.map((field, i) => {
    const { name, byteOffset, shape } = field;
    const get = shape.isLive
      ? `return this.#live${i} ??= fields[${i}].shape.live(this.#view, ${byteOffset});`
      : `const view = this.#view; return ${readingField(field, i, '0')};`;
    const set =
      shape.scalar === undefined
        ? `assign(this.#view, ${i}, value);`
        : `const view = this.#view; ${storing(shape.scalar, String(byteOffset), `convert(${i}, value, '')`)}`;
    return `${shape.isLive ? `#live${i};` : ''} get ${name}() { ${get} } set ${name}(value) { ${set} }`;
  });
  return `'use strict';
const { struct, convert, assign, shownRecord, custom } = surroundings;
const { fields } = struct;
function read(view, at) { return { ${members.join('\n')} }; }
function write(view, at, object, path) {
  const keys = Object.keys(object);
  if (!(keys.length === ${fields.length} && ${known.join(' && ')})) struct.checkKeys(keys, path);
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
    convert(i, value, path) {
      const { name, shape } = fieldOf(i);
      return shape.scalar?.toElement(value, fieldAt(`${path}.${name}`));
    },
    assign(view, i, value) {
      const { name, byteOffset, shape } = fieldOf(i);
      assign(shape, view, byteOffset, value, `.${name}`);
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
