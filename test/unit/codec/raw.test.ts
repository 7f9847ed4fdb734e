import fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { rawCodec } from '../../../src/codec/raw.js';
import { thrownBy } from '../thrown-by.js';
import { pass } from './passage.js';

describe("codec 'raw'", () => {
  it('carries bytes of any length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 6000, size: 'max' }),
        fc.nat(2000),
        fc.nat(70),
        (bytes, outboxBytes, offset) => {
          const got = pass(rawCodec, bytes, outboxBytes, offset);
          expect(got.constructor).toBe(Uint8Array);
          expect(Buffer.compare(got, bytes)).toBe(0);
        },
      ),
    );
  });

  it.each([0, 1, 64, 65, 256, 257, 4096, 4097, 32_768, 100_000])(
    'gives %i bytes memory that no later message writes to',
    (length) => {
      const kept = Array.from({ length: 20 }, (_, i) =>
        pass(rawCodec, new Uint8Array(length).fill(i)),
      );
      for (const [i, bytes] of kept.entries()) {
        expect(bytes.length).toBe(length);
        expect(bytes.every((byte) => byte === i)).toBe(true);
      }
    },
  );

  it.each([65, 100, 4096])(
    'carries %i bytes also when memory of earlier ones was taken away',
    (length) => {
      const moved = pass(rawCodec, new Uint8Array(length).fill(1));
      for (const take of [
        () => structuredClone(moved.buffer, { transfer: [moved.buffer as ArrayBuffer] }),
        // Since Node 22; it heeds no mark.
        () => (moved.buffer as { transfer?: () => unknown }).transfer?.(),
      ]) {
        try {
          take();
        } catch (error) {
          expect(error).toMatchObject({ name: 'DataCloneError' });
        }
        const bytes = pass(rawCodec, new Uint8Array(length).fill(2));
        expect(bytes).toEqual(new Uint8Array(length).fill(2));
      }
    },
  );

  it('carries messages of all sizes one after the other', () => {
    for (let i = 0; i < 20_000; i++) {
      const bytes = new Uint8Array((i * 37) % 601).fill(i);
      expect(Buffer.compare(pass(rawCodec, bytes), bytes)).toBe(0);
    }
  });

  it('aligns messages for wider views', () => {
    for (const length of [1, 64, 67, 100, 4096, 5000]) {
      expect(pass(rawCodec, new Uint8Array(length)).byteOffset % 8).toBe(0);
    }
  });

  it('takes Buffers, subclasses, views of a part, shared memory and other realms', () => {
    class Frame extends Uint8Array {}
    const values = [
      Buffer.from([1, 2, 3]),
      Frame.of(1, 2, 3),
      Uint8Array.of(0, 1, 2, 3, 4).subarray(1, 4),
      new Uint8Array(new SharedArrayBuffer(3)).map((_, i) => i + 1),
      runInNewContext('Uint8Array.of(1, 2, 3)') as Uint8Array,
    ];
    for (const value of values) expect(pass(rawCodec, value)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it.each<[string, unknown, string]>([
    ['a string', 'bytes', "'bytes'"],
    ['an array', [1, 2], '[ 1, 2 ]'],
    ['an ArrayBuffer', new ArrayBuffer(2), 'ArrayBuffer'],
    ['a DataView', new DataView(new ArrayBuffer(2)), 'DataView'],
    ['a Uint8ClampedArray', new Uint8ClampedArray(2), 'Uint8ClampedArray'],
    ['a Float64Array', new Float64Array(2), 'Float64Array'],
    ['a look-alike', Object.create(Uint8Array.prototype), ''],
    ['undefined', undefined, 'undefined'],
  ])('refuses %s, and names it', (_, value, name) => {
    const outbox = new Uint8Array(64);
    const error = thrownBy(() => rawCodec.encode(value as Uint8Array, outbox));
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG' });
    expect(String(error)).toContain(name);
    expect(thrownBy(() => rawCodec.bytesOf?.(value as Uint8Array))).toMatchObject({
      code: 'ERR_INVALID_ARG',
    });
  });

  it('refuses bytes that were transferred away, which would arrive empty', () => {
    const bytes = new Uint8Array(100);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(thrownBy(() => rawCodec.encode(bytes, new Uint8Array(64)))).toMatchObject({
      code: 'ERR_INVALID_ARG',
    });
  });
});
