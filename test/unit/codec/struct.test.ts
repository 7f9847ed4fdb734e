import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { codecFor, codecNamed } from '../../../src/codec/resolve-codec.js';
import { Struct, structOfSchema } from '../../../src/shapes/struct.js';
import { anyStruct, anyValue, readBack, structOf } from '../shapes/any-struct.js';
import { thrownBy } from '../thrown-by.js';
import { decodeAt, pass } from './passage.js';

const Point = Struct({ x: 'float64', y: 'float64', id: 'uint32' });
const codec = codecFor(Point);

describe('the codec of a struct', () => {
  it('carries records, wherever they stand and however large they are', () => {
    const anyCase = anyStruct.chain((model) =>
      fc.record({ model: fc.constant(model), value: anyValue(model) }),
    );
    fc.assert(
      fc.property(anyCase, fc.nat(600), fc.nat(70), ({ model, value }, outboxBytes, offset) => {
        const got = pass(codecFor(structOf(model)), value, outboxBytes, offset);
        expect(got).toEqual(readBack(model, value));
      }),
      { numRuns: 300 },
    );
  });

  it('makes messages of one size, which are the memory of the struct', () => {
    const outbox = new Uint8Array(64).fill(0xa5);
    expect(codec.encode({ x: 1, y: 2, id: 3 }, outbox)).toBe(24);
    expect(Point.read(outbox)).toEqual({ x: 1, y: 2, id: 3 });
    expect(outbox.subarray(20, 24)).toEqual(new Uint8Array(4));
    expect(outbox.subarray(24).every((byte) => byte === 0xa5)).toBe(true);
  });

  it('gives objects that share no memory with the message', () => {
    const Samples = Struct({ name: ['char', 40], samples: ['float32', 100] });
    const bytes = new Uint8Array(Samples.byteLength);
    const value = { name: 'one', samples: Array.from({ length: 100 }, (_, i) => i) };
    Samples.write(bytes, 0, value);
    const got = codecFor(Samples).decodeOwn(bytes);
    bytes.fill(0);
    expect(got).toEqual(value);
  });

  it('reads any inbox, also one that begins within its buffer', () => {
    for (const id of [1, 2, 3]) {
      const inbox = new Uint8Array(new ArrayBuffer(100), 10 * id);
      Point.write(inbox, 5, { x: 1, y: 2, id });
      expect(codec.decode(inbox, 5, 24)).toEqual({ x: 1, y: 2, id });
    }
  });

  it('refuses bytes of another length', () => {
    for (const length of [0, 1, 23, 25, 48]) {
      const bytes = new Uint8Array(length);
      expect(thrownBy(() => decodeAt(codec, bytes, 8))).toMatchObject({ code: 'ERR_DECODE' });
      expect(thrownBy(() => codec.decodeOwn(bytes))).toMatchObject({ code: 'ERR_DECODE' });
    }
    expect(codec.decodeOwn(new Uint8Array(24))).toEqual({ x: 0, y: 0, id: 0 });
  });

  it('refuses values that lack a field, have another, or have a wrong one', () => {
    const outbox = new Uint8Array(64).fill(0xa5);
    for (const value of [{ x: 1, y: 2 }, { x: 1, y: 2, id: 3, z: 4 }, { x: '1', y: 2, id: 3 }, 7]) {
      expect(thrownBy(() => codec.encode(value as never, outbox))).toMatchObject({
        code: 'ERR_INVALID_ARG',
      });
    }
    expect(outbox.every((byte) => byte === 0xa5)).toBe(true);
  });

  it('has the outbox to itself while it writes there: getters of the value ran before', () => {
    const outbox = new Uint8Array(64);
    const value = {
      x: 1,
      get y(): number {
        outbox.fill(7);
        pass(codec, { x: 10, y: 20, id: 30 });
        return 2;
      },
      id: 3,
    };
    expect(codec.encode(value, outbox)).toBe(24);
    expect(Point.read(outbox)).toEqual({ x: 1, y: 2, id: 3 });
  });

  it('is named for the layout: the same for equal structs, and for no others', () => {
    expect(codec.name).toMatch(/^struct:[0-9a-f]{32}$/);
    expect(codecFor(structOfSchema(Point.schema)).name).toBe(codec.name);
    expect(codecFor(Struct({ x: 'd', y: 'd', id: 'I' })).name).toBe(codec.name);
    for (const other of [
      Struct({ x: 'd', y: 'd', id: 'i' }),
      Struct({ y: 'd', x: 'd', id: 'I' }),
      Struct({ x: 'd', y: 'd', ID: 'I' }),
      Struct({ p: Point }),
    ]) {
      expect(codecFor(other as unknown as typeof Point).name).not.toBe(codec.name);
    }
  });

  it('has to be given by who opens the queue, and the message says so', () => {
    const error = thrownBy(() => codecNamed(codec.name, "Queue 'points'"));
    expect(error).toMatchObject({ code: 'ERR_MISMATCH' });
    expect(String(error)).toMatch(/Queue 'points' carries records of a Struct/);
  });
});
