import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { Queue } from '../../src/primitives/queue.js';
import { benchFor, coded, stateOf } from './subject.js';
import type { Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

/** Takes its memory away, where the runtime lets one. */
function transferAway({ buffer }: Uint8Array): void {
  try {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  } catch (error) {
    expect(error).toMatchObject({ name: 'DataCloneError' });
  }
}

export function messages(subject: Subject): void {
  describe('messages', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('come first in, first out', async () => {
      const q = bench.strings();
      for (const value of ['a', 'b', 'c']) await q.put(value);
      expect([await q.get(), await q.get(), await q.get()]).toEqual(['a', 'b', 'c']);
    });

    it('pass between every put and every get', async () => {
      const q = bench.strings();
      const puts: ((value: string) => unknown)[] = [
        (value) => q.put(value),
        (value) => q.put(value, { timeoutMs: 60_000 }),
        (value) => q.tryPut(value),
        (value) => q.putNowait(value),
        (value) => q.putMany([value]),
        ...bench.blocking(
          (value: string) => q.putSync(value),
          (value: string) => q.putManySync([value]),
        ),
      ];
      const gets: (() => unknown)[] = [
        () => q.get(),
        () => q.get({ timeoutMs: 60_000 }),
        () => q.tryGet(),
        () => q.getNowait(),
        async () => (await q.getMany({ max: 1 }))[0],
        () => q.tryGetMany({ max: 1 })[0],
        ...bench.blocking(
          () => q.getSync(),
          () => q.getManySync({ max: 1 })[0],
        ),
      ];
      for (const put of puts) {
        for (const [i, get] of gets.entries()) {
          await put(`message ${i}`);
          expect(await get()).toBe(`message ${i}`);
        }
      }
      expect(q.isEmpty).toBe(true);
    });

    it.each<[string, unknown]>([
      ['undefined', undefined],
      ['null', null],
      ['-0', -0],
      ['a bigint', 2n ** 70n],
      ['a Map', new Map([[1, new Set(['x'])]])],
      ['a Date', new Date(0)],
      ['a Uint8Array', Uint8Array.of(1, 2, 3)],
      ['a nested Float64Array', { samples: Float64Array.of(1.5, NaN) }],
      ['a message larger than the outbox', 'x'.repeat(20_000)],
    ])('carry %s by the codec structured', async (_, value) => {
      const q = bench.keep(Queue.create(bench.name()));
      await q.put(value);
      expect(await q.get()).toStrictEqual(value);
    });

    it('carry what JSON carries by the codec json', async () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: 'json' }));
      const value = { a: [1, null, true, 'ü€\ud800'] };
      await q.put(value);
      expect(await q.get()).toEqual(value);
    });

    it.each(['', 'a', '\0', 'ü', '€', '\ud800', '😀', 'x'.repeat(5000), '€'.repeat(5000)])(
      'carry strings unchanged: %j',
      async (value) => {
        const q = bench.strings();
        await q.put(value);
        expect(await q.get()).toBe(value);
      },
    );

    it.each([0, 1, 63, 64, 65, 255, 256, 257, 4096, 5000, 60_000])(
      'carry %i raw bytes as a plain Uint8Array',
      async (length) => {
        const q = bench.keep(Queue.create(bench.name(), { codec: 'raw' }));
        const bytes = Buffer.from(Array.from({ length }, (_, i) => i % 251));
        await q.put(bytes);
        const got = await q.get();
        expect(got.constructor).toBe(Uint8Array);
        expect(Buffer.compare(got, bytes)).toBe(0);
      },
    );

    it('are their own memory', async () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: 'raw' }));
      for (const length of [10, 100, 10_000]) {
        await q.putMany([new Uint8Array(length).fill(1), new Uint8Array(length).fill(2)]);
        const first = await q.get();
        const second = await q.get();
        second.fill(9);
        expect(first.every((byte) => byte === 1)).toBe(true);
        expect(first.length).toBe(length);
      }
    });

    it('may be transferred, which harms neither those that follow nor puts that wait', async () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: 'raw' }));
      const full = bench.keep(Queue.create(bench.name(), { codec: 'json', maxItems: 1 }));
      const text = 'x'.repeat(100);
      await full.put(text);
      await q.putMany([1, 2, 3, 4].map((n) => new Uint8Array(100).fill(n)));
      const first = await q.get();
      const waiting = [full.put(text), full.putMany([text, text])];
      transferAway(await q.get());
      expect(first).toEqual(new Uint8Array(100).fill(1));
      const rest = await q.getMany();
      expect(rest).toEqual([3, 4].map((n) => new Uint8Array(100).fill(n)));
      for (let i = 0; i < 4; i++) expect(await full.get()).toBe(text);
      await Promise.all(waiting);
    });

    it('do not change after the put', async () => {
      const objects = bench.keep(Queue.create<{ n: number }>(bench.name(), { maxItems: 1 }));
      const raw = bench.keep(Queue.create(bench.name(), { codec: 'raw', maxItems: 1 }));
      const object = { n: 1 };
      const bytes = new Uint8Array(300).fill(1);
      const puts = [objects.put(object), objects.put(object), raw.put(bytes), raw.put(bytes)];
      puts.push(raw.putMany([bytes, bytes]));
      object.n = 2;
      bytes.fill(2);
      expect([(await objects.get()).n, (await objects.get()).n]).toEqual([1, 1]);
      for (let i = 0; i < 4; i++) expect((await raw.get())[0]).toBe(1);
      await Promise.all(puts);
    });

    it.each<[string, 'structured' | 'json' | 'string' | 'raw', unknown, string]>([
      ['a function', 'structured', () => 1, 'ERR_ENCODE'],
      ['a function inside', 'structured', { f() {} }, 'ERR_ENCODE'],
      ['a symbol', 'structured', Symbol('s'), 'ERR_ENCODE'],
      ['undefined', 'json', undefined, 'ERR_ENCODE'],
      ['a function', 'json', () => 1, 'ERR_ENCODE'],
      ['a bigint', 'json', 1n, 'ERR_ENCODE'],
      ['a number', 'string', 7, 'ERR_INVALID_ARG'],
      ['a string', 'raw', 'bytes', 'ERR_INVALID_ARG'],
      ['an ArrayBuffer', 'raw', new ArrayBuffer(8), 'ERR_INVALID_ARG'],
      ['a DataView', 'raw', new DataView(new ArrayBuffer(8)), 'ERR_INVALID_ARG'],
      ['a Uint16Array', 'raw', new Uint16Array(4), 'ERR_INVALID_ARG'],
    ])('refuse %s by the codec %s, and nothing is queued', async (_, codec, value, code) => {
      const name = bench.name();
      const q = bench.keep(Queue.create(name, { codec } as object)) as Queue<unknown>;
      await expect(q.put(value)).rejects.toEqual(coded(code));
      await expect(q.put(value, { timeoutMs: 5 })).rejects.toEqual(coded(code));
      for (const call of bench.blocking(() => q.putSync(value))) {
        expect(thrownBy(call)).toEqual(coded(code));
      }
      expect(thrownBy(() => q.tryPut(value))).toEqual(coded(code));
      expect(thrownBy(() => q.putNowait(value))).toEqual(coded(code));
      expect(q.size).toBe(0);
    });

    it('of which one cannot be encoded are none of them queued', async () => {
      const q = bench.keep(Queue.create<unknown>(bench.name()));
      await expect(q.putMany([1, 2, () => 3, 4])).rejects.toEqual(coded('ERR_ENCODE'));
      for (const call of bench.blocking(() => q.putManySync([1, 2, () => 3, 4]))) {
        expect(thrownBy(call)).toEqual(coded('ERR_ENCODE'));
      }
      expect(q.size).toBe(0);
    });

    it('that are too large are refused, and nothing is queued', async () => {
      const q = bench.keep(
        Queue.create(bench.name(), { codec: 'raw', maxMessageBytes: 1000, maxItems: 2 }),
      );
      const large = new Uint8Array(1001);
      await expect(q.put(large)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      for (const call of bench.blocking(() => q.putSync(large))) {
        expect(thrownBy(call)).toEqual(coded('ERR_TOO_LARGE'));
      }
      expect(thrownBy(() => q.tryPut(large))).toEqual(coded('ERR_TOO_LARGE'));
      await expect(q.putMany([new Uint8Array(1), large])).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(q.size).toBe(0);
      await q.put(new Uint8Array(1000));
      // Also behind others that wait.
      await q.put(new Uint8Array(1));
      const pending = q.put(new Uint8Array(2));
      await expect(q.put(large)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(q.tryGet()).toHaveLength(1000);
      await pending;
    });

    it('that a custom codec cannot carry say why', async () => {
      const cause = new Error('not today');
      const codec = {
        encode(value: string) {
          if (value === 'bad') throw cause;
          return value === 'worse' ? ('no bytes' as unknown as Uint8Array) : Buffer.from(value);
        },
        decode(bytes: Uint8Array) {
          if (bytes[0] === 0x21) throw cause;
          return Buffer.from(bytes).toString();
        },
      };
      const q = bench.keep(Queue.create(bench.name(), { codec }));
      await expect(q.put('bad')).rejects.toMatchObject({ code: 'ERR_ENCODE', cause });
      await expect(q.put('worse')).rejects.toEqual(coded('ERR_ENCODE'));
      expect(q.size).toBe(0);
      // A message that cannot be decoded is gone; the next one comes.
      await q.putMany(['!', 'good']);
      await expect(q.get()).rejects.toMatchObject({ code: 'ERR_DECODE', cause });
      expect(await q.get()).toBe('good');
      // Of a batch, the others are not lost.
      await q.putMany(['one', '!', 'two']);
      await expect(q.getMany()).rejects.toMatchObject({
        code: 'ERR_DECODE',
        values: ['one', 'two'],
      });
      expect(q.size).toBe(0);
    });

    it('survive a custom codec that uses queues itself', async () => {
      const other = bench.strings();
      const codec = {
        encode(value: string) {
          other.putNowait(`encoding ${value}`);
          return Buffer.from(value);
        },
        decode(bytes: Uint8Array) {
          other.tryGet();
          return Buffer.from(bytes).toString();
        },
      };
      const q = bench.keep(Queue.create(bench.name(), { codec }));
      await q.putMany(['a', 'b', 'c']);
      expect(await q.getMany()).toEqual(['a', 'b', 'c']);
    });
  });

  describe('looking without waiting', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('finds nothing in an empty queue', () => {
      const q = bench.strings();
      const nothing = Symbol('nothing');
      expect(q.tryGet()).toBe(undefined);
      expect(q.tryGet(nothing)).toBe(nothing);
      expect(q.tryGet(null)).toBe(null);
      expect(q.tryGetMany()).toEqual([]);
      expect(thrownBy(() => q.getNowait())).toMatchObject({
        name: 'QueueEmpty',
        code: 'ERR_EMPTY',
      });
    });

    it('tells a message undefined from none', () => {
      const q = bench.keep(Queue.create<undefined>(bench.name()));
      q.putNowait(undefined);
      expect(q.tryGet('none')).toBe(undefined);
      expect(q.tryGet('none')).toBe('none');
    });

    it('finds no room in a full queue', () => {
      const q = bench.small(1);
      expect(q.tryPut('a')).toBe(true);
      expect(q.tryPut('b')).toBe(false);
      expect(thrownBy(() => q.putNowait('b'))).toMatchObject({
        name: 'QueueFull',
        code: 'ERR_FULL',
      });
      expect(q.tryGetMany()).toEqual(['a']);
    });

    it('finds no room behind puts that wait for it', async () => {
      const q = bench.strings({ capacityBytes: 4096 });
      q.putNowait('x'.repeat(2000));
      q.putNowait('y'.repeat(1000));
      const pending = q.put('z'.repeat(1500));
      expect(q.tryPut('small')).toBe(false);
      expect(thrownBy(() => q.putNowait('small'))).toEqual(coded('ERR_FULL'));
      expect(q.getNowait()).toHaveLength(2000);
      await pending;
      expect(q.tryPut('small')).toBe(true);
      expect(q.tryGetMany().map(({ length }) => length)).toEqual([1000, 1500, 5]);
    });

    it('finds nothing behind gets that wait for it', async () => {
      const q = bench.strings();
      const pending = q.get();
      expect(q.tryGet()).toBe(undefined);
      bench.keep(Queue.open<string>(q.name)).putNowait('for the one who waits');
      expect(q.tryGet()).toBe(undefined);
      expect(await pending).toBe('for the one who waits');
    });
  });

  describe('the state of a queue', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('is its size, and whether it is empty or full', () => {
      const q = bench.small(2);
      expect([q.size, q.isEmpty, q.isFull]).toEqual([0, true, false]);
      q.putNowait('a');
      expect([q.size, q.isEmpty, q.isFull]).toEqual([1, false, false]);
      q.putNowait('b');
      expect([q.size, q.isEmpty, q.isFull]).toEqual([2, false, true]);
      q.getNowait();
      expect([q.size, q.isEmpty, q.isFull]).toEqual([1, false, false]);
    });

    it('is full when its bytes are used up', () => {
      const q = bench.strings({ capacityBytes: 4096 });
      while (q.tryPut('x'.repeat(50)));
      expect(q.isFull).toBe(true);
      expect(q.size).toBeGreaterThan(20);
    });

    it('is counted', async () => {
      const q = bench.strings();
      bench.keep(Queue.open<string>(q.name));
      const pending = q.get();
      await q.putMany(['first', 'second']);
      await pending;
      const stats = q.stats();
      expect(stats).toMatchObject({ puts: 2, gets: 1, redelivered: 0, participants: 2 });
      expect(stats.unacknowledged).toBe(0);
      expect(stats.putBytes).toBeGreaterThanOrEqual(11);
      expect(stats.gotBytes).toBeGreaterThanOrEqual(5);
      expect(stats.waits).toBeGreaterThanOrEqual(1);
      expect(stats.highWater).toBeGreaterThanOrEqual(1);
    });

    it('shows when it is printed', () => {
      const q = bench.small(2);
      q.putNowait('a');
      expect(inspect(q)).toMatch(
        /^Queue 'conformance-[\d-]+' \{ size: 1, capacityBytes: 65536, codec: 'string' \}$/,
      );
      q.unlink();
      q.close();
      expect(inspect(q)).toContain('closed: true');
    });
  });

  describe('closing', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('ends every pending call with ERR_CLOSED', async () => {
      const q = bench.small(1);
      const gets = [
        q.get(),
        q.getMany(),
        q[Symbol.asyncIterator]().next(),
        ...(bench.capabilities.redelivery ? [q.receive()] : []),
      ];
      const full = bench.small(1);
      full.putNowait('a');
      const puts = [full.put('b'), full.putMany(['c', 'd']), full.put('e', { timeoutMs: 60_000 })];
      q.close();
      full.close();
      for (const call of [...gets, ...puts]) {
        await expect(call).rejects.toEqual(coded('ERR_CLOSED'));
      }
      const again = bench.keep(Queue.open<string>(full.name));
      expect(again.tryGetMany()).toEqual(['a']);
    });

    it('is no error a second time', () => {
      const q = bench.strings();
      q.close();
      q.close();
      q[Symbol.dispose]();
    });

    it('leaves every other call with ERR_CLOSED', async () => {
      const q = bench.strings();
      const iterator = q[Symbol.asyncIterator]();
      q.close();
      const awaited: (() => Promise<unknown>)[] = [
        () => q.put('a'),
        () => q.put('a', { timeoutMs: 1 }),
        () => q.putMany(['a']),
        () => q.get(),
        () => q.get({ timeoutMs: 1 }),
        () => q.getMany(),
        () => q.getIntoAsync(new Uint8Array(1)),
        () => q.receive(),
        () => iterator.next(),
      ];
      for (const call of awaited) await expect(call()).rejects.toEqual(coded('ERR_CLOSED'));
      const direct: (() => unknown)[] = [
        () => q.putSync('a'),
        () => q.tryPut('a'),
        () => q.putNowait('a'),
        () => q.putManySync(['a']),
        () => q.getSync(),
        () => q.tryGet(),
        () => q.getNowait(),
        () => q.getManySync(),
        () => q.tryGetMany(),
        () => q.getInto(new Uint8Array(1)),
        () => q.receiveSync(),
        () => q.tryReceive(),
        () => q[Symbol.asyncIterator](),
        () => q.end(),
        () => q.size,
        () => q.isEmpty,
        () => q.isFull,
        () => q.stats(),
        () => q.ref(),
        () => q.unref(),
        () => q.unlink(),
      ];
      for (const call of direct) expect(thrownBy(call)).toEqual(coded('ERR_CLOSED'));
    });

    it('leaves other handles of the thread alone', async () => {
      const a = bench.strings();
      const b = bench.keep(Queue.open<string>(a.name));
      const pending = b.get();
      a.close();
      expect(await stateOf(pending)).toBe('pending');
      bench.keep(Queue.open<string>(a.name)).putNowait('still served');
      expect(await pending).toBe('still served');
    });

    it('forwards ref and unref, and returns the handle', () => {
      const q = bench.strings();
      expect(q.unref()).toBe(q);
      expect(q.ref()).toBe(q);
    });
  });
}
