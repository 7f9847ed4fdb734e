import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  findScalarType,
  SCALAR_TYPES,
  scalarType,
  LITTLE_ENDIAN,
} from '../../../src/shapes/scalar-types.js';
import type { ScalarName, ScalarType } from '../../../src/shapes/scalar-types.js';
import { thrownBy } from '../thrown-by.js';

const types = Object.values<ScalarType>(SCALAR_TYPES);
const named = (kind: string) =>
  types.filter((type) => type.kind === kind).map((type) => [type.name, type] as const);

/** A value through memory, at an odd byte, with its neighbours left alone. */
function stored(type: ScalarType, value: unknown): unknown {
  const bytes = new Uint8Array(type.byteLength + 2).fill(0xa5);
  const view = new DataView(bytes.buffer);
  type.write(view, 1, value, 'it');
  expect([bytes[0], bytes[bytes.length - 1]]).toEqual([0xa5, 0xa5]);
  const element = type.toElement(value, 'it');
  const array = new type.TypedArray(1);
  array[0] = element;
  // The same bytes, whichever way they get there; an element is what the array gives back.
  expect(new Uint8Array(array.buffer)).toEqual(bytes.subarray(1, -1));
  expect(array[0]).toBe(element);
  expect(type.fromElement(element)).toEqual(type.read(view, 1));
  return type.read(view, 1);
}

function refused(type: ScalarType, value: unknown): string {
  const bytes = new Uint8Array(8).fill(0xa5);
  const error = thrownBy(() => type.write(new DataView(bytes.buffer), 0, value, "Value 'n'"));
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARG' });
  expect(bytes).toEqual(new Uint8Array(8).fill(0xa5));
  expect(thrownBy(() => type.toElement(value, "Value 'n'"))).toEqual(error);
  const { message } = error as Error;
  expect(message).toContain(`Value 'n' (${type.name}) takes`);
  return message;
}

describe('the table of scalar types', () => {
  it('finds a type by its name and by its letters', () => {
    for (const type of types) {
      for (const name of [type.name, ...type.letters]) {
        expect(scalarType(name)).toBe(type);
        expect(findScalarType(name)).toBe(type);
      }
    }
  });

  it('knows the letters of ctypes', () => {
    const names = Array.from('cbBhHiIlLqQfd?', (letter) => findScalarType(letter)?.name);
    expect(names.join(' ')).toBe(
      'char int8 uint8 int16 uint16 int32 uint32 int64 uint64 int64 uint64 float32 float64 bool',
    );
  });

  it.each<[unknown]>([['x'], ['INT8'], ['toString'], ['__proto__'], [''], [null], [1], [['b']]])(
    'has no %o, and lists what it has',
    (name) => {
      expect(findScalarType(name)).toBe(undefined);
      const error = thrownBy(() => scalarType(name as ScalarName, "Value 'n': the type"));
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARG' });
      expect(String(error)).toMatch(/Value 'n': the type.*int8 \(b\).*int64 \(q, l\).*char \(c\)/);
    },
  );

  it('says the sizes of C', () => {
    const sizes = types.map(({ name, byteLength }) => `${name}:${byteLength}`);
    expect(sizes.join(' ')).toBe(
      'int8:1 uint8:1 int16:2 uint16:2 int32:4 uint32:4 int64:8 uint64:8 float32:4 float64:8 bool:1 char:1',
    );
    for (const type of types) expect(type.TypedArray.BYTES_PER_ELEMENT).toBe(type.byteLength);
  });

  it('stores in the order of the machine', () => {
    const bytes = new Uint8Array(4);
    SCALAR_TYPES.uint32.write(new DataView(bytes.buffer), 0, 0x01020304, 'it');
    expect(new Uint32Array(bytes.buffer)[0]).toBe(0x01020304);
    expect(bytes[0]).toBe(LITTLE_ENDIAN ? 4 : 1);
  });
});

