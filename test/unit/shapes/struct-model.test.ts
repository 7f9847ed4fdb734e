import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compileStruct } from '../../../src/shapes/compile-struct.js';
import { interpretStruct } from '../../../src/shapes/interpret-struct.js';
import { LITTLE_ENDIAN } from '../../../src/shapes/scalar-types.js';
import { shapeOf, structOfSchema } from '../../../src/shapes/struct.js';
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

function textOfBigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
