import fc from 'fast-check';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { ShareableList } from '../../src/primitives/shareable-list.js';
import type { ShareableValue } from '../../src/shapes/slot-list.js';
import { thrownBy } from '../unit/thrown-by.js';
import { stateBenchFor } from './state-subject.js';
import type { StateSubject } from './state-subject.js';
import { coded, rows } from './subject.js';

const ONE_OF_EACH: ShareableValue[] = [
  -0,
  NaN,
  2n ** 63n - 1n,
  true,
  false,
  'höher\0\0',
  '世界 😀',
  '',
  Uint8Array.of(1, 0, 0),
  new Uint8Array(0),
  null,
];

const anyValue: fc.Arbitrary<ShareableValue> = fc.oneof(
  fc.constantFrom(...ONE_OF_EACH),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.string({ unit: fc.constantFrom('\0', 'a', 'é', '€', '😀'), maxLength: 12 }),
  fc.uint8Array({ maxLength: 20 }),
);

const zeroes = (count: number): number[] => Array.from({ length: count }, () => 0);

export function shareableLists(subject: StateSubject): void {
  describe('ShareableList', () => {
    const bench = stateBenchFor(subject);
    const { ShareableList } = bench;
    const listOf = (...values: ShareableValue[]): ShareableList =>
      bench.keep(new ShareableList(values));

    it('holds what it was made of, for everybody', () => {
      const list = bench.keep(ShareableList.create(bench.name(), ONE_OF_EACH));
      const same = bench.keep(ShareableList.open(list.name));
      for (const one of [list, same, bench.another(list)]) {
        expect(one.length).toBe(ONE_OF_EACH.length);
        expect(one.toArray()).toEqual(ONE_OF_EACH);
        expect([...one]).toEqual(ONE_OF_EACH);
        expect(ONE_OF_EACH.map((_, i) => one.get(i))).toEqual(ONE_OF_EACH);
        expect(ONE_OF_EACH.map((_, i) => one[i])).toEqual(ONE_OF_EACH);
      }
    });

    it('is made of anything that can be iterated: of none, of a Set, of another list', () => {
      expect(listOf().toArray()).toEqual([]);
      const list = bench.keep(new ShareableList(new Set([1, 'two'])));
      const copy = bench.keep(new ShareableList(list));
      list.set(0, 100);
      expect(copy.toArray()).toEqual([1, 'two']);
    });

    it('is a plain array of fixed rooms for two who change it', () => {
      const anyAct = fc.tuple(fc.boolean(), fc.nat(), anyValue);
      fc.assert(
        fc.property(
          fc.array(anyValue, { minLength: 1, maxLength: 6 }),
          fc.array(anyAct),
          (values, acts) => {
            const list = new ShareableList(values);
            const other = bench.another(list);
            const expected = [...values];
            try {
              for (const [isOther, n, value] of acts) {
                const i = n % values.length;
                try {
                  (isOther ? other : list).set(i, value);
                  expected[i] = value;
                } catch (error) {
                  expect(error).toEqual(coded('ERR_TOO_LARGE'));
                }
                expect(list.toArray()).toEqual(expected);
                expect(other[i]).toEqual(expected[i]);
              }
            } finally {
              list.close();
              other.close();
            }
          },
        ),
        { numRuns: 50 },
      );
    });

    it('is written to by its indexes, which show at once', () => {
      const list = listOf(1, 'text', null);
      const other = bench.another(list);
      list[0] = 'eight by';
      other[2] = 2.5;
      list[1] = Uint8Array.of(7, 0);
      expect(other.toArray()).toEqual(['eight by', Uint8Array.of(7, 0), 2.5]);
      expect(list.toArray()).toEqual(other.toArray());
    });

    it('counts from the end, too', () => {
      const list = listOf(1, 2, 3);
      expect([list.get(-1), list.get(-3), list[-1], list[-3]]).toEqual([3, 1, 3, 1]);
      list.set(-1, 30);
      list[-2] = 20;
      expect(list.toArray()).toEqual([1, 20, 30]);
    });

    it.each(rows([3, -4, 0.5, NaN, Infinity, '1', undefined, null]))(
      'has no element %s',
      (_, index) => {
        const list = listOf(1, 2, 3);
        for (const call of [() => list.get(index as number), () => list.set(index as number, 9)]) {
          expect(thrownBy(call)).toMatchObject({
            code: 'ERR_INVALID_ARG',
            message: expect.stringContaining('from -3 to 2') as string,
          });
        }
        expect(list.toArray()).toEqual([1, 2, 3]);
      },
    );

    it('neither grows nor gets elements that are none', () => {
      const list = listOf(1);
      expect([list[1], list[-2], list[0.5]]).toEqual([undefined, undefined, undefined]);
      for (const index of [1, -2, 0.5, 2 ** 40]) {
        expect(thrownBy(() => (list[index] = 5))).toEqual(coded('ERR_INVALID_ARG'));
      }
      expect(thrownBy(() => listOf().get(0))).toMatchObject({
        message: expect.stringContaining('the list is empty') as string,
      });
      expect(list.toArray()).toEqual([1]);
      expect(Object.keys(list)).toEqual([]);
    });

    it('refuses what does not fit into the room of the first value, and keeps the old one', () => {
      const list = listOf('1234567', 0);
      list[0] = '世界';
      for (const value of ['世界世', new Uint8Array(9)]) {
        const error = thrownBy(() => list.set(0, value));
        expect(error).toMatchObject({
          code: 'ERR_TOO_LARGE',
          message: expect.stringContaining('needs 9 bytes; element 0 has room for 8') as string,
        });
        expect(thrownBy(() => (list[-1] = value))).toEqual(coded('ERR_TOO_LARGE'));
      }
      expect(list.toArray()).toEqual(['世界', 0]);
    });

    it.each(rows([undefined, Symbol('s'), {}, [1], new Float64Array(1), 2n ** 63n, '\ud800']))(
      'takes no %s',
      (_, value) => {
        const list = listOf('old');
        expect(() => list.set(0, value as ShareableValue)).toThrow(coded('ERR_INVALID_ARG'));
        expect(() => (list[0] = value as ShareableValue)).toThrow(coded('ERR_INVALID_ARG'));
        expect(list.get(0)).toBe('old');
        expect(() => new ShareableList([value as ShareableValue])).toThrow(
          coded('ERR_INVALID_ARG'),
        );
        const name = bench.name();
        expect(() => ShareableList.create(name, [value as ShareableValue])).toThrow(
          coded('ERR_INVALID_ARG'),
        );
        expect(() => ShareableList.open(name)).toThrow(coded('ERR_NOT_FOUND'));
      },
    );

    it.each(rows([undefined, null, 3, {}, Symbol('s')]))('is not made of %s', (_, values) => {
      expect(() => new ShareableList(values as [])).toThrow(coded('ERR_INVALID_ARG'));
      expect(() => ShareableList.create(bench.name(), values as [])).toThrow(
        coded('ERR_INVALID_ARG'),
      );
    });

    it('throws what its iterable throws, and makes nothing', () => {
      const name = bench.name();
      const cause = new Error('mine');
      function* failing(): Generator<number> {
        yield 1;
        throw cause;
      }
      expect(thrownBy(() => ShareableList.create(name, failing()))).toBe(cause);
      expect(() => ShareableList.open(name)).toThrow(coded('ERR_NOT_FOUND'));
    });

    it('finds and counts what is equal in type and value', () => {
      const list = bench.another(listOf(1, 1n, true, '1', null, NaN, Uint8Array.of(1), 1));
      const values = [1, 1n, true, '1', null, NaN, Uint8Array.of(1)];
      expect(values.map((value) => list.indexOf(value))).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect([1, 2, '1'].map((value) => list.count(value))).toEqual([2, 0, 1]);
      expect(list.indexOf(2)).toBe(-1);
    });

    it('says its format as Python does', () => {
      const list = listOf(1.5, 1n, true, 'text', new Uint8Array(8), null);
      expect(list.format).toBe('dq?8s16sx');
      list[0] = null;
      expect(bench.another(list).format).toBe('xq?8s16sx');
    });

    it('is printed, and becomes JSON, as its elements', () => {
      const list = bench.keep(ShareableList.create(bench.name(), [1, 'two', null]));
      expect(inspect(list)).toBe(`ShareableList '${list.name}' [ 1, 'two', null ]`);
      expect(JSON.stringify({ list })).toBe('{"list":[1,"two",null]}');
    });

    it('gives bytes that are a copy, and a plain Uint8Array', () => {
      const list = listOf(Buffer.from([1, 2]));
      const bytes = list.get(0) as Uint8Array;
      expect(bytes.constructor).toBe(Uint8Array);
      bytes[0] = 9;
      expect(list.get(0)).toEqual(Uint8Array.of(1, 2));
    });

    it('is opened by its name, made once, and disagrees with another size', async () => {
      const name = bench.name();
      expect(() => ShareableList.open(name)).toThrow(coded('ERR_NOT_FOUND'));
      const waiting = ShareableList.openWhenAvailable(name, { timeoutMs: 60_000 });
      const list = bench.keep(ShareableList.openOrCreate(name, ['a', 1]));
      bench.keep(await waiting);
      expect(() => ShareableList.create(name, ['a', 1])).toThrow(coded('ERR_EXISTS'));
      expect(bench.keep(ShareableList.openOrCreate(name, [2, 'bbb'])).toArray()).toEqual(['a', 1]);
      for (const values of [['a'], ['a', 1, 2], ['eight by', 1]]) {
        expect(thrownBy(() => ShareableList.openOrCreate(name, values))).toMatchObject({
          code: 'ERR_MISMATCH',
          message: expect.stringMatching(/2 elements in 56 bytes.*elements in \d+ bytes/) as string,
        });
      }
      expect(() => ShareableList.open(name, { persist: true })).toThrow(coded('ERR_MISMATCH'));
      expect(() => bench.Value.open(name)).toThrow(coded('ERR_KIND'));
      list.unlink();
      expect(() => ShareableList.open(name)).toThrow(coded('ERR_NOT_FOUND'));
      const memory = bench.keep(bench.SharedMemory.create(bench.name(), 64));
      expect(() => ShareableList.open(memory.name)).toThrow(coded('ERR_KIND'));
      await expect(ShareableList.openWhenAvailable(name, { timeoutMs: 1 })).rejects.toEqual(
        coded('ERR_TIMEOUT'),
      );
    });

    it('travels, and lives as long as it is on its way', () => {
      const q = bench.keep(new bench.Queue<{ list: ShareableList }>());
      const list = new ShareableList([1, 'two']);
      q.putNowait({ list });
      list.close();
      const { list: arrived } = q.getNowait();
      bench.keep(arrived);
      expect(arrived).toBeInstanceOf(ShareableList);
      expect(arrived.toArray()).toEqual([1, 'two']);
    });

    it('is ERR_CLOSED once it is closed, in the middle of an iteration too', () => {
      const list = new ShareableList([1, 2]);
      expect(list.ref()).toBe(list);
      expect(list.unref()).toBe(list);
      const left = list[Symbol.iterator]();
      left.next();
      list.close();
      list.close();
      for (const call of [
        () => list.get(0),
        () => list.get(9),
        () => list[0],
        () => list.set(0, 1),
        () => (list[0] = 1),
        () => list.count(1),
        () => list.indexOf(1),
        () => list.format,
        () => list.toArray(),
        () => JSON.stringify(list),
        () => left.next(),
        () => list.ref(),
        () => list.unref(),
        () => list.unlink(),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_CLOSED'));
      }
      expect(inspect(list)).toContain('{ length: 2, closed: true }');
    });

    it('is closed by using', () => {
      const list = new ShareableList([1]);
      list[Symbol.dispose]();
      expect(thrownBy(() => list.get(0))).toEqual(coded('ERR_CLOSED'));
    });

    it('has no options that nobody knows', () => {
      const options = { persit: true } as object;
      expect(() => new ShareableList([3], options)).toThrow(coded('ERR_INVALID_ARG'));
      expect(() => new ShareableList([3], { persist: true })).toThrow(coded('ERR_INVALID_ARG'));
      expect(() => ShareableList.open(bench.name(), options)).toThrow(coded('ERR_INVALID_ARG'));
    });

    it.each<[string, number[], number]>([
      ['too few bytes', zeroes(7), 0],
      ['fewer elements than it was made of', zeroes(8), 1],
      ['an element that lies in front of all', [1, ...zeroes(31)], 1],
      ['elements beyond its bytes', [255, 255, 255, 255, ...zeroes(4)], 2 ** 32 - 1],
      ['an element beyond its bytes', [1, ...zeroes(7), 24, ...zeroes(3), 8, ...zeroes(11)], 1],
    ])('that holds %s is ERR_CORRUPT, and is left again', (_, bytes, parameter) => {
      const name = bench.name();
      const options = { schema: 'slots', persist: false, maxParticipants: 2, parameter } as const;
      const list = bench.keep(
        subject.backend.openState(
          name,
          'create',
          { ...options, kind: 'list', byteLength: bytes.length },
          Uint8Array.from(bytes),
        ),
      );
      expect(thrownBy(() => ShareableList.open(list.name))).toEqual(coded('ERR_CORRUPT'));
      // There would be no place if that one had kept its own.
      expect(thrownBy(() => ShareableList.open(list.name))).toEqual(coded('ERR_CORRUPT'));
    });
  });
}