describe.each(named('integer'))('%s', (name, type) => {
  const bits = 8 * type.byteLength;
  const wrap = (value: number) =>
    Number((name.startsWith('u') ? BigInt.asUintN : BigInt.asIntN)(bits, BigInt(value)));

  it('takes whole numbers of any size, and wraps', () => {
    const whole = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(Math.trunc),
    );
    fc.assert(
      fc.property(whole, (value) => {
        expect(stored(type, value)).toBe(wrap(value));
      }),
    );
    const half = 2 ** (bits - 1);
    for (const value of [half, half - 1, -half, -half - 1, 2 * half, 2 * half - 1, 2 ** 60]) {
      expect(stored(type, value)).toBe(wrap(value));
    }
    expect(stored(type, -0)).toBe(0);
  });

  it('refuses fractions and what is no number', () => {
    expect(refused(type, 1.5)).toContain('1.5');
    for (const value of [NaN, Infinity, -Infinity, 1e-7, '3', 3n, true, null, undefined, {}, []]) {
      refused(type, value);
    }
  });
});

it('wraps as ctypes does', () => {
  expect(stored(SCALAR_TYPES.int8, 128)).toBe(-128);
  expect(stored(SCALAR_TYPES.uint8, -1)).toBe(255);
  expect(stored(SCALAR_TYPES.int64, 2n ** 63n)).toBe(-(2n ** 63n));
});

describe.each(named('bigint'))('%s', (name, type) => {
  const wrap = name === 'int64' ? BigInt.asIntN : BigInt.asUintN;

  it('takes bigints of any size, and wraps', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
        expect(stored(type, value)).toBe(wrap(64, value));
      }),
    );
  });

  it('takes numbers that are whole and exact', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(stored(type, value)).toBe(wrap(64, BigInt(value)));
      }),
    );
    expect(stored(type, -0)).toBe(0n);
    for (const value of [2 ** 53, -(2 ** 53), 0.5, NaN, Infinity]) refused(type, value);
  });

  it('refuses what is neither', () => {
    for (const value of ['3', true, null, undefined, {}, Object(3n)]) refused(type, value);
  });
});

describe.each(named('float'))('%s', (name, type) => {
  it('takes every number', () => {
    const rounded = name === 'float32' ? Math.fround : (value: number) => value;
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(stored(type, value)).toBe(rounded(value));
      }),
    );
    for (const value of [NaN, -0, Infinity, 1e39, 2 ** -149, 0.1]) {
      expect(stored(type, value)).toBe(rounded(value));
    }
  });

  it('refuses what is none', () => {
    for (const value of ['3', 3n, true, null, undefined, {}]) refused(type, value);
  });
});

describe('bool', () => {
  it('is 1 and 0', () => {
    expect(stored(SCALAR_TYPES.bool, true)).toBe(true);
    expect(stored(SCALAR_TYPES.bool, false)).toBe(false);
    expect(SCALAR_TYPES.bool.toElement(true, 'it')).toBe(1);
  });

  it('is true for every byte but 0', () => {
    const view = new DataView(new ArrayBuffer(1));
    for (let byte = 0; byte < 256; byte++) {
      view.setUint8(0, byte);
      expect(SCALAR_TYPES.bool.read(view, 0)).toBe(byte !== 0);
      expect(SCALAR_TYPES.bool.fromElement(byte)).toBe(byte !== 0);
    }
  });

  it('refuses what only looks true or false', () => {
    for (const value of [1, 0, 'true', null, undefined, 1n, Object(true)]) {
      refused(SCALAR_TYPES.bool, value);
    }
  });
});

describe('char', () => {
  it('is one byte', () => {
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code);
      expect(stored(SCALAR_TYPES.char, character)).toBe(character);
      expect(SCALAR_TYPES.char.toElement(character, 'it')).toBe(code);
    }
  });

  it('refuses what is not one character of one byte', () => {
    for (const value of ['', 'ab', 'Ā', '€', '😀', 65, null, undefined, ['a']]) {
      refused(SCALAR_TYPES.char, value);
    }
  });
});
