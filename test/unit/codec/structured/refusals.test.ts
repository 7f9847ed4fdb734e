import { describe, expect, it } from 'vitest';
import { EventEmitter } from 'node:events';

import { InterprocError } from '../../../../src/errors.js';
import { structuredCodec } from '../../../../src/codec/structured.js';
import { thrownBy } from '../../thrown-by.js';
import { pass } from '../passage.js';

const refusal = (value: unknown) =>
  thrownBy(() => structuredCodec.encode(value, new Uint8Array(64))) as InterprocError;

const argumentsOf: (...values: unknown[]) => object = function () {
  // oxlint-disable-next-line prefer-rest-params
  return arguments;
};

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

describe("codec 'structured' refuses", () => {
  const cause = new Error('the getter has failed');
  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a method', { run() {} }],
    ['a class', class {}],
    ['a symbol', Symbol('s')],
    ['a boxed symbol', Object(Symbol('s'))],
    ['a proxy', new Proxy({}, {})],
    ['a proxy of an array', new Proxy([], {})],
    [
      'a revoked proxy',
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
    ],
    ['a promise', Promise.resolve()],
    ['a promise with properties', Object.assign(Promise.resolve(), { child: 1 })],
    ['a WeakMap', new WeakMap()],
    ['a WeakSet', new WeakSet()],
    ['a WeakRef', new WeakRef({})],
    ['a registry', new FinalizationRegistry(() => {})],
    ['arguments', argumentsOf(1, 2)],
    ['no arguments', argumentsOf()],
    ['a generator', (function* () {})()],
    ['an iterator', new Map().entries()],
    ['an iterator of an array', [1][Symbol.iterator]()],
    ['a locale', new Intl.NumberFormat()],
    ['shared memory', new SharedArrayBuffer(8)],
    ['a view of shared memory', new Uint8Array(new SharedArrayBuffer(8))],
    ['a Buffer of shared memory', Buffer.from(new SharedArrayBuffer(8))],
    ['a detached buffer', detached()],
    ['a port', new MessageChannel().port1],
    ['a blob', new Blob(['a'])],
    ['an event emitter with listeners', new EventEmitter().on('x', () => {})],
    [
      'an object that fails',
      {
        get value() {
          throw cause;
        },
      },
    ],
  ])('%s', (_, value) => {
    for (const within of [value, { value }, [value], new Map([[1, value]])]) {
      const error = refusal(within);
      expect(error).toBeInstanceOf(InterprocError);
      expect(error).toMatchObject({ name: 'InterprocError', code: 'ERR_ENCODE' });
      expect(error.cause).toBeInstanceOf(Error);
    }
  });

  it('a view of a detached buffer, and of one that has shrunk', () => {
    const buffer = new ArrayBuffer(8);
    const views = [new Uint8Array(buffer), new DataView(buffer), Buffer.from(buffer)];
    structuredClone(buffer, { transfer: [buffer] });
    const shrunk = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 8 }]) as ArrayBuffer;
    views.push(new Uint8Array(shrunk, 4, 4), new DataView(shrunk, 4, 4));
    (shrunk as unknown as { resize(to: number): void }).resize(6);
    for (const view of views) expect(refusal({ view }).code).toBe('ERR_ENCODE');
  });

  it('without running the traps of a proxy', () => {
    const traps = new Proxy({}, { get: () => expect.unreachable('a trap was asked for') });
    expect(refusal({ proxy: new Proxy({}, traps) }).code).toBe('ERR_ENCODE');
    // A prototype that is a proxy is nobody's business.
    expect(
      pass(
        structuredCodec,
        Object.create(new Proxy({}, traps), { a: { value: 1, enumerable: true } }),
      ),
    ).toEqual({ a: 1 });
  });

  const run = () => 1;
  it.each<[string, unknown]>([
    ['value', run],
    ['value.a[3].f', { a: [1, 2, 3, { f: run }] }],
    ['value["a b"]["0"]', { 'a b': { 0: run } }],
    [
      'value.values()[1].x',
      new Map<unknown, unknown>([
        ['a', 1],
        ['b', { x: run }],
      ]),
    ],
    ['value.keys()[0]', new Map([[run, 1]])],
    ['value.values()[2]', new Set([1, 2, run])],
    ['value.cause.f', new Error('x', { cause: { f: run } })],
    ['value[5]', Object.assign([], { 5: run })],
    ['value[70000]', Object.assign([], { 70_000: run })],
    ['value.own', Object.assign([1], { own: run })],
    ['value.f', Object.assign(Object.create(null) as object, { f: run })],
    [
      'value.f',
      Object.fromEntries([...Array.from({ length: 99 }, (_, i) => [`k${i}`, i]), ['f', run]]),
    ],
  ])('and says where: %s', (path, value) => {
    const { message } = refusal(value);
    expect(message).toContain(`[Function: run], at ${path}: functions`);
  });

  it('and says what a getter has thrown, and where', () => {
    const error = refusal({
      a: [
        {
          get b(): never {
            throw cause;
          },
        },
      ],
    });
    expect(error.cause).toBe(cause);
    expect(error.message).toContain('at value.a[0].b: the getter has failed');
  });

  it('what is nested too deep, and nothing after it', () => {
    const nested = (depth: number, around: (inner: unknown) => unknown) => {
      let value: unknown = 1;
      for (let i = 0; i < depth; i++) value = around(value);
      return value;
    };
    for (const around of [
      (inner: unknown) => ({ inner }),
      (inner: unknown) => [inner],
      (inner: unknown) => new Map([[inner, inner]]),
      (inner: unknown) => new Set([inner]),
      (inner: unknown) => new Error('x', { cause: inner }),
      (inner: unknown) => ({
        get inner() {
          return inner;
        },
      }),
    ]) {
      expect(refusal(nested(100_000, around)).message).toMatch(/nested more than 1000 deep/);
      expect(() => pass(structuredCodec, nested(1000, around))).not.toThrow();
    }
  });
});
