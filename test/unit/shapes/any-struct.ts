/** Random structs and values, and a plain account of what their bytes are, made of a DataView and nothing of the package. */

import fc from 'fast-check';

import { Struct } from '../../../src/shapes/struct.js';
import type { StructType } from '../../../src/shapes/struct.js';
import type { FieldType, StructFields } from '../../../src/shapes/struct-types.js';

interface Scalar {
  readonly kind: 'scalar';
  readonly name: ScalarName;
  /** As the definition says it. */
  readonly written: string;
}

interface Sequence {
  readonly kind: 'array';
  readonly item: Model;
  readonly length: number;
}

export interface Fields {
  readonly kind: 'struct';
  readonly fields: readonly (readonly [string, Model])[];
}

export type Model = Scalar | Sequence | Fields;

const SCALARS = {
  int8: { bytes: 1, names: ['int8', 'b'], c: 'int8_t' },
  uint8: { bytes: 1, names: ['uint8', 'B'], c: 'uint8_t' },
  int16: { bytes: 2, names: ['int16', 'h'], c: 'int16_t' },
  uint16: { bytes: 2, names: ['uint16', 'H'], c: 'uint16_t' },
  int32: { bytes: 4, names: ['int32', 'i'], c: 'int32_t' },
  uint32: { bytes: 4, names: ['uint32', 'I'], c: 'uint32_t' },
  int64: { bytes: 8, names: ['int64', 'q', 'l'], c: 'int64_t' },
  uint64: { bytes: 8, names: ['uint64', 'Q', 'L'], c: 'uint64_t' },
  float32: { bytes: 4, names: ['float32', 'f'], c: 'float' },
  float64: { bytes: 8, names: ['float64', 'd'], c: 'double' },
  bool: { bytes: 1, names: ['bool', '?'], c: '_Bool' },
  char: { bytes: 1, names: ['char', 'c'], c: 'char' },
} as const;

type ScalarName = keyof typeof SCALARS;

const anyScalar: fc.Arbitrary<Scalar> = fc
  .constantFrom(...(Object.keys(SCALARS) as ScalarName[]))
  .chain((name) =>
    fc
      .constantFrom(...SCALARS[name].names)
      .map((written) => ({ kind: 'scalar' as const, name, written })),
  );

/** Structs of up to three levels. */
export const anyStruct: fc.Arbitrary<Fields> = fc.letrec<{ model: Model; struct: Fields }>(
  (tie) => ({
    model: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { arbitrary: anyScalar, weight: 4 },
      {
        arbitrary: fc.record({
          kind: fc.constant('array' as const),
          item: tie('model'),
          length: fc.integer({ min: 1, max: 20 }),
        }),
        weight: 2,
      },
      { arbitrary: tie('struct'), weight: 1 },
    ),
    struct: fc.array(tie('model'), { minLength: 1, maxLength: 6 }).map((models) => ({
      kind: 'struct' as const,
      // One that is none of JavaScript's own, one that is a word of its language, and others.
      fields: models.map((model, i) => [['x', 'class', '_'][i] ?? `f${i}`, model] as const),
    })),
  }),
).struct;

export function structOf(model: Fields): StructType<unknown, unknown> {
  return Struct(
    Object.fromEntries(model.fields.map(([name, m]) => [name, typeOf(m)])) as StructFields,
  );
}

function typeOf(model: Model): FieldType {
  if (model.kind === 'struct') return structOf(model);
  if (model.kind === 'array') return [typeOf(model.item), model.length];
  return model.written as FieldType;
}

const isText = (model: Model): boolean =>
  model.kind === 'array' && model.item.kind === 'scalar' && model.item.name === 'char';

/** A character of one byte, without NUL. */
const character = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));

const VALUES: { readonly [N in ScalarName]: fc.Arbitrary<unknown> } = {
  int8: fc.integer(),
  uint8: fc.integer(),
  int16: fc.integer(),
  uint16: fc.integer(),
  int32: fc.maxSafeInteger(),
  uint32: fc.maxSafeInteger(),
  int64: fc.oneof(fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }), fc.maxSafeInteger()),
  uint64: fc.oneof(fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }), fc.maxSafeInteger()),
  float32: fc.double(),
  float64: fc.double(),
  bool: fc.boolean(),
  char: fc.oneof(character, fc.constant('\0')),
};

