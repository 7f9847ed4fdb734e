import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';

import { jsonCodec } from '../../../../src/codec/json.js';
import { structuredCodec } from '../../../../src/codec/structured.js';
import { registerTravel } from '../../../../src/codec/structured/travel.js';
import { thrownBy } from '../../thrown-by.js';
import { decodeAt, pass } from '../passage.js';

/** As the caller of a queue, who knows what comes. */
const carry = <T>(value: unknown) => pass<unknown>(structuredCodec, value) as T;

describe("codec 'structured' while code of the caller's runs", () => {
  it('keeps a message whole whose getters put others', () => {
    const outbox = new Uint8Array(4096);
    const inner: unknown[] = [];
    const value = {
      before: 'x'.repeat(30),
      get meanwhile() {
        for (const codec of [structuredCodec, jsonCodec]) {
          const encoded = codec.encode({ inner: 'y'.repeat(100), before: [1] }, outbox) as number;
          inner.push(decodeAt(codec, outbox.slice(0, encoded)));
        }
        outbox.fill(0xff);
        return { before: 1 };
      },
      after: [{ before: 2 }],
    };
    const encoded = structuredCodec.encode(value, outbox) as number;
    expect(decodeAt(structuredCodec, outbox.slice(0, encoded))).toEqual({
      before: 'x'.repeat(30),
      meanwhile: { before: 1 },
      after: [{ before: 2 }],
    });
    expect(inner).toEqual(Array(2).fill({ inner: 'y'.repeat(100), before: [1] }));
  });

  it('is as good as new after a getter has failed, within another', () => {
    const failing = {
      a: 1,
      get b(): never {
        throw new Error('no');
      },
    };
    const value = {
      get a() {
        return String(thrownBy(() => structuredCodec.encode(failing, new Uint8Array(99))));
      },
      b: 1,
    };
    expect(carry<unknown>(value)).toMatchObject({
      a: expect.stringContaining('value.b') as string,
      b: 1,
    });
    expect(carry<unknown>([failing.a, value.b])).toEqual([1, 1]);
  });

  it('runs each getter once', () => {
    let runs = 0;
    const counting = {
      get a() {
        return runs++;
      },
      list: [
        {
          get a() {
            return runs++;
          },
        },
      ],
    };
    expect(carry<unknown>(counting)).toEqual({ a: 0, list: [{ a: 1 }] });
    expect(runs).toBe(2);
  });

  it('keeps nothing of a message alive or at hand', () => {
    const first = carry<{ a: object }>({ a: { b: 1 } });
    expect(carry<unknown>({ a: { b: 2 } })).toEqual({ a: { b: 2 } });
    expect(first).toEqual({ a: { b: 1 } });
  });

  it('works where code must not be made of strings', () => {
    const codec = new URL('../../../../dist/codec/structured.js', import.meta.url).href;
    const program = `
      const { structuredCodec: codec } = await import(${JSON.stringify(codec)});
      const outbox = new Uint8Array(1000);
      for (let i = 0; i < 1000; i++) {
        const length = codec.encode({ i, text: 'x' }, outbox);
        const { i: got, text } = codec.decode(outbox, 0, length);
        if (got !== i || text !== 'x') throw new Error('wrong');
      }
      console.log('right');`;
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', program];
    expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('right\n');
  });
});

/** Stands for a queue: it arrives as the one of its name. */
class Handle {
  readonly #name: string;
  other = 1;
  constructor(name: string) {
    this.#name = name;
  }
  static nameOf(object: object): string | undefined {
    return #name in object ? object.#name : undefined;
  }
}

class ListHandle extends Array<number> {}

