import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  CANCEL,
  FAILURE,
  HEADER_BYTES,
  readHeader,
  REQUEST,
  RESPONSE,
  THROWN,
  UNHANDLED,
  writeHeader,
} from '../../../src/primitives/exchange-frame.js';
import type { FrameHeader } from '../../../src/primitives/exchange-frame.js';
import { decodeThrown, encodeThrown } from '../../../src/primitives/remote-error.js';

const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const headers: fc.Arbitrary<FrameHeader> = fc.oneof(
  fc.record({ kind: fc.constantFrom(REQUEST, RESPONSE, CANCEL), detail: fc.constant(0), id }),
  fc.record({ kind: fc.constant(FAILURE), detail: fc.constantFrom(THROWN, UNHANDLED), id }),
);

describe('the header of a message of an exchange', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 20 }), (header, body) => {
        const isCancel = header.kind === CANCEL;
        const bytes = new Uint8Array([...new Uint8Array(8).fill(9), ...(isCancel ? [] : body)]);
        writeHeader(bytes, header);
        expect(readHeader(bytes)).toEqual(header);
      }),
    );
  });

  it('is drawn where it is used', () => {
    const bytes = new Uint8Array(HEADER_BYTES);
    writeHeader(bytes, { kind: FAILURE, detail: UNHANDLED, id: 0x8765_4321 });
    expect(bytes).toEqual(Uint8Array.of(3, 1, 0, 0, 0x21, 0x43, 0x65, 0x87));
  });

  it('is read from any bytes, or there is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        const header = readHeader(bytes);
        if (header === undefined) return;
        const again = bytes.slice();
        writeHeader(again, header);
        expect(again).toEqual(bytes);
      }),
    );
  });

  it.each([
    ['nothing', []],
    ['too little', [1, 0, 0, 0, 0, 0, 0]],
    ['no kind', [0, 0, 0, 0, 0, 0, 0, 0]],
    ['an unknown kind', [5, 0, 0, 0, 0, 0, 0, 0]],
    ['an unknown detail', [3, 2, 0, 0, 0, 0, 0, 0]],
    ['a detail where there is none', [1, 1, 0, 0, 0, 0, 0, 0]],
    ['something where nothing is', [1, 0, 1, 0, 0, 0, 0, 0]],
    ['and there, too', [1, 0, 0, 1, 0, 0, 0, 0]],
    ['a cancel with a body', [4, 0, 0, 0, 0, 0, 0, 0, 1]],
  ])('is not in %s', (_, bytes) => {
    expect(readHeader(Uint8Array.from(bytes))).toBe(undefined);
  });
});

describe('what a handler threw', () => {
  it('is what arrives, be it no error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer(), fc.constant(undefined)), (thrown) => {
        expect(decodeThrown(encodeThrown(thrown))).toEqual(thrown);
      }),
    );
  });

  it('keeps the names of errors, known and unknown ones, their codes and their causes', () => {
    class Odd extends Error {
      override name = 'Odd';
      code = 42;
    }
    const thrown = new Odd('m', { cause: new SyntaxError('s', { cause: { a: 1 } }) });
    const error = decodeThrown(encodeThrown(thrown)) as Odd;
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'Odd', message: 'm', code: 42, stack: thrown.stack });
    expect(Object.keys(error)).toEqual(['code']);
    expect(error.cause).toBeInstanceOf(SyntaxError);
    expect((error.cause as Error).cause).toEqual({ a: 1 });
  });

  it('ends where a chain of causes does not', () => {
    const thrown = new Error('round');
    thrown.cause = thrown;
    let depth = 0;
    let error: unknown = decodeThrown(encodeThrown(thrown));
    for (; error instanceof Error; error = error.cause) depth++;
    expect(depth).toBe(9);
  });

  it('is described even where asking it throws', () => {
    const hostile = new Error('x');
    Object.defineProperty(hostile, 'message', {
      get() {
        throw new Error('no');
      },
    });
    expect(decodeThrown(encodeThrown(hostile))).toBeInstanceOf(Error);
    expect(decodeThrown(encodeThrown(() => {}))).toMatchObject({
      message: '[Function (anonymous)]',
    });
  });

  it('is read from any bytes, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeThrown(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});
