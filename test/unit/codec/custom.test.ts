import { describe, expect, it } from 'vitest';

import { codecFor, codecNamed } from '../../../src/codec/resolve-codec.js';
import { thrownBy } from '../thrown-by.js';
import { decodeAt, pass } from './passage.js';

const dates = {
  name: 'date',
  encode: (date: Date) => Buffer.from(date.toISOString()),
  decode: (bytes: Uint8Array) => new Date(Buffer.from(bytes).toString()),
};

describe('a custom codec', () => {
  it('carries what it was made for', () => {
    const codec = codecFor(dates);
    expect(codec.name).toBe('date');
    expect(pass(codec, new Date(7))).toEqual(new Date(7));
  });

  it("is called 'custom' unless it has a name", () => {
    expect(codecFor({ encode: dates.encode, decode: dates.decode }).name).toBe('custom');
  });

  it('is called with itself as this', () => {
    class Codec {
      readonly prefix = 'v1:';
      encode(text: string): Uint8Array {
        return Buffer.from(this.prefix + text);
      }
      decode(bytes: Uint8Array): string {
        return Buffer.from(bytes).toString().slice(this.prefix.length);
      }
    }
    expect(pass(codecFor(new Codec()), 'text')).toBe('text');
  });

  it('may keep the bytes it decodes', () => {
    const kept: Uint8Array[] = [];
    const codec = codecFor({
      encode: (bytes: Uint8Array) => bytes,
      decode: (bytes) => {
        kept.push(bytes);
        return bytes;
      },
    });
    for (const length of [10, 100, 10_000]) pass(codec, new Uint8Array(length).fill(7));
    for (const bytes of kept) expect(bytes.every((byte) => byte === 7)).toBe(true);
  });

  it('decodes bytes that have a buffer of their own', () => {
    const codec = codecFor({
      encode: (numbers: Float32Array) => new Uint8Array(numbers.buffer),
      decode: (bytes) => new Float32Array(bytes.buffer),
    });
    for (const length of [8, 64, 1024, 8192]) {
      expect(pass(codec, new Float32Array(length).fill(1.5))).toEqual(
        new Float32Array(length).fill(1.5),
      );
    }
  });

  it.each<[unknown]>([[undefined], ['text'], [new ArrayBuffer(1)], [[1]], [Promise.resolve()]])(
    'must return a Uint8Array, not %o',
    (bytes) => {
      const codec = codecFor({ encode: () => bytes as Uint8Array, decode: () => 0 });
      expect(thrownBy(() => codec.encode(0, new Uint8Array(64)))).toMatchObject({
        code: 'ERR_ENCODE',
      });
    },
  );

  it('keeps what it throws', () => {
    const cause = new Error('not today');
    const codec = codecFor({
      encode(): Uint8Array {
        throw cause;
      },
      decode(): number {
        throw cause;
      },
    });
    expect(thrownBy(() => codec.encode(1, new Uint8Array(64)))).toMatchObject({
      code: 'ERR_ENCODE',
      cause,
    });
    expect(thrownBy(() => decodeAt(codec, Uint8Array.of(1)))).toMatchObject({
      code: 'ERR_DECODE',
      cause,
    });
  });
});

describe('choosing a codec', () => {
  it('keeps the names of the built-in codecs for them', () => {
    for (const name of ['structured', 'json', 'string', 'raw']) {
      expect(thrownBy(() => codecFor({ ...dates, name }))).toMatchObject({
        code: 'ERR_INVALID_ARG',
      });
    }
  });

  it.each(['structured', 'json', 'string', 'raw'] as const)('finds %s by its name', (name) => {
    expect(codecFor(name).name).toBe(name);
    expect(codecNamed(name, 'it').name).toBe(name);
  });

  it.each<[unknown]>([['xml'], ['toString'], [''], [null], [7], [() => 1]])(
    'refuses %o',
    (option) => {
      expect(thrownBy(() => codecFor(option as 'raw'))).toMatchObject({ code: 'ERR_INVALID_ARG' });
    },
  );

  it('does not know the codecs of others', () => {
    const error = thrownBy(() => codecNamed('protobuf', "Queue 'jobs'"));
    expect(error).toMatchObject({ code: 'ERR_MISMATCH' });
    expect(String(error)).toContain("'protobuf'");
  });
});