let failure: Error | undefined;
const asked: object[] = [];
registerTravel('test-handle', {
  pack(object) {
    asked.push(object);
    const name = Handle.nameOf(object);
    if (name !== undefined && failure !== undefined) throw failure;
    return name === undefined ? undefined : Buffer.from(name);
  },
  unpack(bytes) {
    if (failure !== undefined) throw failure;
    // As one that opens a queue, and reads something from it.
    expect(carry<unknown>({ within: [1] })).toEqual({ within: [1] });
    return new Handle(Buffer.from(bytes).toString());
  },
});
registerTravel('test-list', {
  pack: (object) => (object instanceof ListHandle ? Uint8Array.from(object) : undefined),
  unpack: (bytes) => ListHandle.from(bytes),
});

describe('handles in messages', () => {
  afterEach(() => {
    failure = undefined;
    asked.length = 0;
  });

  it.each<[string, (handle: Handle) => unknown, (copy: never) => unknown]>([
    ['alone', (handle) => handle, (copy) => copy],
    ['in an object', (handle) => ({ a: { b: handle } }), (copy: { a: { b: unknown } }) => copy.a.b],
    ['in an array', (handle) => [1, [handle]], (copy: [1, [unknown]]) => copy[1][0]],
    ['in a map', (handle) => new Map([[1, handle]]), (copy: Map<number, unknown>) => copy.get(1)],
    ['as a cause', (handle) => new Error('x', { cause: handle }), (copy: Error) => copy.cause],
  ])('travel %s', (_, around, within) => {
    const copy = within(carry<unknown>(around(new Handle('jobs'))) as never);
    expect(copy).toBeInstanceOf(Handle);
    expect(Handle.nameOf(copy as Handle)).toBe('jobs');
  });

  it('travel as what they are, subclasses and arrays included', () => {
    class Own extends Handle {}
    const [own, list] = carry<unknown[]>([new Own('a'), ListHandle.of(1, 2)]);
    expect(Handle.nameOf(own as Handle)).toBe('a');
    expect(list).toEqual(ListHandle.of(1, 2));
    expect(list).toBeInstanceOf(ListHandle);
  });

  it('are one where they were one', () => {
    const handle = new Handle('jobs');
    const list: unknown[] = [handle, { handle }];
    list.push(list);
    const copy = carry<unknown[]>(list) as [Handle, { handle: Handle }, unknown];
    expect(copy[1].handle).toBe(copy[0]);
    expect(copy[2]).toBe(copy);
    expect(asked.filter((object) => object === handle)).toHaveLength(1);
  });

  it('are not looked for among the built-in objects', () => {
    const instance = new (class Point {})();
    carry<unknown>([
      {},
      [],
      new Map(),
      new Date(),
      /x/,
      new Error('x'),
      Buffer.from('x'),
      Object(1),
      instance,
    ]);
    expect(asked).toEqual([instance]);
  });

  it('give ERR_ENCODE and ERR_DECODE, with what their travels throw', () => {
    const message = structuredCodec.encode({ q: new Handle('a') }, new Uint8Array(0)) as Uint8Array;
    const copy = Uint8Array.from(message);
    failure = new Error('no more handles');
    expect(
      thrownBy(() => structuredCodec.encode({ q: new Handle('a') }, new Uint8Array(0))),
    ).toMatchObject({
      code: 'ERR_ENCODE',
      cause: failure,
      message: expect.stringContaining('at value.q: no more handles') as string,
    });
    expect(thrownBy(() => decodeAt(structuredCodec, copy))).toMatchObject({
      code: 'ERR_DECODE',
      cause: failure,
    });
  });

  it('give ERR_DECODE where nobody knows their name', () => {
    const message = Buffer.from(
      structuredCodec.encode([new Handle('a')], new Uint8Array(0)) as Uint8Array,
    );
    message.write('best', message.indexOf('test-handle'), 'latin1');
    expect(thrownBy(() => decodeAt(structuredCodec, message))).toMatchObject({
      code: 'ERR_DECODE',
      message: expect.stringContaining("'best-handle'") as string,
    });
  });

  it('have one way each', () => {
    const travel = { pack: () => undefined, unpack: () => ({}) };
    expect(() => registerTravel('test-handle', travel)).toThrow('registered already');
  });
});
