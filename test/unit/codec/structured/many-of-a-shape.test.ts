import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { structuredCodec } from '../../../../src/codec/structured.js';
import { COMPILE_AFTER } from '../../../../src/codec/structured/generated-code.js';
import { pass } from '../passage.js';
import { anyValue } from './any-value.js';
import { difference } from './difference.js';

const carry = (value: unknown, outboxBytes = 1024) =>
  pass<unknown>(structuredCodec, value, outboxBytes);

function expectFaithful(create: () => unknown): void {
  expect(difference(carry(create()), structuredClone(create()))).toBeUndefined();
}

/** Sends objects like this one until there is code for their shape. */
function sendMany(object: object): void {
  for (let i = 0; i <= COMPILE_AFTER; i++) carry(object);
}

type Entries = ReadonlyArray<readonly [key: string, value: unknown]>;

/** Defines what assignment would take for something else, `__proto__`. */
function objectOf(entries: Entries): object {
  return Object.defineProperties(
    {},
    Object.fromEntries(
      entries.map(([key, value]) => [
        key,
        { value, enumerable: true, writable: true, configurable: true },
      ]),
    ),
  );
}

const keys = fc.uniqueArray(
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom('a', 'b', "'", '"', '\\', '\n', '\u2028', '\ud800', '${a}', 'value', 'key'),
    fc.constantFrom('toString', 'constructor', 'out', '0', '7'),
  ),
  { minLength: 1, maxLength: 6 },
);
/** Of each type that a writer expects, and of others. */
const samples = fc.constantFrom<unknown>('text', 1, 0.5, true, null, { a: 1 }, undefined, 1n);

describe("codec 'structured' after many objects of a shape", () => {
  it('gives what structuredClone gives, whatever is in the next ones', () => {
    const cases = keys.chain((names) =>
      fc.tuple(
        fc.constant(names),
        fc.array(samples, { minLength: names.length, maxLength: names.length }),
        fc.array(
          fc.array(fc.oneof(samples, anyValue), {
            minLength: names.length,
            maxLength: names.length,
          }),
          { minLength: 1, maxLength: 8 },
        ),
        fc.constantFrom(0, 64, 4096),
      ),
    );
    fc.assert(
      fc.property(cases, ([names, first, next, outboxBytes]) => {
        const withValues = (values: readonly unknown[]) =>
          objectOf(names.map((name, i) => [name, values[i]]));
        sendMany(withValues(first));
        for (const values of next) {
          const object = withValues(values);
          const value = [object, { object }, withValues(first)];
          expect(difference(carry(value, outboxBytes), structuredClone(value))).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('runs each getter once, and none to know its type', () => {
    let runs = 0;
    const counting = {
      get counted() {
        return runs++;
      },
      list: [1],
    };
    sendMany(counting);
    expect(runs).toBe(COMPILE_AFTER + 1);
    expect(carry(counting)).toEqual({ counted: COMPILE_AFTER + 1, list: [1] });
  });

  it('leaves out what a getter of the object has deleted', () => {
    const create = (isChanging: boolean) => {
      const object = {
        get first() {
          if (isChanging) {
            delete (object as { second?: number }).second;
            Object.assign(object, { another: 1 });
          }
          return 'x';
        },
        second: 2,
        third: undefined,
        fourth: { second: 3 },
      };
      return object;
    };
    sendMany(create(false));
    expect(carry(create(true))).toEqual({ first: 'x', third: undefined, fourth: { second: 3 } });
    expectFaithful(() => create(true));
  });

  it('does not take what Object.prototype has for what was deleted', () => {
    const create = (isChanging: boolean) => {
      const object = {
        get early() {
          if (isChanging) delete (object as { toString?: unknown }).toString;
          return 1;
        },
        toString: 'own',
      };
      return object;
    };
    sendMany(create(false));
    expectFaithful(() => create(true));
  });

  it('tells where in them a value is that it refuses, and where a getter has failed', () => {
    sendMany({ inner: { fine: 1, wrong: 1 } });
    expect(() => carry({ inner: { fine: 1, wrong: () => 1 } })).toThrow('at value.inner.wrong:');
    const failing = {
      inner: {
        fine: 1,
        get wrong(): never {
          throw new RangeError('not today');
        },
      },
    };
    expect(() => carry(failing)).toThrow('at value.inner.wrong: not today');
    expect(carry({ inner: { fine: 1, wrong: 2 } })).toEqual({ inner: { fine: 1, wrong: 2 } });
  });

  it('keeps what grows beyond the memory of the encoder', () => {
    const create = (count: number) => ({
      list: Array.from({ length: count }, (_, i) => ({
        name: `n${i}`,
        isIt: i % 2 === 0,
        at: i / 3,
      })),
      after: 'text',
    });
    sendMany(create(3));
    expectFaithful(() => create(5000));
  });
});
