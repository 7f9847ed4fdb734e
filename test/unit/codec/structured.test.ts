import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { InterprocError } from '../../../src/errors.js';
import { structuredCodec } from '../../../src/codec/structured.js';
import { thrownBy } from '../thrown-by.js';
import { decodeAt, pass } from './passage.js';

const carry = (value: unknown) => pass<unknown>(structuredCodec, value);

describe("codec 'structured'", () => {
  it('carries plain values of all kinds', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withUnicodeString: true,
      withObjectString: false,
      withNullPrototype: false,
      maxDepth: 2,
      maxKeys: 4,
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(isDeepStrictEqual(carry(value), value)).toBe(true);
      }),
    );
  });

  it('keeps -0, NaN, undefined members, holes and cycles', () => {
    expect(Object.is(carry(-0), -0)).toBe(true);
    expect(carry(NaN)).toBe(NaN);
    expect(carry({ a: undefined })).toStrictEqual({ a: undefined });
    // oxlint-disable-next-line no-sparse-arrays
    expect(1 in (carry([1, , 3]) as unknown[])).toBe(false);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const copy = carry(cycle) as typeof cycle;
    expect(copy.self).toBe(copy);
  });

  it('keeps errors and regular expressions', () => {
    expect(carry(new RangeError('too far'))).toMatchObject({
      name: 'RangeError',
      message: 'too far',
    });
    expect(carry(/a+/giu)).toEqual(/a+/giu);
  });

  const bytes = Uint8Array.from({ length: 24 }, (_, i) => i);
  it.each([
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
  ])('carries a %o over memory of its own', (View) => {
    // A part of a larger buffer, as in most programs.
    const larger = new ArrayBuffer(100);
    new Uint8Array(larger).set(bytes, 8);
    const length = View === DataView ? 24 : 24 / (View as typeof Int8Array).BYTES_PER_ELEMENT;
    const view: ArrayBufferView = Reflect.construct(View, [larger, 8, length]);
    const { nested } = carry({ nested: view }) as { nested: ArrayBufferView };
    expect(nested).toBeInstanceOf(View);
    expect([nested.byteOffset, nested.byteLength, nested.buffer.byteLength]).toEqual([0, 24, 24]);
    expect(new Uint8Array(nested.buffer)).toEqual(bytes);
  });

  it('carries a Buffer as a Buffer', () => {
    const got = carry([Buffer.from('text')]) as Buffer[];
    expect(Buffer.isBuffer(got[0])).toBe(true);
    expect(got[0]?.toString()).toBe('text');
  });

  it('carries subclasses of typed arrays as what they extend', () => {
    class Samples extends Float32Array {
      override get [Symbol.toStringTag](): never {
        throw new Error('asked');
      }
    }
    expect(carry(Samples.of(1.5))).toEqual(Float32Array.of(1.5));
  });

  it('carries ArrayBuffers', () => {
    expect(carry(bytes.buffer)).toEqual(bytes.buffer);
  });

  it('carries what is larger than the outbox', () => {
    const value = { text: 'x'.repeat(5000), data: new Float64Array(1000).fill(0.5) };
    expect(carry(value)).toStrictEqual(value);
  });

  const cause = new Error('the getter has failed');
  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a method', { run() {} }],
    ['a symbol', Symbol('s')],
    ['a proxy', new Proxy({}, {})],
    ['a promise', Promise.resolve()],
    ['a WeakMap', new WeakMap()],
    ['shared memory', new SharedArrayBuffer(8)],
    ['a port', new MessageChannel().port1],
    ['a blob', new Blob(['a'])],
    [
      'an object that fails',
      {
        get value() {
          throw cause;
        },
      },
    ],
  ])('refuses %s', (_, value) => {
    const error = thrownBy(() => structuredCodec.encode({ value }, new Uint8Array(64)));
    expect(error).toMatchObject({ name: 'InterprocError', code: 'ERR_ENCODE' });
    expect((error as Error).cause).toBeInstanceOf(Error);
  });

  it('gives a value or ERR_DECODE for any bytes', () => {
    const valid = structuredCodec.encode(
      { a: [1, 'two', 3n], b: new Map([['k', Float64Array.of(1, 2)]]), c: Buffer.from('x') },
      new Uint8Array(0),
    ) as Uint8Array;
    const damaged = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 5 })
      .map((changes) => {
        const copy = Uint8Array.from(valid);
        for (const [at, byte] of changes) copy[at] = byte;
        return copy;
      });
    const cut = fc.nat(valid.length).map((length) => Uint8Array.from(valid.subarray(0, length)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), damaged, cut), (message) => {
        try {
          decodeAt(structuredCodec, message);
        } catch (error) {
          expect(error).toBeInstanceOf(InterprocError);
          expect(error).toMatchObject({ code: 'ERR_DECODE' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
