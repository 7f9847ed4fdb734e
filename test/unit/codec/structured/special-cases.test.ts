import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

import { structuredCodec } from '../../../../src/codec/structured.js';
import { pass } from '../passage.js';
import { difference } from './difference.js';

const carry = <T>(value: T) => pass<unknown>(structuredCodec, value) as T;
const define = (object: object, key: PropertyKey, descriptor: PropertyDescriptor) =>
  Object.defineProperty(object, key, descriptor);

class Person {
  #secret = 1;
  name = 'Ada';
  get secret() {
    return this.#secret;
  }
}

const shape = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]));

describe("codec 'structured' carries as structuredClone does", () => {
  it.each<[string, unknown]>([
    [
      'numbers',
      [0, -0, 1, 127, 128, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 1.5, NaN, -Infinity, 2 ** 53],
    ],
    ['bigints', [0n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 7n ** 999n]],
    [
      'texts',
      [
        '',
        'a',
        '\0',
        'ÿ'.repeat(20),
        '\ud800',
        'x\udc00y',
        '€'.repeat(99),
        'a'.repeat(63),
        'a'.repeat(64),
        'é'.repeat(5000),
      ],
    ],
    ['undefined members', { a: undefined, b: null }],
    ['own __proto__', JSON.parse('{"__proto__": {"polluted": 1}, "a": 1}')],
    ['keys in their order', { b: 1, 2: 1, a: 1, 1: 1, '-1': 1, '01': 1 }],
    ['keys of Object.prototype', { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: 4 }],
    ['64 and more keys', [shape(63), shape(64), shape(65), shape(500)]],
    [
      'keys for which there is no block',
      [{ ['k'.repeat(128)]: 1 }, { ['€'.repeat(127)]: 1, ['ü'.repeat(127)]: 2 }],
    ],
    [
      'symbols as keys, which do not travel',
      { [Symbol.toStringTag]: 'Map', [Symbol('s')]: 1, a: 1 },
    ],
    ['properties that are not enumerable', define({ a: 1 }, 'hidden', { value: 1 })],
    ['an instance', new Person()],
    ['an instance without properties', new (class Empty {})()],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    [
      'objects of another realm',
      runInContext('({ a: [1, new Map([[1, new Date(5)]]), /x/g] })', createContext()),
    ],
    ['Math', Math],
    // oxlint-disable-next-line no-sparse-arrays
    ['holes', [1, , undefined, , 3, ,]],
    ['empty arrays', [[], [[]], Array.from({ length: 3 })]],
    [
      'arrays of holes',
      [1, 500, 1024, 1025, 1e6, 2 ** 32 - 1].map((length) =>
        define([], 'length', { value: length }),
      ),
    ],
    ['a sparse array', Object.assign([], { 3: 'a', 4_000_000_000: 'b', own: 'c' })],
    [
      'a long array, half of it there',
      Object.assign(Array.from({ length: 1100 }), { length: 2100 }),
    ],
    [
      'other properties of arrays',
      Object.assign([1, 2], { '-1': 'a', own: 'b', '1.5': 'c', 4294967295: 'd' }),
    ],
    ['a match', /(?<first>.)(.)/d.exec('abc')],
    ['elements that are not enumerable', define([1, 2, 3], 1, { value: 9, enumerable: false })],
    [
      'subclasses of built-ins',
      [
        Reflect.construct(class A extends Array {}, [3]),
        Reflect.construct(class M extends Map {}, [[[1, 2]]]),
        Reflect.construct(class S extends Set {}, [[1]]),
        new (class D extends Date {})(5),
        new (class U extends Uint16Array {})([1, 2]),
      ],
    ],
    [
      'built-ins that deny what they are',
      [new Map([[1, 2]]), new Date(7), Uint8Array.of(1), Object('text'), new Error('x')].map(
        (object) => Object.setPrototypeOf(object, Object.prototype) as object,
      ),
    ],
    [
      'objects that only look like built-ins',
      [Map, Date, RegExp, Uint8Array, Error, Promise, Array].map(
        ({ prototype }) => Object.create(prototype as object) as object,
      ),
    ],
    [
      'own properties of built-ins, which do not travel',
      [new Map(), new Date(1), /x/, new Uint8Array(2), Object(1)].map((object) =>
        Object.assign(object as object, { own: 1 }),
      ),
    ],
    ['dates', [new Date(0), new Date(NaN), new Date(-1e15), new Date(8.64e15)]],
    [
      'regular expressions',
      [
        /a\/b\n"/dgimsuy,
        /(?:)/,
        new RegExp('[\\p{L}--[a-z]]', 'v'),
        define(/x/g, 'source', { value: 'y' }),
      ],
    ],
    [
      'boxed primitives',
      [
        Object(1),
        Object(-0),
        Object(NaN),
        Object('s'),
        Object(''),
        Object(5n),
        Object(true),
        Object(false),
      ],
    ],
    [
      'nested maps and sets',
      new Map<unknown, unknown>([
        [{ a: 1 }, new Set([[1], new Map()])],
        [NaN, -0],
      ]),
    ],
    [
      'errors',
      [
        new Error('a'),
        new TypeError('b', { cause: { c: [1] } }),
        new AggregateError([1], 'c'),
        new RangeError(),
      ],
    ],
    [
      'errors that were renamed',
      [
        Object.assign(new Error('a'), { name: 'RangeError' }),
        Object.assign(new TypeError('a'), { name: 'Own', code: 'E' }),
        Object.assign(new Error('a'), { name: 7 }),
      ],
    ],
    [
      'errors without a message or a stack',
      [
        new Error(),
        define(new Error('x'), 'stack', { value: 5 }),
        define(new Error('x'), 'message', { value: 5 }),
        define(new Error('x'), 'message', { get: () => 'y' }),
        define(new Error('x', { cause: 1 }), 'cause', { get: () => 2 }),
        define(new Error('x'), 'cause', { value: undefined }),
      ],
    ],
    [
      'getters',
      {
        a: 1,
        get b() {
          return { c: 2 };
        },
        d: [
          {
            get e() {
              return 3;
            },
          },
        ],
      },
    ],
    [
      'empty buffers and views',
      [new ArrayBuffer(0), new Uint8Array(), new DataView(new ArrayBuffer(0)), new Float64Array()],
    ],
    ['a whole Uint8Array', Uint8Array.of(1, 2, 3)],
    ['a Uint8Array that is a part', new Uint8Array(new ArrayBuffer(300), 8, 100)],
  ])('%s', (_, value) => {
    const clone = structuredClone(value);
    expect(difference(carry(value), clone)).toBeUndefined();
    // Next to others, and again when its keys are known; with numbered objects, too.
    expect(difference(carry({ a: value, b: 1 }), { a: clone, b: 1 })).toBeUndefined();
    const shared = [value, value];
    expect(difference(carry(shared), structuredClone(shared))).toBeUndefined();
  });

  it('texts alone, whether they fit into the outbox or not', () => {
    for (const text of ['', 'a', 'é'.repeat(2000), '\ud800€'.repeat(700)]) {
      expect(carry(text)).toBe(text);
    }
  });

  it.each([
    ['narrow', (code: number) => code % 256],
    ['wide', (code: number) => 0x0391 + (code % 24)],
    ['mixed', (code: number) => (code % 1000 === 0 ? 0xd83d : code % 256)],
  ])('texts of every length, first in a message and after others: %s', (_, codeOf) => {
    let code = 0;
    const texts = Array.from({ length: 300 }, (__, length) =>
      Array.from({ length }, () => String.fromCharCode(codeOf(code++))).join(''),
    );
    for (const text of texts) {
      expect(carry([text])).toEqual([text]);
      expect(carry(['', 'a', text, 'b'])).toEqual(['', 'a', text, 'b']);
      expect(carry({ [text]: [text, { a: text }], b: new Map([[text, text]]) })).toEqual({
        [text]: [text, { a: text }],
        b: new Map([[text, text]]),
      });
    }
    for (const all of [texts, texts.toReversed(), [...texts, texts, Uint8Array.of(1, 2)]]) {
      expect(carry(all)).toEqual(all);
    }
  });

  it('a character of two bytes wherever it stands in a text', () => {
    for (let length = 1; length <= 24; length++) {
      for (let place = 0; place < length; place++) {
        const text = `${'a'.repeat(place)}€${'b'.repeat(length - place - 1)}`;
        expect(carry([text, place])).toEqual([text, place]);
      }
    }
  });

  it('more booleans than there was memory for', () => {
    const value = Array.from({ length: 30_000 }, (_, i) => i % 3 === 0);
    expect(carry(value)).toEqual(value);
  });

  it('no text of a message that was refused', () => {
    const text = 'a text that is longer than others';
    expect(() => carry([text, () => text])).toThrow('function');
    expect(carry([1])).toEqual([1]);
    expect(carry([`${text}!`])).toEqual([`${text}!`]);
  });

  it('objects of the same keys, however often', () => {
    for (let i = 0; i < 1000; i++) {
      const value = { id: i, text: `${i}`, nested: { id: -i }, ['__proto__']: i };
      expect(difference(carry(value), structuredClone(value))).toBeUndefined();
    }
  });

  it('objects of the same keys after anything else', () => {
    const record = { id: 1, text: 'a' };
    const others = [
      record,
      { id: 1 },
      { id: 1, text: 'a', more: 2 },
      { text: 'a', id: 1 },
      { id: record, text: [record, {}] },
      {},
      [record],
      7,
      300,
      0.5,
      null,
      2n ** 90n,
      new Map([[record, record]]),
      Uint8Array.of(10, 10, 10),
      [Uint8Array.of(10)],
      'a'.repeat(2 ** 20),
      ['a'.repeat(2 ** 21)],
      shape(64),
      shape(65),
    ];
    for (const other of others) {
      expect(carry(record)).toEqual(record);
      expect(difference(carry(other), structuredClone(other))).toBeUndefined();
      expect(carry(record)).toEqual(record);
      expect(() => carry({ id: 1, text: () => 'a function' })).toThrow('function');
      expect(difference(carry(other), structuredClone(other))).toBeUndefined();
      expect(() => carry([() => 'a function'])).toThrow('function');
    }
  });

  it('objects of ever other keys', () => {
    for (let i = 0; i < 5000; i++) {
      const value = { [`k${i}`]: i, [`l${i}`]: { [`m${i}`]: i } };
      expect(carry(value)).toEqual(value);
    }
  });

  it('any number of objects, each of them twice', () => {
    for (const length of [1, 6, 7, 8, 9, 20, 93, 94, 95, 96, 97, 98, 200]) {
      const objects = Array.from({ length }, (_, i) => ({ i }));
      const value = [...objects, ...objects.toReversed()];
      expect(difference(carry(value), structuredClone(value))).toBeUndefined();
    }
  });

  it('more shapes than a message can name by 16 bits', () => {
    const value = Array.from({ length: 66_000 }, (_, i) => ({ [`k${i}`]: 1 }));
    value.push({ ...value[3] }, { ...value[65_999] });
    expect(carry(value)).toEqual(value);
  });

  it('cycles', () => {
    const cycle: Record<string, unknown> = { list: [], map: new Map(), set: new Set() };
    (cycle['list'] as unknown[]).push(cycle);
    (cycle['map'] as Map<unknown, unknown>).set(cycle, cycle['set']);
    (cycle['set'] as Set<unknown>).add(cycle['list']);
    expect(difference(carry(cycle), structuredClone(cycle))).toBeUndefined();
  });

  it('an object whose getters change it', () => {
    const changing = () => {
      const object = {
        get a() {
          delete (object as { b?: number }).b;
          Object.assign(object, { z: 1 });
          Object.defineProperty(object, 'c', { enumerable: false });
          return 1;
        },
        b: 2,
        c: 3,
        d: 4,
      };
      return object;
    };
    expect(difference(carry(changing()), structuredClone(changing()))).toBeUndefined();
    expect(carry(changing())).toEqual({ a: 1, c: 3, d: 4 });
  });

  it('an array whose getters shorten it', () => {
    const changing = () => {
      const array: unknown[] = [
        {
          get a() {
            array.length = 2;
            return 1;
          },
        },
        1,
        2,
        3,
      ];
      return array;
    };
    expect(difference(carry(changing()), structuredClone(changing()))).toBeUndefined();
  });
});

