import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

import { InterprocError } from '../../../../src/errors.js';
import { structuredCodec } from '../../../../src/codec/structured.js';
import * as format from '../../../../src/codec/structured/format.js';
import { thrownBy } from '../../thrown-by.js';
import { decodeAt } from '../passage.js';
import { anyValue } from './any-value.js';

const encode = (value: unknown) => structuredCodec.encode(value, new Uint8Array(0)) as Uint8Array;

/** Decodes, and lets nothing pass but a value or ERR_DECODE. */
function decodes(message: Uint8Array): boolean {
  try {
    decodeAt(structuredCodec, message, 5);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(InterprocError);
    expect(error).toMatchObject({ code: 'ERR_DECODE' });
    return false;
  }
}

const changes = fc.array(
  fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.integer({ min: 0, max: format.GATHERED_TEXT }))),
  { minLength: 1, maxLength: 5 },
);

describe("codec 'structured' given bytes that nobody encoded", () => {
  it('gives a value or ERR_DECODE for any bytes', () => {
    const tagged = fc
      .tuple(
        fc.constantFrom(0, format.IRREGULAR, format.TEXTS, format.IRREGULAR | format.TEXTS),
        fc.array(fc.oneof(fc.integer({ min: 0, max: format.GATHERED_TEXT }), fc.nat(255)), {
          maxLength: 60,
        }),
      )
      .map(([flags, rest]) => Uint8Array.of(format.VERSION | flags, ...rest));
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 60 }), tagged),
        (message) => void decodes(message),
      ),
      {
        numRuns: 20_000,
      },
    );
  });

  it('gives a value or ERR_DECODE for damaged messages', () => {
    fc.assert(
      fc.property(anyValue, changes, fc.boolean(), (value, damage, renumber) => {
        const message = Uint8Array.from(encode(value));
        if (renumber) {
          const texts = (message[0] as number) & format.TEXTS;
          message[0] = format.VERSION | format.IRREGULAR | texts;
        }
        for (const [at, byte] of damage) message[at % message.length] = byte;
        decodes(message);
      }),
      { numRuns: 5000 },
    );
  });

  it('gives ERR_DECODE for every message that ends early or late', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), (value, cut) => {
        const message = encode(value);
        // All but a text or a Uint8Array alone, which has no length but that of the message.
        fc.pre(message[0] !== 0 && message[0] !== 1 && message[1] !== format.BYTES);
        expect(decodes(message.slice(0, cut % message.length))).toBe(false);
        expect(decodes(Uint8Array.of(...message, 0))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('pollutes no prototype', () => {
    const before = Reflect.ownKeys(Object.prototype);
    for (const text of [
      '{"__proto__":{"polluted":1}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
    ]) {
      const message = encode([JSON.parse(text), Object.assign([], JSON.parse(text))]);
      decodes(message);
      decodes(Uint8Array.of((message[0] as number) | format.IRREGULAR, ...message.subarray(1)));
    }
    expect(Reflect.ownKeys(Object.prototype)).toEqual(before);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  const U32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
  const F64 = (value: number) => [...new Uint8Array(Float64Array.of(value).buffer)];
  const buffer = (length: number, maximum?: number) => [
    format.ARRAY_BUFFER,
    maximum === undefined ? 0 : 1,
    ...F64(0),
    ...U32(length),
    ...(maximum === undefined ? [] : F64(maximum)),
  ];
  it.each<[string, number[]]>([
    ['an array', [format.ARRAY, ...U32(2 ** 32 - 1)]],
    ['an array of holes', [format.ARRAY, ...U32(2 ** 30), format.HOLE]],
    ['a sparse array', [format.SPARSE_ARRAY, ...U32(2 ** 32 - 1), ...U32(2 ** 31)]],
    ['a sparse array that is short', [format.SPARSE_ARRAY, ...U32(500), ...U32(0), ...U32(0)]],
    [
      'an element beyond its array',
      [format.SPARSE_ARRAY, ...U32(2000), ...U32(1), ...U32(2000), format.NULL, ...U32(0)],
    ],
    ['a map', [format.MAP, ...U32(2 ** 31)]],
    ['a set', [format.SET, ...U32(2 ** 31)]],
    ['an object', [format.OBJECT_OF_PAIRS, ...U32(2 ** 31)]],
    ['a text', [format.LATIN1_TEXT, ...U32(2 ** 32 - 1)]],
    ['a wide text', [format.UTF16_TEXT, ...U32(2 ** 31)]],
    ['a buffer', buffer(2 ** 31)],
    ['a resizable buffer', buffer(0, 2 ** 50)],
    ['a resizable buffer of NaN', buffer(0, NaN)],
    ['a Buffer', [format.NODE_BUFFER, ...U32(2 ** 31)]],
    ['a traveller', [format.TRAVELLER, format.SHORT_TEXT, ...U32(2 ** 31)]],
    ['keys', [format.OBJECT, 255, ...U32(0)]],
    ['keys that are not there', [format.OBJECT_AGAIN, 0, 0]],
    ['keys that do not end', [format.OBJECT, 1, ...U32(0), 3, 1, 65, 200]],
    ['an object that is not there', [format.REF, ...U32(7)]],
    ['a pattern', [format.REGEXP, format.SHORT_TEXT | 1, 40, format.SHORT_TEXT]],
    ['digits', [format.LARGE_BIGINT, 0, format.SHORT_TEXT | 1, 120]],
    ['a box in a box', [format.BOXED, format.BOXED, format.TRUE]],
    ['a hole alone', [format.HOLE]],
    ['nothing', []],
  ])('gives ERR_DECODE for the absurd: %s', (_, bytes) => {
    expect(decodes(Uint8Array.of(format.VERSION, ...bytes))).toBe(false);
    expect(decodes(Uint8Array.of(format.VERSION | format.IRREGULAR, ...bytes))).toBe(false);
  });

  it.each<[string, number[], number[]]>([
    ['none where one should be', [format.GATHERED_TEXT, 1], []],
    ['fewer characters than a place for them', [format.GATHERED_TEXT, 3], [1, 2, 0, 65, 66]],
    ['one in two pieces', [format.GATHERED_TEXT, 2], [1, 1, 0, 65, 1, 1, 0, 66]],
    ['more characters than places', [format.GATHERED_TEXT, 1], [1, 2, 0, 65, 66]],
    ['more pieces than places', [format.GATHERED_TEXT, 1], [1, 1, 0, 65, 1, 1, 0, 66]],
    ['a piece without places', [format.NULL], [1, 1, 0, 65]],
    ['a piece without characters', [format.GATHERED_TEXT, 1], [1, 0, 0]],
    ['the head of a piece', [format.GATHERED_TEXT, 1], [1, 1]],
    ['a piece that ends early', [format.GATHERED_TEXT, 2], [1, 2, 0, 65]],
    ['a wide piece that ends early', [format.GATHERED_TEXT, 2], [2, 2, 0, 65, 0, 66]],
  ])('gives ERR_DECODE for absurd texts at the end: %s', (_, value, texts) => {
    const message = (count: number) =>
      Uint8Array.of(format.VERSION | format.TEXTS, ...value, ...texts, ...U32(count));
    for (const count of [texts.length, 0, 1, texts.length + 1, 2 ** 31, 2 ** 32 - 1]) {
      expect(decodes(message(count))).toBe(false);
    }
    expect(decodes(message(texts.length).subarray(0, -5))).toBe(false);
    expect(decodes(Uint8Array.of(format.VERSION | format.TEXTS, ...value))).toBe(false);
    // And leaves nothing behind for the next one.
    expect(decodes(encode([null, 'a']))).toBe(true);
  });

  it('reserves no more for resizable buffers than a message may, all of them together', () => {
    const message = (maximum: number) =>
      Uint8Array.of(
        format.VERSION,
        format.ARRAY,
        ...U32(2),
        ...buffer(0, maximum),
        ...buffer(0, maximum),
      );
    expect(decodes(message(2 ** 31 + 1))).toBe(false);
    // And one that was refused counts for nothing.
    expect(decodes(message(2 ** 31))).toBe(true);
  });

  it('makes no buffers of bytes that were promised to others', () => {
    const many = Array.from({ length: 50 }, () => buffer(1000)).flat();
    const message = [format.VERSION, format.ARRAY, ...U32(50), ...many, ...new Uint8Array(1000)];
    const made = vi.spyOn(globalThis, 'ArrayBuffer');
    try {
      expect(decodes(Uint8Array.from(message))).toBe(false);
      expect(made.mock.calls.filter((call: unknown[]) => call[0] === 1000).length).toBeLessThan(4);
    } finally {
      made.mockRestore();
    }
  });

  it('gives ERR_DECODE, and nothing worse, for what is nested too deep', () => {
    for (const [tag, rest] of [
      [format.ARRAY, U32(1)],
      [format.SET, U32(1)],
      [format.OBJECT, [1, 0, 0, 0, 0, 1, 1, 65, 0]],
    ] as const) {
      const levels = new Uint8Array(1 + 500_000 * (1 + rest.length)).fill(0);
      levels[0] = format.VERSION;
      for (let at = 1; at < levels.length; at += 1 + rest.length) levels.set([tag, ...rest], at);
      const error = thrownBy(() => structuredCodec.decode(levels, 0, levels.length));
      expect(error).toMatchObject({ code: 'ERR_DECODE' });
      // And is as good as new.
      expect(decodeAt(structuredCodec, encode({ a: [1] }))).toEqual({ a: [1] });
    }
  });

  it('names the version of a message that it does not know', () => {
    const error = thrownBy(() => decodeAt(structuredCodec, Uint8Array.of(0xff, 0x0f, 0x30)));
    expect((error as Error).message).toContain('its format has the number 255, this one 3');
  });
});
