import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { jsonCodec } from '../../../src/codec/json.js';
import { thrownBy } from '../thrown-by.js';
import { decodeAt, pass } from './passage.js';

describe("codec 'json'", () => {
  it('carries what JSON carries', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: 'binary', maxDepth: 2 }),
        fc.nat(200),
        (value, outboxBytes) => {
          const expected: unknown = JSON.parse(JSON.stringify(value));
          expect(pass<unknown>(jsonCodec, value, outboxBytes)).toEqual(expected);
        },
      ),
    );
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const cause = new Error('toJSON has failed');
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a bigint', { n: 1n }],
    ['a cycle', cycle],
    [
      'an object that fails',
      {
        toJSON() {
          throw cause;
        },
      },
    ],
    ['an object that says it is nothing', { toJSON() {} }],
  ])('refuses %s', (_, value) => {
    const error = thrownBy(() => jsonCodec.encode(value, new Uint8Array(64)));
    expect(error).toMatchObject({ name: 'InterprocError', code: 'ERR_ENCODE' });
  });

  it('keeps why it could not', () => {
    const fails = {
      toJSON() {
        throw cause;
      },
    };
    expect(thrownBy(() => jsonCodec.encode(fails, new Uint8Array(64)))).toMatchObject({ cause });
  });

  it('refuses to read what is no JSON', () => {
    const text = Buffer.from('\0{"a":');
    expect(thrownBy(() => decodeAt(jsonCodec, text))).toMatchObject({ code: 'ERR_DECODE' });
    expect(thrownBy(() => decodeAt(jsonCodec, new Uint8Array(0)))).toMatchObject({
      code: 'ERR_DECODE',
    });
  });
});
