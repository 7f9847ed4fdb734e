import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SlotList } from '../../../src/shapes/slot-list.js';
import type { ShareableValue } from '../../../src/shapes/slot-list.js';
import { thrownBy } from '../thrown-by.js';

function listOf(...values: ShareableValue[]): SlotList {
  return other(SlotList.bytesOf(values));
}

/** Another process's view of the same memory. */
const other = (bytes: Uint8Array) => new SlotList(bytes);

const anyValue: fc.Arbitrary<ShareableValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double(),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('\0', 'a', 'é', '€', '😀', '\ufeff'), maxLength: 30 }),
  fc.uint8Array({ maxLength: 30 }),
);

const all = (list: SlotList) => Array.from({ length: list.length }, (_, i) => list.at(i));

const isBytes = (value: ShareableValue) => typeof value === 'string' || value instanceof Uint8Array;
const sizeOf = (value: ShareableValue) =>
  isBytes(value) ? Buffer.from(value as string).length : 8;
const roomOf = (value: ShareableValue) =>
  isBytes(value) ? 8 * (Math.floor(sizeOf(value) / 8) + 1) : 8;

describe('a list in memory', () => {
  it('holds what it was made of, for everybody who has the memory', () => {
    fc.assert(
      fc.property(fc.array(anyValue), fc.nat(20), (values, spare) => {
        const bytes = new Uint8Array([...SlotList.bytesOf(values), ...new Uint8Array(spare)]);
        const list = other(bytes);
        expect(list.length).toBe(values.length);
        expect(all(list)).toEqual(values);
      }),
    );
  });

  it('is a plain array of fixed rooms: what fits replaces, what does not changes nothing', () => {
    const anyAct = fc.tuple(fc.nat(), anyValue);
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 1 }), fc.array(anyAct), (values, acts) => {
        const memory = SlotList.bytesOf(values);
        const [list, reader] = [other(memory), other(memory)];
        const expected = [...values];
        const rooms = values.map(roomOf);
        for (const [n, value] of acts) {
          const i = n % values.length;
          if (sizeOf(value) <= (rooms[i] as number)) {
            list.set(i, value);
            expected[i] = value;
          } else {
            expect(thrownBy(() => list.set(i, value))).toMatchObject({ code: 'ERR_TOO_LARGE' });
          }
          expect(all(reader)).toEqual(expected);
        }
      }),
    );
  });

  it('keeps zeroes at the end, and characters of several bytes', () => {
    const values = [
      'a\0\0',
      '\0',
      'zwölf Boxkämpfer',
      '世界',
      '😀',
      '\ufeffx',
      Uint8Array.of(1, 0),
    ];
    expect(all(listOf(...values))).toEqual(values);
  });

  it('gives each string and each array of bytes eight bytes of room or the next multiple, and one to spare', () => {
    for (const [length, room] of [
      [0, 8],
      [7, 8],
      [8, 16],
      [15, 16],
      [16, 24],
    ] as const) {
      const list = listOf('x'.repeat(length), new Uint8Array(length));
      list.set(0, 'y'.repeat(room));
      list.set(1, new Uint8Array(room).fill(1));
      expect(all(list)).toEqual(['y'.repeat(room), new Uint8Array(room).fill(1)]);
      const error = thrownBy(() => list.set(0, 'z'.repeat(room + 1)));
      expect(error).toMatchObject({ code: 'ERR_TOO_LARGE' });
      expect(String(error)).toContain(`needs ${room + 1} bytes; element 0 has room for ${room}`);
      expect(list.at(0)).toBe('y'.repeat(room));
    }
  });

  it('counts the bytes of a string, not its characters', () => {
    const list = listOf('1234567');
    list.set(0, '世界');
    expect(thrownBy(() => list.set(0, '世界世'))).toMatchObject({ code: 'ERR_TOO_LARGE' });
    expect(list.at(0)).toBe('世界');
  });

  it('takes a value of another type for any element', () => {
    const list = listOf(null, 'text', 1);
    list.set(0, 2n ** 63n - 1n);
    list.set(1, -0);
    list.set(2, 'eight by');
    expect(all(list)).toEqual([2n ** 63n - 1n, -0, 'eight by']);
  });

  it('is indexed from the end, too', () => {
    const list = listOf(1, 2, 3);
    expect([list.at(-1), list.at(-3), list.at(-4), list.at(3), list.at(0.5)]).toEqual([
      3,
      1,
      undefined,
      undefined,
      undefined,
    ]);
    list.set(-1, 30);
    expect(all(list)).toEqual([1, 2, 30]);
  });

  it.each<[unknown]>([[3], [-4], [0.5], [NaN], ['length'], [undefined]])(
    'has no element %o to replace',
    (index) => {
      const list = listOf(1, 2, 3);
      const error = thrownBy(() => list.set(index as number, 9));
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARG' });
      expect(String(error)).toContain('from -3 to 2');
      expect(all(list)).toEqual([1, 2, 3]);
    },
  );

  it.each<[unknown]>([
    [undefined],
    [Symbol('s')],
    [{}],
    [[1]],
    [new Date(0)],
    [new Float64Array(1)],
    [() => 1],
    [2n ** 63n],
    [-(2n ** 63n) - 1n],
    ['\ud800'],
    ['a\udc00b'],
  ])('takes no %o', (value) => {
    const list = listOf('old');
    expect(thrownBy(() => list.set(0, value as null))).toMatchObject({ code: 'ERR_INVALID_ARG' });
    expect(list.at(0)).toBe('old');
    expect(thrownBy(() => SlotList.bytesOf([1, value as null]))).toMatchObject({
      code: 'ERR_INVALID_ARG',
    });
  });

  it('finds and counts what is equal in type and value', () => {
    const list = listOf(1, 1n, true, '1', null, NaN, Uint8Array.of(1), 1, -0, '1');
    expect([1, 1n, true, '1', null, NaN, Uint8Array.of(1)].map((v) => list.indexOf(v))).toEqual([
      0, 1, 2, 3, 4, 5, 6,
    ]);
    expect([1, '1', 0, 2, false].map((v) => list.count(v))).toEqual([2, 2, 1, 0, 0]);
    expect(list.indexOf(2)).toBe(-1);
  });

  it('says its format as Python does', () => {
    const list = listOf(1.5, 1n, true, 'text', new Uint8Array(8), null);
    expect(list.format).toBe('dq?8s16sx');
    list.set(0, null);
    expect(list.format).toBe('xq?8s16sx');
  });

  it('gives bytes that are a copy, and a plain Uint8Array', () => {
    const memory = Buffer.from(SlotList.bytesOf([Uint8Array.of(1, 2)]));
    const list = other(memory);
    const bytes = list.at(0) as Uint8Array;
    expect(bytes.constructor).toBe(Uint8Array);
    bytes[0] = 9;
    expect(list.at(0)).toEqual(Uint8Array.of(1, 2));
  });

  it('of no elements is one, too', () => {
    const list = listOf();
    expect([list.length, all(list), list.format, list.at(0)]).toEqual([0, [], '', undefined]);
  });

  it('never reads beyond its memory, whatever stands there', () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(
          fc.array(anyValue, { maxLength: 5 }),
          fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 8 }),
        )
        .map(([values, changes]) => {
          const bytes = SlotList.bytesOf(values);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          return bytes;
        }),
    );
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        try {
          for (const value of all(other(bytes))) {
            if (value instanceof Uint8Array) expect(value.length).toBeLessThan(bytes.length);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_CORRUPT' });
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('has no element in its table, nor one with less room than every value needs', () => {
    for (const [at, number] of [
      [8, 0],
      [8, 8 + 16 - 1],
      [12, 0],
      [12, 7],
      [12, 100],
      [0, 2],
    ] as const) {
      const bytes = SlotList.bytesOf([1]);
      new DataView(bytes.buffer).setUint32(at, number, true);
      expect(thrownBy(() => other(bytes))).toMatchObject({ code: 'ERR_CORRUPT' });
    }
  });

  it('has 1 GiB at most', () => {
    const values = [new Uint8Array(2 ** 30)];
    expect(thrownBy(() => SlotList.bytesOf(values))).toMatchObject({ code: 'ERR_TOO_LARGE' });
  });

  it('trusts no length that changes under it', () => {
    const bytes = SlotList.bytesOf(['text', 'next']);
    const list = other(bytes);
    const view = new DataView(bytes.buffer);
    const [kindAt, lengthAt] = [16, 20];
    view.setUint32(lengthAt, 9, true);
    expect(thrownBy(() => list.at(0))).toMatchObject({ code: 'ERR_CORRUPT' });
    view.setUint32(lengthAt, 2 ** 32 - 1, true);
    expect(thrownBy(() => list.at(0))).toMatchObject({ code: 'ERR_CORRUPT' });
    view.setUint32(lengthAt, 4, true);
    expect(list.at(0)).toBe('text');
    for (const kind of [0, 7, 2 ** 32 - 1]) {
      view.setUint32(kindAt, kind, true);
      expect(thrownBy(() => list.at(0))).toMatchObject({ code: 'ERR_CORRUPT' });
    }
    view.setUint32(kindAt, 5, true);
    // Where the slots begin: the one of 'text' holds half a character now.
    bytes[8 + 2 * 16] = 0xff;
    expect(thrownBy(() => list.at(0))).toMatchObject({ code: 'ERR_CORRUPT' });
    // Where the elements stand was copied when the list was opened.
    view.setUint32(24, 2 ** 31, true);
    expect(list.at(1)).toBe('next');
    expect(thrownBy(() => other(bytes))).toMatchObject({ code: 'ERR_CORRUPT' });
  });
});
