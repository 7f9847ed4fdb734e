import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compileStruct } from '../../../src/shapes/compile-struct.js';
import { compileElements, interpretElements } from '../../../src/shapes/elements.js';
import { interpretStruct } from '../../../src/shapes/interpret-struct.js';
import { LITTLE_ENDIAN, SCALAR_TYPES } from '../../../src/shapes/scalar-types.js';
import type { ScalarType } from '../../../src/shapes/scalar-types.js';
import { shapeOf, Struct, structOfSchema } from '../../../src/shapes/struct.js';
import type { StructInput } from '../../../src/shapes/struct-types.js';
import {
  alignmentOf,
  anyStruct,
  anyValue,
  readBack,
  sizeOf,
  structOf,
  writePlainly,
} from './any-struct.js';
import type { Fields } from './any-struct.js';

const anyCase = anyStruct.chain((model) =>
  fc.record({ model: fc.constant(model), value: anyValue(model), other: anyValue(model) }),
);

interface Case {
  readonly model: Fields;
  readonly value: unknown;
  readonly other: unknown;
}

function check(property: (c: Case) => void): void {
  fc.assert(fc.property(anyCase, property), { numRuns: 300 });
}

function plainBytes(model: Fields, value: unknown): Uint8Array {
  const bytes = new Uint8Array(sizeOf(model));
  writePlainly(new DataView(bytes.buffer), 0, model, value);
  return bytes;
}

/** A record, or what it gave for a field, with plain arrays in the place of typed ones. */
function plainly(live: unknown, like: unknown): unknown {
  if (Array.isArray(like)) {
    const items = Array.from(live as ArrayLike<unknown>);
    return like.map((one, i) =>
      typeof one === 'boolean' ? items[i] !== 0 : plainly(items[i], one),
    );
  }
  if (typeof like !== 'object' || like === null) return live;
  return Object.fromEntries(
    Object.entries(like).map(([name, one]) => [name, plainly((live as never)[name], one)]),
  );
}

describe.runIf(LITTLE_ENDIAN)('any struct', () => {
  it('has the size and alignment of C', () => {
    check(({ model }) => {
      const struct = structOf(model);
      expect([struct.byteLength, struct.alignment]).toEqual([sizeOf(model), alignmentOf(model)]);
    });
  });

  it('is what its schema says, and nothing else', () => {
    check(({ model, value }) => {
      const struct = structOf(model);
      const again = structOfSchema(struct.schema);
      expect(again.schema).toBe(struct.schema);
      expect(again.fields).toEqual(struct.fields);
      const bytes = plainBytes(model, value);
      expect(again.read(bytes)).toEqual(struct.read(bytes));
    });
  });

  it('is read as it was written, the bytes being those of a DataView', () => {
    check(({ model, value }) => {
      const struct = structOf(model);
      const memory = new Uint8Array(struct.byteLength + 10).fill(0xa5);
      struct.write(memory, 3, value as StructInput<unknown>);
      expect(struct.read(memory, 3)).toEqual(readBack(model, value));
      const expected = new Uint8Array(struct.byteLength + 10).fill(0xa5);
      expected.set(plainBytes(model, value), 3);
      expect(memory).toEqual(expected);
    });
  });

  it('is seen and changed by a record, field by field', () => {
    check(({ model, value, other }) => {
      const struct = structOf(model);
      const memory = new SharedArrayBuffer(struct.byteLength + 8);
      struct.write(memory, 8, value as StructInput<unknown>);
      const record = struct.view(memory, 8) as Record<string, unknown>;
      expect(plainly(record, readBack(model, value))).toEqual(readBack(model, value));
      expect(JSON.parse(JSON.stringify({ r: struct.read(memory, 8) }, textOfBigints))).toEqual(
        JSON.parse(JSON.stringify({ r: record }, textOfBigints)),
      );
      for (const [name] of model.fields) record[name] = (other as Record<string, unknown>)[name];
      expect(new Uint8Array(memory, 8)).toEqual(plainBytes(model, other));
      expect(struct.read(memory, 8)).toEqual(readBack(model, other));
    });
  });

  it('takes its own records as values', () => {
    check(({ model, value }) => {
      const struct = structOf(model);
      const [from, to] = [new ArrayBuffer(struct.byteLength), new ArrayBuffer(struct.byteLength)];
      struct.write(from, 0, value as StructInput<unknown>);
      struct.write(to, 0, struct.view(from) as StructInput<unknown>);
      expect(new Uint8Array(to)).toEqual(new Uint8Array(from));
      const record = struct.view(to) as Record<string, unknown>;
      for (const [name] of model.fields) record[name] = (struct.view(from) as typeof record)[name];
      expect(new Uint8Array(to)).toEqual(new Uint8Array(from));
    });
  });

  it('is the same whether its code is compiled or not', () => {
    check(({ model, value, other }) => {
      const shape = shapeOf(structOf(model));
      const results = [compileStruct(shape), interpretStruct(shape)].map((code) => {
        const view = new DataView(new ArrayBuffer(shape.byteLength));
        code.write(view, 0, value as object, '');
        const read = code.read(view, 0);
        const record = new code.Record(view) as Record<string, unknown>;
        const seen = plainly(record, read);
        for (const [name] of model.fields) record[name] = (other as Record<string, unknown>)[name];
        return { read, seen, bytes: new Uint8Array(view.buffer) };
      });
      expect(results[1]).toEqual(results[0]);
      expect(results[0]?.read).toEqual(readBack(model, value));
      expect(results[0]?.bytes).toEqual(plainBytes(model, other));
    });
  });
});

