import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SCALAR_TYPES } from '../../src/shapes/scalar-types.js';
import type { Element, ScalarType } from '../../src/shapes/scalar-types.js';
import { Struct } from '../../src/shapes/struct.js';
import type { SharedArray } from '../../src/primitives/shared-array.js';
import { thrownBy } from '../unit/thrown-by.js';
import { stateBenchFor } from './state-subject.js';
import type { StateSubject } from './state-subject.js';
import { coded, rows, stateOf } from './subject.js';

const TYPES = Object.values<ScalarType>(SCALAR_TYPES);
const NUMERIC = TYPES.filter(({ kind }) => kind !== 'bool' && kind !== 'char');
const Point = Struct({ x: 'float64', id: 'uint32' });
const LENGTH = 8;

type AnyArray = SharedArray<unknown, unknown>;
type Numbers = SharedArray<number, unknown>;

/** A value of the type for any whole number. */
function sample({ kind }: ScalarType, n: number): unknown {
  switch (kind) {
    case 'integer':
      return n;
    case 'bigint':
      return BigInt(n);
    case 'float':
      return n / 4;
    case 'bool':
      return n % 2 !== 0;
    case 'char':
      return String.fromCharCode(n & 0xff);
  }
}

export function sharedArrays(subject: StateSubject): void {
  describe('SharedArray', () => {
    const bench = stateBenchFor(subject);
    const { SharedArray: Arrays, Queue } = bench;
    const arrayOf = (type: ScalarType, lengthOrValues: unknown): AnyArray =>
      bench.keep(new Arrays(type.name, lengthOrValues as number)) as unknown as AnyArray;
    const numbers = (lengthOrValues: number | Iterable<number>): Numbers =>
      bench.keep(new Arrays('int32', lengthOrValues));

    it.each(TYPES.map((type) => [type.name, type] as const))(
      '%s: every operation does what it does to a plain array',
      (_, type) => {
        const index = fc.integer({ min: 0, max: LENGTH - 1 });
        const any = fc.oneof(fc.integer(), fc.integer({ min: -300, max: 300 }));
        const range = fc.integer({ min: -LENGTH - 1, max: LENGTH + 1 });
        const step = fc.record({
          kind: fc.constantFrom(
            'index',
            'set',
            'exchangeAt',
            'updateAt',
            'fill',
            'reverse',
            'copyWithin',
            'set many',
            'compareExchangeAt',
          ),
          index,
          value: any,
          from: range,
          to: range,
        });
        const xs = arrayOf(type, LENGTH);
        const other = bench.another(xs);
        const asStored = (n: number): unknown =>
          type.fromElement(type.toElement(sample(type, n), ''));
        fc.assert(
          fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
            const zero = asStored(0);
            const model: unknown[] = Array.from({ length: LENGTH }, () => zero);
            xs.fill(zero as never);
            for (const [i, { kind, index: at, value, from, to }] of steps.entries()) {
              const one = i % 2 === 0 ? xs : other;
              const given = sample(type, value) as never;
              const before = model[at];
              switch (kind) {
                case 'index':
                  one[at] = given;
                  model[at] = asStored(value);
                  break;
                case 'set':
                  one.set(at, given);
                  model[at] = asStored(value);
                  break;
                case 'exchangeAt':
                  expect(one.exchangeAt(at, given)).toBe(before);
                  model[at] = asStored(value);
                  break;
                case 'compareExchangeAt':
                  expect(one.compareExchangeAt(at, before as never, given)).toBe(before);
                  model[at] = asStored(value);
                  break;
                case 'updateAt':
                  expect(one.updateAt(at, () => given)).toBe(before);
                  model[at] = asStored(value);
                  break;
                case 'fill':
                  expect(one.fill(given, from, to)).toBe(one);
                  model.fill(asStored(value), from, to);
                  break;
                case 'reverse':
                  expect(one.reverse()).toBe(one);
                  model.reverse();
                  break;
                case 'copyWithin':
                  one.copyWithin(at, from, to);
                  model.copyWithin(at, from, to);
                  break;
                case 'set many':
                  one.set([given, given].slice(0, LENGTH - at), at);
                  model.splice(at, 2, ...[asStored(value), asStored(value)].slice(0, LENGTH - at));
                  break;
              }
              expect(xs.slice()).toEqual(model);
              expect(other.slice()).toEqual(model);
              expect(xs[at]).toBe(model[at]);
            }
          }),
          { numRuns: 40 },
        );
      },
    );

    it.each(TYPES.map((type) => [type.name, type] as const))(
      '%s: methods that read give what those of a plain array give',
      (_, type) => {
        const values = [3, 1, 2, 200, 1].map((n) => sample(type, n));
        const xs = arrayOf(type, values);
        const plain: unknown[] = values.map((value) => type.fromElement(type.toElement(value, '')));
        expect([...xs]).toEqual(plain);
        expect([...xs.keys()]).toEqual([0, 1, 2, 3, 4]);
        expect([...xs.entries()]).toEqual([...plain.entries()]);
        expect(xs).toHaveLength(5);
        expect(Array.isArray(xs.slice())).toBe(true);
        expect(xs.slice(1, -1)).toEqual(plain.slice(1, -1));
        expect(xs.map((value, i) => [i, value])).toEqual(plain.map((value, i) => [i, value]));
        expect(xs.filter((value) => value === plain[1])).toEqual(
          plain.filter((value) => value === plain[1]),
        );
        expect(xs.at(-1)).toBe(plain[4]);
        expect(xs.at(9)).toBeUndefined();
        expect(xs.indexOf(plain[1] as never)).toBe(plain.indexOf(plain[1]));
        expect(xs.lastIndexOf(plain[1] as never)).toBe(plain.lastIndexOf(plain[1]));
        expect(xs.includes(plain[2] as never)).toBe(true);
        expect(xs.find((value) => value === plain[2])).toBe(plain[2]);
        expect(xs.findIndex((value) => value === plain[2])).toBe(plain.indexOf(plain[2]));
        expect(xs.findLastIndex((value) => value === plain[1])).toBe(4);
        expect(xs.join('/')).toBe(plain.join('/'));
        expect(String(xs)).toBe(String(plain));
        expect(xs.some((value) => value === plain[3])).toBe(true);
        expect(xs.every((value) => value === plain[3])).toBe(false);
        expect(xs.every((value) => plain.includes(value))).toBe(true);
        expect(xs.reduce((so, value) => `${so}${String(value)}`, '')).toBe(plain.join(''));
        const seen: unknown[] = [];
        xs.forEach((value) => seen.push(value));
        expect(seen).toEqual(plain);
        expect(inspect(xs)).toContain(type.name);
      },
    );

    it.each(NUMERIC.map((type) => [type.name, type] as const))(
      '%s: an index stores what a typed array stores, and set() what is right',
      (_, type) => {
        const xs = arrayOf(type, 3);
        const plain = new type.TypedArray(3) as unknown as { [index: number]: Element };
        const odd = type.kind === 'bigint' ? 2n ** 70n + 5n : 1e10 + 0.7;
        xs[1] = odd;
        plain[1] = odd;
        expect(xs[1]).toBe(plain[1]);
        // Outside, and on names that are no index, nothing happens.
        xs[3] = odd;
        expect(xs[3]).toBeUndefined();
        expect(xs).toHaveLength(3);
        const bad = type.kind === 'float' ? '1' : type.kind === 'bigint' ? 1.5 : 1.5;
        expect(() => xs.set(1, bad as never)).toThrow(coded('ERR_INVALID_ARG'));
        expect(xs[1]).toBe(plain[1]);
      },
    );

    it.each(TYPES.map((type) => [type.name, type] as const))(
      '%s: stores many only where they belong',
      (_, type) => {
        const asStored = (n: number): unknown =>
          type.fromElement(type.toElement(sample(type, n), ''));
        const given = (n: number): never => sample(type, n) as never;
        const xs = arrayOf(
          type,
          [1, 2, 3, 4, 5].map((n) => sample(type, n)),
        );
        const other = bench.another(xs);
        // What is changed while the arguments are looked at is not written over.
        const meanwhile = (index: number, n: number, position: number): never =>
          ({
            valueOf() {
              other.set(index, given(n));
              return position;
            },
          }) as never;
        xs.fill(given(7), meanwhile(0, 9, 3), 5);
        expect(xs.slice()).toEqual([9, 2, 3, 7, 7].map(asStored));
        xs.copyWithin(meanwhile(4, 8, 0), 1, 3);
        expect(xs.slice()).toEqual([2, 3, 3, 7, 8].map(asStored));
        expect(() => xs.set([Symbol() as never, given(1)], 3)).toThrow();
        expect(() => xs.fill(Symbol() as never)).toThrow();
        expect(() => xs.set([given(1), given(1)], 4)).toThrow(RangeError);
        expect(xs.slice(-2)).toEqual([7, 8].map(asStored));
        expect(xs.slice(3, 2)).toEqual([]);
        expect(xs.at(-5)).toBe(asStored(2));
        expect(xs.at(-6)).toBeUndefined();
        expect(xs.at(NaN)).toBe(asStored(2));
      },
    );

    it('shows to who iterates what is stored on the way', () => {
      for (const type of ['int32', 'bool'] as const) {
        const xs = arrayOf(SCALAR_TYPES[type] as ScalarType, 3);
        const one = sample(SCALAR_TYPES[type] as ScalarType, 1);
        const other = bench.another(xs);
        const seen: unknown[] = [];
        for (const [i, value] of xs.entries() as Iterable<[number, unknown]>) {
          seen.push(value);
          if (i < 2) other[i + 1] = one;
        }
        expect(seen.slice(1)).toEqual([one, one]);
      }
    });

    it('sorts as typed arrays do', () => {
      const xs = bench.keep(new Arrays('int32', [10, 9, 1]));
      expect(xs.sort()).toBe(xs);
      expect(xs.slice()).toEqual([1, 9, 10]);
      xs.sort((a, b) => b - a);
      expect(xs.slice()).toEqual([10, 9, 1]);
    });

    it.runIf(subject.backend.capabilities.views)(
      'is a typed array, and its parts are plain ones',
      () => {
        const xs = bench.keep(new Arrays('float64', 4));
        expect(xs).toBeInstanceOf(Float64Array);
        const part = xs.subarray(1, 3);
        expect(Object.getPrototypeOf(part)).toBe(Float64Array.prototype);
        part[0] = 2.5;
        expect(xs[1]).toBe(2.5);
        xs.close();
        expect(part).toHaveLength(0);
      },
    );

    it.runIf(!subject.backend.capabilities.views)(
      'gives no typed array where there can be none',
      () => {
        expect(() => numbers(3).subarray()).toThrow(coded('ERR_UNSUPPORTED'));
      },
    );

    it('of integers calculates in one step, and wraps', () => {
      const xs = bench.keep(new Arrays('uint8', [250, 6, 0]));
      expect(xs.addAt(0, 10)).toBe(250);
      expect(xs.subAt(2, 1)).toBe(0);
      expect(xs.andAt(1, 3)).toBe(6);
      expect(xs.slice()).toEqual([4, 2, 255]);
      expect(xs.orAt(1, 8)).toBe(2);
      expect(xs.xorAt(1, 15)).toBe(10);
      expect(xs.slice()).toEqual([4, 5, 255]);
    });

    it('of floats, of booleans and of characters has the operations of its values', () => {
      const fs = bench.keep(new Arrays('d', [0.5]));
      expect(fs.addAt(0, 1)).toBe(0.5);
      expect(fs[0]).toBe(1.5);
      expect(() => fs.andAt(0, 1)).toThrow(coded('ERR_UNSUPPORTED'));
      const bs = bench.keep(new Arrays('?', [true, false]));
      expect(bs.andAt(0, false)).toBe(true);
      expect(bs.slice()).toEqual([false, false]);
      expect(() => bs.addAt(0, true)).toThrow(coded('ERR_UNSUPPORTED'));
      expect(() => bs.set([true, 1 as never])).toThrow(coded('ERR_INVALID_ARG'));
      expect(() => bs.fill(1 as never)).toThrow(coded('ERR_INVALID_ARG'));
      expect(bs.slice()).toEqual([false, false]);
      const cs = bench.keep(new Arrays('c', 'hello'));
      expect(cs.join('')).toBe('hello');
      expect(cs.exchangeAt(0, 'j')).toBe('h');
      expect(cs[0]).toBe('j');
    });

    describe('of structs', () => {
      it('gives copies, and takes plain objects', () => {
        const ps = bench.keep(
          new Arrays(Point, [
            { x: 1, id: 2 },
            { x: 3, id: 4 },
          ]),
        );
        expect(ps[1]).toEqual({ x: 3, id: 4 });
        ps.get(1).x = 99;
        ps[0] = { x: 5, id: 6 };
        ps.set(1, { x: 7, id: 8 });
        const same = bench.another(ps);
        expect(same.slice()).toEqual([
          { x: 5, id: 6 },
          { x: 7, id: 8 },
        ]);
        expect(same.map(({ x }) => x)).toEqual([5, 7]);
        expect(() => (ps[0] = { x: 1 } as never)).toThrow(coded('ERR_INVALID_ARG'));
        expect(() => ps.set([{ x: 0, id: 0 }, { x: 0 } as never])).toThrow(
          coded('ERR_INVALID_ARG'),
        );
        ps.reverse();
        ps.set([{ x: 9, id: 9 }], 1);
        expect(same.slice()).toEqual([
          { x: 7, id: 8 },
          { x: 9, id: 9 },
        ]);
        expect(() => ps.exchangeAt(0, { x: 1, id: 1 })).toThrow(coded('ERR_UNSUPPORTED'));
        expect(() => ps.subarray()).toThrow(coded('ERR_UNSUPPORTED'));
      });

      it.runIf(subject.backend.capabilities.views)('gives records in place', () => {
        const ps = bench.keep(new Arrays(Point, 2));
        ps.viewAt(1).id = 3;
        expect(ps[1]).toEqual({ x: 0, id: 3 });
        expect(() => ps.viewAt(2)).toThrow(coded('ERR_INVALID_ARG'));
      });
    });

    it.each(rows([-1, 3, 1.5, NaN, '0', null, undefined]))('has no index %s', (_, index) => {
      const xs = numbers(3);
      const at = index as number;
      for (const call of [
        () => xs.get(at),
        () => xs.addAt(at, 1),
        () => xs.exchangeAt(at, 1),
        () => xs.compareExchangeAt(at, 0, 1),
        () => xs.updateAt(at, (v) => v),
      ]) {
        expect(thrownBy(call)).toMatchObject({
          code: 'ERR_INVALID_ARG',
          message: expect.stringContaining('from 0 to 2') as string,
        });
      }
      if (typeof index === 'number') expect(() => xs.set(at, 1)).toThrow(coded('ERR_INVALID_ARG'));
    });

    it.each(rows([0, -1, 1.5, NaN, Infinity, 2 ** 53, '', [], new Set(), null, undefined, {}]))(
      'cannot be made of %s',
      (_, lengthOrValues) => {
        expect(() => new Arrays('int32', lengthOrValues as number)).toThrow(
          coded('ERR_INVALID_ARG'),
        );
        expect(() => Arrays.create(bench.name(), 'int32', lengthOrValues as number)).toThrow(
          coded('ERR_INVALID_ARG'),
        );
      },
    );

    it.runIf(subject.backend.capabilities.betweenProcesses)(
      'that is larger than the file system is a typed error at once',
      () => {
        expect(() => new Arrays('float64', 2 ** 36)).toThrow(coded('ERR_NO_SPACE'));
        expect(() => new Arrays('float64', 2 ** 50)).toThrow(coded('ERR_INVALID_ARG'));
      },
    );

    it('refuses an element that its type does not take, and says which', () => {
      expect(thrownBy(() => new Arrays('int32', [1, 2.5]))).toMatchObject({
        code: 'ERR_INVALID_ARG',
        message: expect.stringContaining('Element 1') as string,
      });
      expect(() => new Arrays('nonsense' as 'int32', 3)).toThrow(coded('ERR_INVALID_ARG'));
    });

    it('is made of anything that can be iterated', () => {
      function* count(): Generator<number> {
        yield* [1, 2, 3];
      }
      expect(numbers(count()).slice()).toEqual([1, 2, 3]);
      expect(numbers(new Set([4, 5])).slice()).toEqual([4, 5]);
      expect(numbers(Int8Array.of(-1)).slice()).toEqual([-1]);
    });

    it('is an instance of SharedArray, whatever its elements; a typed array is not', () => {
      expect(numbers(1)).toBeInstanceOf(Arrays);
      expect(bench.keep(new Arrays('bool', 1))).toBeInstanceOf(Arrays);
      expect(new Int32Array(1)).not.toBeInstanceOf(Arrays);
      expect(() => (Arrays as unknown as (type: string) => unknown)('int32')).toThrow(
        coded('ERR_INVALID_ARG'),
      );
    });

    it('is waited for, and changed elements and notify end it', async () => {
      const xs = numbers(3);
      const other = bench.another(xs);
      const added = xs.waitFor((now) => now[2] === 5);
      expect(await stateOf(added)).toBe('pending');
      other.addAt(2, 5);
      expect(await added).toBe(xs);
      const told = xs.waitFor((now) => now[0] === 1);
      other[0] = 1;
      other.notify();
      expect(await told).toBe(xs);
      expect(xs.waitForSync((now) => now[0] === 1)).toBe(xs);
      expect(() => xs.waitForSync((now) => now[0] === 2, { timeoutMs: 10 })).toThrow(
        coded('ERR_TIMEOUT'),
      );
      const pending = xs.waitFor((now) => now[0] === 3);
      xs.close();
      await expect(pending).rejects.toThrow(coded('ERR_CLOSED'));
    });

    it('is found by its name as it was made, and disagrees with what it is not', async () => {
      const name = bench.name();
      expect(() => Arrays.open(name)).toThrow(coded('ERR_NOT_FOUND'));
      const waiting = Arrays.openWhenAvailable(name, { timeoutMs: 60_000, type: 'int16' });
      const xs = bench.keep(Arrays.create(name, 'h', [1, 2]));
      const found = bench.keep(await waiting);
      expect(found.type).toBe('int16');
      expect(found.slice()).toEqual([1, 2]);
      expect(bench.keep(Arrays.openOrCreate(name, 'int16', 2)).slice()).toEqual([1, 2]);
      expect(() => Arrays.create(name, 'int16', 2)).toThrow(coded('ERR_EXISTS'));
      for (const open of [
        () => Arrays.openOrCreate(name, 'int16', 3),
        () => Arrays.openOrCreate(name, 'uint16', 2),
        () => Arrays.open(name, { type: 'uint16' }),
        () => Arrays.open(name, { type: Point }),
        () => Arrays.open(name, { persist: true }),
      ]) {
        expect(open).toThrow(coded('ERR_MISMATCH'));
      }
      expect(() => bench.Value.open(name)).toThrow(coded('ERR_KIND'));
      xs.unlink();
      expect(() => Arrays.open(name)).toThrow(coded('ERR_NOT_FOUND'));
    });

    it('travels, and lives as long as it is on its way', () => {
      const q = bench.keep(new Queue<AnyArray[]>());
      const xs = new Arrays('int32', [1, 2, 3]);
      const ps = new Arrays(Point, [{ x: 1, id: 2 }]);
      q.putNowait([xs, ps] as unknown as AnyArray[]);
      xs.close();
      ps.close();
      const arrived = q.getNowait();
      for (const array of arrived) bench.keep(array);
      expect(arrived[0]?.slice()).toEqual([1, 2, 3]);
      expect(arrived[0]).toBeInstanceOf(Arrays);
      expect(arrived[1]?.[0]).toEqual({ x: 1, id: 2 });
    });

    it('is ERR_CLOSED once it is closed, and an index gives undefined', () => {
      const arrays = [new Arrays('int32', 3), new Arrays('bool', 3), new Arrays(Point, 3)];
      for (const xs of arrays as unknown as Numbers[]) {
        xs.close();
        xs.close();
        expect(xs[0]).toBeUndefined();
        xs[0] = 1;
        expect(xs).toHaveLength(0);
        const calls = [
          () => xs.get(0),
          () => xs.set(0, 1),
          () => xs.set([1]),
          () => xs.addAt(0, 1),
          () => xs.updateAt(0, (v) => v),
          () => xs.slice(),
          () => xs.map((v) => v),
          () => xs.fill(1),
          () => xs.subarray(),
          () => [...xs],
          () => xs.forEach(() => undefined),
          () => xs.notify(),
          () => xs.unlink(),
          () => xs.waitForSync(() => true),
        ];
        for (const call of calls)
          expect(thrownBy(call)).toMatchObject({
            code: expect.stringMatching(/ERR_CLOSED|ERR_UNSUPPORTED/) as string,
          });
        expect(inspect(xs)).toContain('closed: true');
      }
    });
  });
}