describe("codec 'structured' carries other than structuredClone", () => {
  it('an error whose cause refers to it, which structuredClone fails at', () => {
    const error = new Error('outer');
    error.cause = { error };
    const copy = carry(error) as Error & { cause: { error: unknown } };
    expect(copy.cause.error).toBe(copy);
  });

  it('a Buffer as a Buffer, with its own bytes', () => {
    const buffer = Buffer.from('text');
    const [copy, again, slice] = carry([buffer, buffer, buffer.subarray(1)]);
    expect(Buffer.isBuffer(copy)).toBe(true);
    expect(copy?.toString()).toBe('text');
    expect(again).toBe(copy);
    expect(slice?.toString()).toBe('ext');
    expect(structuredCodec.encode(buffer, new Uint8Array(64))).toBeLessThan(16);
    expect(Buffer.isBuffer(carry(buffer))).toBe(true);
  });

  it('of a large buffer only the part that its views show', () => {
    const large = new ArrayBuffer(1e6);
    new Uint8Array(large).forEach((_, i, bytes) => (bytes[i] = i));
    const views = [
      new Float64Array(large, 4000, 3),
      new Uint8Array(large, 4003, 30),
      new DataView(large, 4040),
    ];
    const [floats, bytes] = carry(views.slice(0, 2)) as [Float64Array, Uint8Array];
    expect(floats.buffer).toBe(bytes.buffer);
    expect([floats.byteOffset, bytes.byteOffset, floats.buffer.byteLength]).toEqual([0, 3, 33]);
    expect(bytes).toEqual(views[1]);
    expect(floats).toEqual(views[0]);
    // A buffer that is in the message itself travels whole, and so does one of which little is not seen.
    for (const whole of [
      [new DataView(large, 900), ...views],
      [...views.slice(0, 2), large],
      [new Uint8Array(large, 1000)],
    ]) {
      expect(difference(carry(whole), structuredClone(whole))).toBeUndefined();
    }
  });

  it('views that do not start at a multiple of eight', () => {
    const large = new ArrayBuffer(100_000);
    for (const View of [Int16Array, Int32Array, Float32Array]) {
      const view = new View(large, 50_004, 5).fill(7);
      expect(carry(view)).toEqual(view);
      expect(carry([view, new Uint8Array(large, 50_001, 2)])[0]).toEqual(view);
    }
  });
});