const OFFERED = [0, -0, 1, -1, 1.5, 300, 2 ** 40, 2 ** 53, NaN, Infinity, 3n, -(2n ** 64n), true];
const OTHERS = [false, 'a', 'ÿ', 'Ā', '€', 'ab', '', '3', null, undefined, {}, [1]];

const allTypes = Object.values<ScalarType>(SCALAR_TYPES).map((type) => [type.name, type] as const);

describe.each([
  ['compiled', compileElements],
  ['not compiled', interpretElements],
])('the elements of an array, %s', (_, make) => {
  it.each(allTypes)('of %s are converted and refused as the table of types does', (_name, type) => {
    const { read, write } = make(type);
    const view = new DataView(new ArrayBuffer(3 * type.byteLength + 1));
    for (const value of [...OFFERED, ...OTHERS]) {
      const one = new DataView(new ArrayBuffer(type.byteLength));
      const error = errorOf(() => type.write(one, 0, value, "Field 'x[1]'"));
      const usual = type.read(one, 0);
      expect(errorOf(() => write(view, 1, 3, [usual, value, usual], '.x'))).toEqual(error);
      if (error !== undefined) continue;
      expect(read(view, 1, 3)).toEqual([usual, usual, usual]);
    }
  });
});

describe.each([
  ['compiled', compileStruct],
  ['not compiled', interpretStruct],
])('a struct %s', (_, make) => {
  it.each(allTypes)(
    'converts and refuses values of %s as the table of types does',
    (name, type) => {
      const shape = shapeOf(Struct({ before: 'int8', x: name }));
      const { write, Record } = make(shape);
      for (const value of [...OFFERED, ...OTHERS]) {
        const [element, written, assigned] = [memory(shape), memory(shape), memory(shape)];
        const record = new Record(assigned) as { x: unknown };
        const errors = [
          () => type.write(element, type.byteLength, value, "Field 'x'"),
          () => write(written, 0, { before: 0, x: value }, ''),
          () => {
            record.x = value;
          },
        ].map(errorOf);
        expect(errors[1]).toEqual(errors[0]);
        expect(errors[2]).toEqual(errors[0]);
        expect(written).toEqual(element);
        expect(assigned).toEqual(element);
      }
    },
  );

  it('refuses properties that no field is for, at any place', () => {
    const shape = shapeOf(Struct({ x: 'int8', y: 'int16' }));
    const code = make(shape);
    const view = new DataView(new ArrayBuffer(8));
    for (const value of [
      { x: 1, y: 2, z: 3 },
      { z: 3, x: 1, y: 2 },
      { x: 1, z: 2 },
    ]) {
      expect(errorOf(() => code.write(view, 4, value, '.p'))).toMatchObject({
        code: 'ERR_INVALID_ARG',
        message: "The struct has no field 'p.z'; it has x, y",
      });
    }
    code.write(view, 4, { y: 2, x: 1 }, '');
    expect(new Int16Array(view.buffer)).toEqual(Int16Array.of(0, 0, 1, 2));
    expect(code.read(view, 4)).toEqual({ x: 1, y: 2 });
  });

  it('names fields by the whole way to them', () => {
    const Inner = Struct({ y: 'int8', m: ['int8', 2] });
    const code = make(shapeOf(Struct({ x: Inner, all: [Inner, 2] })));
    const view = new DataView(new ArrayBuffer(9));
    const inner = { y: 1, m: [1, 2] };
    const message = (value: object, path = '') =>
      String(errorOf(() => code.write(view, 0, value, path)));
    expect(message({ x: { ...inner, y: '' }, all: [] })).toContain("Field 'x.y' (int8)");
    expect(message({ x: { y: 1, m: [1, ''] }, all: [] }, '.p')).toContain(
      "Field 'p.x.m[1]' (int8)",
    );
    expect(message({ x: inner, all: [inner, { ...inner, z: 0 }] })).toContain("'all[1].z'");
    const record = new code.Record(view) as { x: unknown };
    const error = errorOf(() => {
      record.x = { y: 1, m: [1, ''] };
    });
    expect(String(error)).toContain("Field 'x.m[1]' (int8)");
  });

  it('makes records that have their fields, each always the same, and take no others', () => {
    const { Record } = make(shapeOf(Struct({ m: ['int8', 2] })));
    const record = new Record(new DataView(new ArrayBuffer(2))) as { m: unknown };
    expect(record.m).toBe(record.m);
    expect(() => Object.assign(record, { z: 1 })).toThrow(TypeError);
    expect(Object.isFrozen(Object.getPrototypeOf(record))).toBe(true);
  });
});

function memory(shape: { readonly byteLength: number }): DataView {
  return new DataView(new ArrayBuffer(shape.byteLength));
}

function errorOf(call: () => void): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

function textOfBigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
