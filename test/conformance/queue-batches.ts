import { describe, expect, it } from 'vitest';

import { benchFor, coded, rows } from './subject.js';
import type { Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `message ${i}`);

export function batches(subject: Subject): void {
  describe('batches', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('keep their order', async () => {
      const q = bench.strings({ capacityBytes: 1 << 20 });
      const values = numbered(1000);
      await q.putMany(values);
      expect(await q.getMany({ max: 1000 })).toEqual(values);
      await q.putMany(values, { timeoutMs: 60_000 });
      expect(q.tryGetMany({ max: 1000 })).toEqual(values);
      if (!bench.capabilities.blocking) return;
      q.putManySync(values);
      expect(q.getManySync({ max: 1000 })).toEqual(values);
    });

    it('are put through a queue that is smaller than they are', async () => {
      const q = bench.strings({ capacityBytes: 4096 });
      const reader = bench.keep(Queue.open<string>(q.name));
      const values = numbered(1000);
      const putting = q.putMany(values);
      const got: string[] = [];
      while (got.length < values.length) got.push(...(await reader.getMany()));
      await putting;
      expect(got).toEqual(values);
    });

    it('take what is there, and no more than max', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b', 'c']);
      expect(await q.getMany({ max: 2 })).toEqual(['a', 'b']);
      expect(await q.getMany({ max: 2 })).toEqual(['c']);
      await q.putMany(numbered(400));
      expect(await q.getMany({ max: 150 })).toEqual(numbered(150));
      expect(q.tryGetMany({ max: 100 })).toHaveLength(100);
    });

    it.each([40, 600, 1500, 3500])('go on where %i single gets have ended', async (count) => {
      const q = bench.strings({ capacityBytes: 1 << 20 });
      const reader = bench.keep(Queue.open<string>(q.name));
      const values = numbered(4000);
      await q.putMany(values);
      const got: string[] = [];
      while (got.length < count) got.push(await reader.get());
      while (got.length < values.length) got.push(...(await reader.getMany({ max: 1000 })));
      expect(got).toEqual(values);
    });

    it('take 256 unless told otherwise', async () => {
      const q = bench.strings();
      await q.putMany(numbered(300));
      expect(await q.getMany()).toHaveLength(256);
      expect(q.tryGetMany()).toHaveLength(44);
      if (!bench.capabilities.blocking) return;
      q.putManySync(numbered(300));
      expect(q.getManySync()).toHaveLength(256);
      expect(q.getManySync()).toHaveLength(44);
    });

    it.each([2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])('may be of up to %i', async (max) => {
      const q = bench.strings();
      await q.putMany(['a', 'b']);
      expect(await q.getMany({ max })).toEqual(['a', 'b']);
    });

    it('keep what was yielded, whatever the iterable does with it then', async () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: 'raw' }));
      function* reusing() {
        const buffer = new Uint8Array(1);
        for (buffer[0] = 1; buffer[0] <= 3; buffer[0]++) yield buffer;
      }
      await q.putMany(reusing());
      for (const put of bench.blocking(() => q.putManySync(reusing()))) put();
      const values = q.tryGetMany().map(([value]) => value);
      expect(values.slice(0, 3)).toEqual([1, 2, 3]);
      expect(values.slice(3)).toEqual(bench.capabilities.blocking ? [1, 2, 3] : []);
    });

    it('wait for one message, not for max', async () => {
      const q = bench.strings();
      const pending = q.getMany({ max: 10 });
      q.putNowait('one');
      expect(await pending).toEqual(['one']);
    });

    it('may be empty to put', async () => {
      const q = bench.small(1);
      await q.putMany([]);
      q.putNowait('full');
      for (const call of bench.blocking(() => q.putManySync([]))) call();
      await q.putMany([]);
      expect(q.tryGetMany()).toEqual(['full']);
    });

    it('are any iterable', async () => {
      const q = bench.strings();
      await q.putMany(new Set(['a', 'b']));
      await q.putMany(
        (function* () {
          yield 'c';
          yield 'd';
        })(),
      );
      expect(q.tryGetMany()).toEqual(['a', 'b', 'c', 'd']);
    });

    it.each<[unknown]>([[undefined], [null], [7], [{}], ['text']])('are not %j', async (values) => {
      const q = bench.strings();
      const bad = values as string[];
      await expect(q.putMany(bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
      for (const call of bench.blocking(() => q.putManySync(bad))) {
        expect(thrownBy(call)).toEqual(coded('ERR_INVALID_ARG'));
      }
      expect(q.isEmpty).toBe(true);
    });

    it.each(rows<unknown>([0, -1, 1.5, NaN, '3', Infinity]))('refuse max %s', async (_, max) => {
      const q = bench.strings();
      const bad = { max: max as number };
      await expect(q.getMany(bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => q.tryGetMany(bad))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => q.tryGetMany(3 as unknown as object))).toEqual(
        coded('ERR_INVALID_ARG'),
      );
    });

    it('carry messages of all sizes', async () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: 'raw', capacityBytes: 1 << 20 }));
      const values = Array.from({ length: 200 }, (_, i) => new Uint8Array(i * 37).fill(i));
      await q.putMany(values);
      const got: Uint8Array[] = [];
      while (got.length < values.length) got.push(...(await q.getMany()));
      const different = got.filter((message, i) => Buffer.compare(message, values[i] ?? message));
      expect(different).toEqual([]);
    });

    it('give each message its own memory', async () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: 'raw' }));
      await q.putMany([new Uint8Array(70).fill(1), new Uint8Array(70).fill(2)]);
      const [first, second] = await q.getMany();
      first?.fill(9);
      expect(second).toEqual(new Uint8Array(70).fill(2));
    });
  });

  describe('getting into a buffer', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;
    const bytes = () => bench.keep(Queue.create(bench.name(), { codec: 'raw' }));

    it('writes the bytes and returns their number', async () => {
      const q = bytes();
      const buffer = new Uint8Array(8).fill(7);
      await q.putMany([Uint8Array.of(1, 2), new Uint8Array(0), new Uint8Array(8)]);
      expect(await q.getIntoAsync(buffer)).toBe(2);
      expect(buffer).toEqual(Uint8Array.of(1, 2, 7, 7, 7, 7, 7, 7));
      expect(await q.getIntoAsync(buffer)).toBe(0);
      if (!bench.capabilities.blocking) return;
      expect(q.getInto(buffer)).toBe(8);
    });

    it('waits', async () => {
      const q = bytes();
      const buffer = Buffer.alloc(4);
      const pending = q.getIntoAsync(buffer);
      q.putNowait(Uint8Array.of(5));
      expect(await pending).toBe(1);
      expect(buffer[0]).toBe(5);
    });

    it('leaves a message that does not fit in the queue', async () => {
      const q = bytes();
      await q.putMany([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
      const small = new Uint8Array(2);
      await expect(q.getIntoAsync(small)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(thrownBy(() => q.getInto(small))).toEqual(
        coded(bench.capabilities.blocking ? 'ERR_TOO_LARGE' : 'ERR_UNSUPPORTED'),
      );
      expect(q.getNowait()).toEqual(Uint8Array.of(1, 2, 3));
      expect(await q.getIntoAsync(small)).toBe(1);
    });

    it('is for codecs whose bytes are the caller’s', async () => {
      const q = bench.strings();
      await expect(q.getIntoAsync(new Uint8Array(8))).rejects.toEqual(coded('ERR_UNSUPPORTED'));
      const codec = { encode: (text: string) => Buffer.from(text), decode: String };
      const own = bench.keep(Queue.create(bench.name(), { codec }));
      await own.put('abc');
      const buffer = Buffer.alloc(3);
      expect(await own.getIntoAsync(buffer)).toBe(3);
      expect(buffer.toString()).toBe('abc');
    });

    it.each(rows<unknown>([undefined, new ArrayBuffer(8), [1, 2], 'text']))(
      'refuses %s as a buffer',
      async (_, buffer) => {
        const q = bytes();
        q.putNowait(Uint8Array.of(1));
        await expect(q.getIntoAsync(buffer as Uint8Array)).rejects.toEqual(
          coded('ERR_INVALID_ARG'),
        );
        expect(q.size).toBe(1);
      },
    );
  });
}