export function anyValue(model: Model): fc.Arbitrary<unknown> {
  if (model.kind === 'scalar') return VALUES[model.name];
  if (model.kind === 'struct') {
    return fc.record(Object.fromEntries(model.fields.map(([name, m]) => [name, anyValue(m)])));
  }
  if (isText(model)) return fc.string({ unit: character, maxLength: model.length });
  return fc.array(anyValue(model.item), { minLength: model.length, maxLength: model.length });
}

export function alignmentOf(model: Model): number {
  if (model.kind === 'scalar') return SCALARS[model.name].bytes;
  if (model.kind === 'array') return alignmentOf(model.item);
  return Math.max(...model.fields.map(([, m]) => alignmentOf(m)));
}

export function sizeOf(model: Model): number {
  if (model.kind === 'scalar') return SCALARS[model.name].bytes;
  if (model.kind === 'array') return model.length * sizeOf(model.item);
  let end = 0;
  for (const [, m] of model.fields) end = padded(end, alignmentOf(m)) + sizeOf(m);
  return padded(end, alignmentOf(model));
}

function padded(at: number, alignment: number): number {
  let end = at;
  while (end % alignment !== 0) end++;
  return end;
}

/** What is read after `value` was written: integers wrapped, floats rounded. */
export function readBack(model: Model, value: unknown): unknown {
  if (model.kind === 'struct') {
    const object = value as Record<string, unknown>;
    return Object.fromEntries(model.fields.map(([name, m]) => [name, readBack(m, object[name])]));
  }
  if (model.kind === 'array') {
    return isText(model) ? value : (value as unknown[]).map((one) => readBack(model.item, one));
  }
  const { name } = model;
  if (name === 'float32') return Math.fround(value as number);
  if (name === 'float64' || name === 'bool' || name === 'char') return value;
  const bits = 8 * SCALARS[name].bytes;
  const wrap = name.startsWith('u') ? BigInt.asUintN : BigInt.asIntN;
  const wrapped = wrap(bits, BigInt(value as number));
  return bits === 64 ? wrapped : Number(wrapped);
}

/** Writes what `readBack` says into zeroed memory, little-endian. */
export function writePlainly(view: DataView, at: number, model: Model, value: unknown): void {
  if (model.kind === 'struct') {
    let end = at;
    for (const [name, m] of model.fields) {
      end = padded(end - at, alignmentOf(m)) + at;
      writePlainly(view, end, m, (value as Record<string, unknown>)[name]);
      end += sizeOf(m);
    }
  } else if (model.kind === 'array') {
    const items = isText(model) ? Array.from(value as string) : (value as unknown[]);
    for (const [i, one] of items.entries()) {
      writePlainly(view, at + i * sizeOf(model.item), model.item, one);
    }
  } else {
    writeScalar(view, at, model.name, value);
  }
}

function writeScalar(view: DataView, at: number, name: ScalarName, value: unknown): void {
  if (name === 'float32') view.setFloat32(at, value as number, true);
  else if (name === 'float64') view.setFloat64(at, value as number, true);
  else if (name === 'bool') view.setUint8(at, value === true ? 1 : 0);
  else if (name === 'char') view.setUint8(at, (value as string).charCodeAt(0));
  else {
    let bits = BigInt.asUintN(64, BigInt(value as number));
    for (let i = 0; i < SCALARS[name].bytes; i++) {
      view.setUint8(at + i, Number(bits & 0xffn));
      bits >>= 8n;
    }
  }
}

/** The struct in C: typedefs, of which the last is called `name`. */
export function definitionInC(model: Fields, name: string): string {
  const inner: string[] = [];
  const members = model.fields.map(([field, m], i) => {
    let base = m;
    let lengths = '';
    while (base.kind === 'array') {
      lengths += `[${base.length}]`;
      base = base.item;
    }
    if (base.kind === 'scalar') return `  ${SCALARS[base.name].c} ${field}${lengths};`;
    inner.push(definitionInC(base, `${name}_${i}`));
    return `  ${name}_${i} ${field}${lengths};`;
  });
  return `${inner.join('')}typedef struct {\n${members.join('\n')}\n} ${name};\n`;
}
