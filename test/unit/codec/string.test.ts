import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { stringCodec } from '../../../src/codec/string.js';
import { thrownBy } from '../thrown-by.js';
import { decodeAt, pass } from './passage.js';

/** Every string JavaScript has: any code units, lone surrogates included. */
const anyString = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200, size: 'max' }),
  fc.string({ unit: fc.nat(0xff).map((unit) => String.fromCharCode(unit)), maxLength: 200 }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 200 }),
);

describe("codec 'string'", () => {
  it('carries every string unchanged', () => {
    fc.assert(
      fc.property(anyString, fc.nat(300), fc.nat(9), (text, outboxBytes, offset) => {
        expect(pass(stringCodec, text, outboxBytes, offset)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([0, 1, 15, 16, 17, 1000, 100_000])('carries strings of %i characters', (length) => {
    for (const character of ['a', 'ÿ', 'Ā', '\uffff', '\udc00']) {
      expect(pass(stringCodec, character.repeat(length))).toBe(character.repeat(length));
    }
    const lastWide = `${'a'.repeat(length)}€`;
    expect(pass(stringCodec, lastWide)).toBe(lastWide);
  });

  it('takes a byte for each character below 256', () => {
    const outbox = new Uint8Array(1024);
    for (const length of [0, 10, 100]) {
      expect(stringCodec.encode('ü'.repeat(length), outbox)).toBe(length + 1);
    }
  });

  it.each<[unknown]>([[7], [undefined], [null], [['a']], [Object('text')]])(
    'refuses %o',
    (value) => {
      const error = thrownBy(() => stringCodec.encode(value as string, new Uint8Array(64)));
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARG' });
    },
  );

  it.each([[[]], [[2, 65]], [[1, 0, 65]], [[1]], [[255, 1, 2]]])(
    'refuses to read what it has not written: %j',
    (bytes) => {
      expect(thrownBy(() => decodeAt(stringCodec, Uint8Array.from(bytes)))).toMatchObject({
        code: 'ERR_DECODE',
      });
    },
  );
});
