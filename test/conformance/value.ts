import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SCALAR_TYPES } from '../../src/shapes/scalar-types.js';
import type { ScalarType } from '../../src/shapes/scalar-types.js';
import { Struct } from '../../src/shapes/struct.js';
import type { Value } from '../../src/primitives/value.js';
import { thrownBy } from '../unit/thrown-by.js';
import { stateBenchFor } from './state-subject.js';
import type { StateSubject } from './state-subject.js';
import { coded, rows, stateOf } from './subject.js';

const TYPES = Object.values<ScalarType>(SCALAR_TYPES);
const Point = Struct({ x: 'float64', y: 'float64', id: 'uint32' });

/** Anything that a type takes, and much that it has to wrap or round. */
function inputsOf({ kind }: ScalarType): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'integer':
      return fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(0, -0, 127, 128, -129));
    case 'bigint':
      return fc.oneof(fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }), fc.maxSafeInteger());
    case 'float':
      return fc.oneof(fc.double(), fc.constantFrom(NaN, -0, 0, Infinity));
    case 'bool':
      return fc.boolean();
    case 'char':
      return fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  }
}

/** What a plain variable of that type would become. */
class Model {
  readonly #type: ScalarType;
  #element: number | bigint;

  constructor(type: ScalarType) {
    this.#type = type;
    this.#element = type.toElement(
      { integer: 0, bigint: 0n, float: 0, bool: false, char: '\0' }[type.kind],
      'it',
    );
  }

  get value(): unknown {
    return this.#type.fromElement(this.#element);
  }

  store(value: unknown): void {
    this.#element = this.#type.toElement(value, 'it');
  }

  calculate(operation: string, operand: unknown): void {
    const element = this.#type.toElement(operand, 'it');
    const [a, b] = [this.#element as number, element as number];
    const results: Record<string, () => unknown> = {
      add: () => a + b,
      sub: () => a - b,
      and: () => a & b,
      or: () => a | b,
      xor: () => a ^ b,
    };
    const result = results[operation]?.();
    this.store(this.#type.kind === 'bool' ? Boolean(result) : result);
  }
}

const OPERATIONS = {
  integer: ['add', 'sub', 'and', 'or', 'xor'],
  bigint: ['add', 'sub', 'and', 'or', 'xor'],
  float: ['add', 'sub'],
  bool: ['and', 'or', 'xor'],
  char: [],
} as const;
const CALCULATIONS = ['add', 'sub', 'and', 'or', 'xor'] as const;

export function values(subject: StateSubject): void {
  describe('Value', () => {
    const bench = stateBenchFor(subject);
    const { Value: Values, Queue } = bench;
    const anyValue = (type: ScalarType): Value<unknown> =>
      bench.keep(new Values(type.name)) as unknown as Value<unknown>;

    it.each(TYPES.map((type) => [type.name, type] as const))(
      '%s: every operation does what it does to a plain variable',
      (_, type) => {
        const operation = fc.oneof(
          fc.record({ kind: fc.constant('store' as const), value: inputsOf(type) }),
          fc.record({ kind: fc.constant('exchange' as const), value: inputsOf(type) }),
          fc.record({ kind: fc.constant('update' as const), value: inputsOf(type) }),
          fc.record({
            kind: fc.constant('compareExchange' as const),
            value: inputsOf(type),
            expected: fc.option(inputsOf(type)),
          }),
          ...OPERATIONS[type.kind].map((kind) =>
            fc.record({ kind: fc.constant(kind), value: inputsOf(type) }),
          ),
        );
        const n = anyValue(type);
        const other = bench.another(n);
        fc.assert(
          fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
            const model = new Model(type);
            n.value = model.value as never;
            for (const [i, step] of operations.entries()) {
              const one = i % 2 === 0 ? n : other;
              const before = model.value;
              const operand = step.value as never;
              if (step.kind === 'store') {
                one.value = operand;
                model.store(operand);
              } else if (step.kind === 'exchange') {
                expect(one.exchange(operand)).toBe(before);
                model.store(operand);
              } else if (step.kind === 'update') {
                expect(
                  one.update((seen) => {
                    expect(seen).toBe(before);
                    return operand;
                  }),
                ).toBe(before);
                model.store(operand);
              } else if (step.kind === 'compareExchange') {
                const expected = step.expected ?? before;
                expect(one.compareExchange(expected as never, operand)).toBe(before);
                const asStored = type.fromElement(type.toElement(expected, 'it'));
                if (Object.is(asStored, before)) model.store(operand);
              } else {
                expect(one[step.kind](operand)).toBe(before);
                model.calculate(step.kind, operand);
              }
              expect(n.value).toBe(model.value);
              expect(other.value).toBe(model.value);
            }
          }),
          { numRuns: 60 },
        );
      },
    );

    it.each(TYPES.map((type) => [type.name, type] as const))(
      '%s: operations that it does not have are a typed error',
      (_, type) => {
        const n = anyValue(type);
        const operand = n.value as never;
        for (const operation of CALCULATIONS) {
          if (OPERATIONS[type.kind].some((has) => has === operation)) continue;
          expect(thrownBy(() => n[operation](operand))).toMatchObject({
            code: 'ERR_UNSUPPORTED',
            message: expect.stringContaining(`'${operation}'`) as string,
          });
        }
      },
    );

    it.each([
      ['int32', 1.5],
      ['int32', NaN],
      ['int32', '3'],
      ['int32', 3n],
      ['int64', 1.5],
      ['int64', 2 ** 53],
      ['float64', 1n],
      ['float64', null],
      ['bool', 1],
      ['char', 'ab'],
      ['char', 65],
    ] as const)('refuses, of type %s, %s', (type, bad) => {
      const n = bench.keep(new Values(type)) as unknown as Value<unknown>;
      const { value } = n;
      const calls = [
        () => (n.value = bad as never),
        () => n.exchange(bad as never),
        () => n.compareExchange(bad as never, value as never),
        () => n.compareExchange(value as never, bad as never),
        () => n.update(() => bad as never),
        () => new Values(type, bad as never),
      ];
      for (const call of calls) {
        expect(thrownBy(call)).toMatchObject({
          code: 'ERR_INVALID_ARG',
          message: expect.stringContaining(type) as string,
        });
      }
      expect(n.value).toBe(value);
    });

    it.each(rows(['int31', '', 'x', 3, null, undefined, {}, [], Symbol('int32')]))(
      'has no type %s',
      (_, type) => {
        expect(thrownBy(() => new Values(type as 'int32'))).toMatchObject({
          code: 'ERR_INVALID_ARG',
          message: expect.stringContaining('int32 (i)') as string,
        });
      },
    );

    it('takes the letters of ctypes', () => {
      const n = bench.keep(new Values('d', 1.5));
      expect(n.type).toBe('float64');
      expect(n.value).toBe(1.5);
    });

    it('is made by new, and every value is an instance', () => {
      expect(bench.keep(new Values('int32'))).toBeInstanceOf(Values);
      expect(bench.keep(new Values(Point))).toBeInstanceOf(Values);
      expect(() => (Values as unknown as (type: string) => unknown)('int32')).toThrow(
        coded('ERR_INVALID_ARG'),
      );
    });

    describe('that is a struct', () => {
      it('is read and written whole', () => {
        const p = bench.keep(Values.create(bench.name(), Point, { x: 1, y: 2, id: 7 }));
        const same = bench.another(p);
        expect(same.value).toEqual({ x: 1, y: 2, id: 7 });
        expect(same.value.x).toBe(1);
        p.value = { x: 3, y: 4, id: 8 };
        expect(same.value).toEqual({ x: 3, y: 4, id: 8 });
        expect(inspect(same)).toContain('x: 3');
      });

      it('gives copies', () => {
        const p = bench.keep(new Values(Point));
        const copy = p.value;
        copy.x = 9;
        expect(p.value).toEqual({ x: 0, y: 0, id: 0 });
      });

      it('is updated in one step, and exchanged', () => {
        const p = bench.keep(new Values(Point, { x: 1, y: 2, id: 7 }));
        expect(p.update(({ x, ...rest }) => ({ ...rest, x: x + 1 }))).toEqual({
          x: 1,
          y: 2,
          id: 7,
        });
        expect(p.exchange({ x: 0, y: 0, id: 0 })).toEqual({ x: 2, y: 2, id: 7 });
        expect(p.value.id).toBe(0);
      });

      it('calls the function of an update again if somebody else was faster', () => {
        const p = bench.keep(new Values(Point));
        const other = bench.another(p);
        const seen: number[] = [];
        p.update((value) => {
          seen.push(value.x);
          if (seen.length === 1) other.value = { x: 5, y: 0, id: 0 };
          return { ...value, id: 1 };
        });
        expect(seen).toEqual([0, 5]);
        expect(p.value).toEqual({ x: 5, y: 0, id: 1 });
      });

      it('refuses what the struct does not take, and stays what it was', () => {
        const p = bench.keep(new Values(Point, { x: 1, y: 2, id: 7 }));
        for (const bad of [null, 3, {}, { x: 1, y: 2 }, { x: 1, y: '2', id: 3 }]) {
          expect(() => (p.value = bad as never)).toThrow(coded('ERR_INVALID_ARG'));
          expect(() => p.update(() => bad as never)).toThrow(coded('ERR_INVALID_ARG'));
        }
        expect(() => p.update(3 as never)).toThrow(coded('ERR_INVALID_ARG'));
        expect(p.value).toEqual({ x: 1, y: 2, id: 7 });
      });

      it('has no arithmetic', () => {
        const p = bench.keep(new Values(Point));
        for (const operation of [...CALCULATIONS, 'compareExchange'] as const) {
          expect(() => (p[operation] as (value: unknown) => unknown)(p.value)).toThrow(
            coded('ERR_UNSUPPORTED'),
          );
        }
      });

      it.runIf(subject.backend.capabilities.views)(
        'has a view, which writes fields in place',
        () => {
          const p = bench.keep(new Values(Point, { x: 1, y: 2, id: 7 }));
          p.view.x = 9;
          expect(p.value).toEqual({ x: 9, y: 2, id: 7 });
          p.value = { x: 1, y: 1, id: 1 };
          expect(p.view.id).toBe(1);
        },
      );

      it.runIf(!subject.backend.capabilities.views)('has no view where there can be none', () => {
        const p = bench.keep(new Values(Point));
        expect(() => p.view).toThrow(coded('ERR_UNSUPPORTED'));
      });
    });

    it('has a view only if it is a struct', () => {
      const n = bench.keep(new Values('int32'));
      expect(() => n.view).toThrow(coded('ERR_UNSUPPORTED'));
    });

    it('calls the function of an update again if somebody else was faster', () => {
      const n = bench.keep(new Values('int32', 1));
      const other = bench.another(n);
      const seen: number[] = [];
      expect(
        n.update((value) => {
          seen.push(value);
          if (seen.length < 3) other.add(1);
          return value * 10;
        }),
      ).toBe(3);
      expect(seen).toEqual([1, 2, 3]);
      expect(n.value).toBe(30);
    });

    it('is ERR_CLOSED if the function of an update, or a predicate, closes it', async () => {
      for (const type of ['int32', 'float64', 'bool'] as const) {
        const n = new Values(type) as unknown as Value<unknown>;
        const closing = () =>
          n.update((value) => {
            n.close();
            return value as never;
          });
        expect(closing).toThrow(coded('ERR_CLOSED'));
        const other = new Values(type) as unknown as Value<unknown>;
        const waiting = other.waitFor(() => false);
        const closer = other.waitFor(() => other.close());
        await expect(closer).rejects.toThrow(coded('ERR_CLOSED'));
        await expect(waiting).rejects.toThrow(coded('ERR_CLOSED'));
      }
    });

    it('is as it was if the function of an update throws', () => {
      const n = bench.keep(new Values('int32', 1));
      const failure = new Error('no');
      const call = () =>
        n.update(() => {
          throw failure;
        });
      expect(thrownBy(call)).toBe(failure);
      expect(n.value).toBe(1);
    });

    describe('waiting', () => {
      it('ends at once if it is so already', async () => {
        const n = bench.keep(new Values('int32', 5));
        expect(await n.waitFor((v) => v === 5)).toBe(5);
        expect(n.waitForSync((v) => v === 5, { timeoutMs: 0 })).toBe(5);
      });

      it.each([
        ['add', (n: Value<number>) => n.add(1)],
        ['exchange', (n: Value<number>) => n.exchange(1)],
        ['compareExchange', (n: Value<number>) => n.compareExchange(0, 1)],
        ['update', (n: Value<number>) => n.update((v) => v + 1)],
        ['or', (n: Value<number>) => n.or(1)],
      ] as const)('is ended by %s of another handle, and of its own', async (_, change) => {
        for (const isOwn of [true, false]) {
          const n = bench.keep(new Values('int32'));
          const other = isOwn ? n : bench.another(n);
          const waiting = n.waitFor((v) => v === 1);
          expect(await stateOf(waiting)).toBe('pending');
          change(other);
          expect(await waiting).toBe(1);
        }
      });

      it('is ended by add of floats and by exchange of structs', async () => {
        const d = bench.keep(new Values('float64'));
        const waiting = d.waitFor((v) => v === 0.5);
        expect(await stateOf(waiting)).toBe('pending');
        d.add(0.5);
        expect(await waiting).toBe(0.5);
        const p = bench.keep(new Values(Point));
        const moved = p.waitFor(({ id }) => id === 3);
        expect(await stateOf(moved)).toBe('pending');
        p.exchange({ x: 0, y: 0, id: 3 });
        expect(await moved).toEqual({ x: 0, y: 0, id: 3 });
      });

      it('does not look while nothing changes', async () => {
        const n = bench.keep(new Values('int32'));
        let looks = 0;
        const waiting = n.waitFor((v) => {
          looks++;
          return v > 0;
        });
        await sleep(300);
        // A few at its start, and the slow looks.
        expect(looks).toBeLessThan(20);
        n.add(1);
        await waiting;
      });

      it('is ended by notify after a plain store', async () => {
        const n = bench.keep(new Values('int32'));
        const waiting = n.waitFor((v) => v === 1);
        n.value = 1;
        n.notify();
        expect(await waiting).toBe(1);
      });

      it('of several, each by what it wants', async () => {
        const n = bench.keep(new Values('int32'));
        const settled: number[] = [];
        const waits = [3, 1, 2].map((wanted) =>
          n.waitFor((v) => v >= wanted).then(() => settled.push(wanted)),
        );
        for (let i = 1; i <= 3; i++) {
          n.add(1);
          await expect.poll(() => settled.length).toBe(i);
        }
        await Promise.all(waits);
        expect(settled).toEqual([1, 2, 3]);
      });

      it('times out, and says what did not happen', async () => {
        const n = bench.keep(new Values('int32'));
        const began = performance.now();
        await expect(n.waitFor((v) => v > 0, { timeoutMs: 20 })).rejects.toMatchObject({
          code: 'ERR_TIMEOUT',
          message: expect.stringContaining(n.name) as string,
        });
        expect(() => n.waitForSync((v) => v > 0, { timeoutMs: 70 })).toThrow(coded('ERR_TIMEOUT'));
        expect(performance.now() - began).toBeGreaterThanOrEqual(90);
        await expect(n.waitFor((v) => v > 0, { timeoutMs: 0 })).rejects.toThrow(
          coded('ERR_TIMEOUT'),
        );
      });

      it('is aborted by its signal alone', async () => {
        const n = bench.keep(new Values('int32'));
        const controller = new AbortController();
        const aborted = n.waitFor((v) => v > 0, { signal: controller.signal });
        const other = n.waitFor((v) => v > 0);
        controller.abort(new Error('enough'));
        await expect(aborted).rejects.toThrow('enough');
        await expect(n.waitFor((v) => v > 0, { signal: controller.signal })).rejects.toThrow(
          'enough',
        );
        n.add(1);
        expect(await other).toBe(1);
      });

      it('is aborted by a signal that its own predicate aborts', async () => {
        const n = bench.keep(new Values('int32'));
        const controller = new AbortController();
        const { signal } = controller;
        const aborting = n.waitFor(() => controller.abort(new Error('enough')), { signal });
        await expect(aborting).rejects.toThrow('enough');
      });

      it('rejects with what the predicate throws, and others go on', async () => {
        const n = bench.keep(new Values('int32'));
        const failing = n.waitFor((v) => {
          if (v > 0) throw new Error('my own');
          return false;
        });
        const other = n.waitFor((v) => v > 0);
        n.add(1);
        await expect(failing).rejects.toThrow('my own');
        expect(await other).toBe(1);
      });

      it('refuses what is no predicate', async () => {
        const n = bench.keep(new Values('int32'));
        await expect(n.waitFor(3 as never)).rejects.toThrow(coded('ERR_INVALID_ARG'));
        expect(() => n.waitForSync(undefined as never)).toThrow(coded('ERR_INVALID_ARG'));
      });

      it('rejects when the handle closes', async () => {
        const n = bench.keep(new Values('int32'));
        const waiting = n.waitFor((v) => v > 0);
        expect(await stateOf(waiting)).toBe('pending');
        n.close();
        await expect(waiting).rejects.toThrow(coded('ERR_CLOSED'));
        await expect(n.waitFor((v) => v > 0)).rejects.toThrow(coded('ERR_CLOSED'));
      });

      it('survives a predicate that changes the value itself', async () => {
        const n = bench.keep(new Values('int32'));
        expect(
          await n.waitFor((v) => {
            n.add(1);
            return v >= 500;
          }),
        ).toBeGreaterThanOrEqual(500);
      });

      it('lets pending waits look while a blocking one blocks', async () => {
        const n = bench.keep(new Values('int32'));
        let looks = 0;
        const pending = n.waitFor((v) => {
          looks++;
          return v > 0;
        });
        expect(() => n.waitForSync((v) => v > 0, { timeoutMs: 120 })).toThrow(coded('ERR_TIMEOUT'));
        expect(looks).toBeGreaterThan(1);
        n.add(1);
        expect(await pending).toBe(1);
      });

      it.runIf(subject.backend.capabilities.betweenProcesses)(
        'sees a plain store that nobody told of within its slow looks',
        async () => {
          const n = bench.keep(new Values('int32'));
          const waiting = n.waitFor((v) => v === 1);
          await sleep(20);
          n.value = 1;
          expect(await waiting).toBe(1);
        },
      );
    });

    describe('by name', () => {
      it('is found as it was made', async () => {
        const name = bench.name();
        expect(() => Values.open(name)).toThrow(coded('ERR_NOT_FOUND'));
        const waiting = Values.openWhenAvailable<bigint>(name, { timeoutMs: 60_000 });
        const n = bench.keep(Values.create(name, 'q', 5n));
        const found = bench.keep(await waiting);
        expect(found.type).toBe('int64');
        expect(found.add(1n)).toBe(5n);
        expect(bench.keep(Values.openOrCreate(name, 'int64', 99n)).value).toBe(6n);
        expect(() => Values.create(name, 'int64')).toThrow(coded('ERR_EXISTS'));
        n.unlink();
        expect(() => Values.open(name)).toThrow(coded('ERR_NOT_FOUND'));
      });

      it('disagrees with another type, struct or option', () => {
        const n = bench.keep(Values.create(bench.name(), 'int32'));
        const p = bench.keep(Values.create(bench.name(), Point));
        const Other = Struct({ x: 'float64', y: 'float64', id: 'int32' });
        for (const open of [
          () => Values.open(n.name, { type: 'uint32' }),
          () => Values.openOrCreate(n.name, 'int64'),
          () => Values.open(n.name, { type: Point }),
          () => Values.open(p.name, { type: Other }),
          () => Values.open(p.name, { type: 'float64' }),
          () => Values.open(n.name, { maxParticipants: 3 }),
          () => Values.open(n.name, { persist: true }),
        ]) {
          expect(open).toThrow(coded('ERR_MISMATCH'));
        }
        expect(() => bench.SharedArray.open(n.name)).toThrow(coded('ERR_KIND'));
        expect(() => Queue.open(n.name)).toThrow(coded('ERR_KIND'));
      });

      it.each(rows(['', 'a/b', '.', 'x'.repeat(201), 3, undefined]))(
        'is not called %s',
        (_, name) => {
          expect(() => Values.create(name as string, 'int32')).toThrow(coded('ERR_INVALID_ARG'));
          expect(() => Values.open(name as string)).toThrow(coded('ERR_INVALID_ARG'));
        },
      );

      it('stays if it is to persist, with its value', () => {
        const name = bench.name();
        Values.create(name, 'int32', 7, { persist: true }).close();
        const n = bench.keep(Values.open(name));
        expect(n.value).toBe(7);
        n.unlink();
      });

      it.runIf(subject.backend.capabilities.betweenProcesses)(
        'takes as many participants as it was made for',
        () => {
          const n = bench.keep(Values.create(bench.name(), 'int32', 0, { maxParticipants: 2 }));
          bench.another(n);
          expect(() => Values.open(n.name)).toThrow(coded('ERR_NO_SLOT'));
        },
      );

      it('is listed', () => {
        const p = bench.keep(Values.create(bench.name(), Point));
        expect(subject.backend.registry.list()).toEqual([
          expect.objectContaining({ name: p.name, kind: 'value', size: Point.byteLength }),
        ]);
      });
    });

    it('travels, and lives as long as it is on its way', () => {
      const q = bench.keep(
        new Queue<{ n: Value<number>; p: Value<{ x: number; y: number; id: number }> }>(),
      );
      const n = new Values('int32', 41);
      const p = new Values(Point, { x: 1, y: 2, id: 3 });
      q.putNowait({ n, p });
      n.close();
      p.close();
      const arrived = q.getNowait();
      bench.keep(arrived.n);
      bench.keep(arrived.p);
      expect(arrived.n.add(1)).toBe(41);
      expect(arrived.n).toBeInstanceOf(Values);
      expect(arrived.p.value.x).toBe(1);
    });

    it('is ERR_CLOSED once it is closed', () => {
      for (const n of [new Values('int32'), new Values(Point)] as unknown as Value<number>[]) {
        n.close();
        n.close();
        const calls = [
          () => n.value,
          () => (n.value = 1),
          () => n.add(1),
          () => n.compareExchange(0, 1),
          () => n.exchange(1),
          () => n.update((v) => v),
          () => n.waitForSync(() => true),
          () => n.notify(),
          () => n.unlink(),
          () => n.ref(),
        ];
        for (const call of calls) expect(call).toThrow(coded('ERR_CLOSED'));
        expect(inspect(n)).toContain('closed: true');
      }
    });

    it('has no options that nobody knows', () => {
      expect(() => new Values('int32', 0, { typ: 'int32' } as object)).toThrow(
        coded('ERR_INVALID_ARG'),
      );
      expect(() => new Values('int32', 0, 3 as never)).toThrow(coded('ERR_INVALID_ARG'));
      expect(() => Values.open(bench.name(), { timeoutMs: 3 } as object)).toThrow(
        coded('ERR_INVALID_ARG'),
      );
      expect(() => new Values('int32', 0, { persist: true })).toThrow(coded('ERR_INVALID_ARG'));
    });
  });
}
