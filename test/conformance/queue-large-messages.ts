import { describe, expect, it } from 'vitest';

import type { Queue } from '../../src/primitives/queue.js';
import type { QueueOptions } from '../../src/primitives/queue-options.js';
import { thrownBy } from '../unit/thrown-by.js';
import { benchFor, coded, rows, stateOf } from './subject.js';
import type { Subject } from './subject.js';

const CAPACITY = 4096;
const MIB = 2 ** 20;

/** Bytes of which every one can be told: another seed or length gives others. */
function bytesOf(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  let word = (seed * 2_654_435_761 + length) | 1;
  for (let i = 0; i < length; i++) {
    word = (Math.imul(word, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = word >>> 16;
  }
  return bytes;
}

/** Compared as a whole: `toEqual` goes byte by byte, and shows each. */
function expectSame(got: unknown, wanted: Uint8Array): void {
  expect(got).toBeInstanceOf(Uint8Array);
  const bytes = got as Uint8Array;
  expect(bytes.length).toBe(wanted.length);
  expect(Buffer.compare(bytes, wanted)).toBe(0);
}

export function largeMessages(subject: Subject): void {
  describe('messages larger than the capacity', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    function raw(options: QueueOptions = {}): Queue<Uint8Array> {
      return bench.keep(
        Queue.create(bench.name(), { capacityBytes: CAPACITY, ...options, codec: 'raw' }),
      );
    }

    it.each([
      CAPACITY / 4,
      CAPACITY / 2,
      CAPACITY - 1,
      CAPACITY,
      CAPACITY + 1,
      3 * CAPACITY,
      262_143,
      262_144,
      262_145,
      20 * MIB,
    ])('come out as they went in: %d bytes', async (length) => {
      const q = raw();
      const bytes = bytesOf(length);
      await q.put(bytes);
      expect(q.size).toBe(1);
      const got = await q.get();
      expectSame(got, bytes);
      // The caller's own: nothing else is in the array, and nothing changes it.
      if (length > 262_144) expect(got.buffer.byteLength).toBe(length);
      q.putNowait(bytesOf(length, 1));
      expectSame(got, bytes);
      expectSame(q.getNowait(), bytesOf(length, 1));
      expect(q.stats()).toMatchObject({ puts: 2, gets: 2, putBytes: 2 * length });
    });

    it.each(rows(['structured', 'json', 'string'] as const))(
      'are values of every codec: %s',
      async (_, codec) => {
        const q = bench.keep(
          Queue.create(bench.name(), { capacityBytes: CAPACITY, codec: codec as 'json' }),
        );
        for (const text of ['x'.repeat(300_000), '\u20ac'.repeat(300_000), 'y'.repeat(20_000)]) {
          await q.put(text);
          expect((await q.get()) === text).toBe(true);
          await q.put('short');
          expect(await q.get()).toBe('short');
        }
      },
    );

    it('are values of a codec of the caller', async () => {
      const codec = {
        encode: (value: number[]) => Uint8Array.from(value),
        decode: (bytes: Uint8Array) => [...bytes],
      };
      const q = bench.keep(Queue.create(bench.name(), { capacityBytes: CAPACITY, codec }));
      const value = Array.from({ length: 300_000 }, (_, i) => i % 251);
      await q.put(value);
      expect((await q.get()).join() === value.join()).toBe(true);
    });

    it('keep their place among small ones', async () => {
      const q = raw();
      const sizes = [10, 5_000, 20, 30_000, 300_000, 0, 4_096, 4_097, 1];
      const put = Promise.all(sizes.map(async (size, i) => q.put(bytesOf(size, i))));
      for (const [i, size] of sizes.entries()) expectSame(await q.get(), bytesOf(size, i));
      await put;
      const putMany = q.putMany(sizes.map((size, i) => bytesOf(size, i)));
      const got: Uint8Array[] = [];
      while (got.length < sizes.length) got.push(...(await q.getMany({ max: 4 })));
      await putMany;
      expect(got.length).toBe(sizes.length);
      for (const [i, size] of sizes.entries()) expectSame(got[i], bytesOf(size, i));
      const iterated = q.putMany(sizes.map((size, i) => bytesOf(size, i))).then(() => q.end());
      let next = 0;
      for await (const bytes of q) expectSame(bytes, bytesOf(sizes[next] as number, next++));
      await iterated;
      expect(next).toBe(sizes.length);
    });

    it('may be as large as maxMessageBytes says, and no larger', async () => {
      const q = raw({ maxMessageBytes: 3 * CAPACITY });
      expectTooLarge(() => q.tryPut(bytesOf(3 * CAPACITY + 1)));
      expectTooLarge(() => q.putNowait(bytesOf(3 * CAPACITY + 1)));
      await expect(q.put(bytesOf(3 * CAPACITY + 1))).rejects.toEqual(coded('ERR_TOO_LARGE'));
      await expect(q.putMany([bytesOf(1), bytesOf(3 * CAPACITY + 1)])).rejects.toEqual(
        coded('ERR_TOO_LARGE'),
      );
      expect(q.size).toBe(0);
      await q.put(bytesOf(3 * CAPACITY));
      expectSame(await q.get(), bytesOf(3 * CAPACITY));
    });

    it('are 1 GiB at most unless the queue says otherwise', () => {
      const q = raw();
      // Not touched, and so not there.
      expectTooLarge(() => q.tryPut(new Uint8Array(2 ** 30 + 1)));
    });

    function expectTooLarge(call: () => unknown): void {
      expect(thrownBy(call)).toEqual(coded('ERR_TOO_LARGE'));
    }

    it('stand to maxSideBytes; then puts wait, and time out, and are aborted with nothing put', async () => {
      const q = raw({ maxSideBytes: 20_000 });
      expect(q.tryPut(bytesOf(10_000, 1))).toBe(true);
      expect(q.tryPut(bytesOf(10_000, 2))).toBe(true);
      expect(q.tryPut(bytesOf(5_000, 3))).toBe(false);
      expect(thrownBy(() => q.putNowait(bytesOf(5_000, 3)))).toEqual(coded('ERR_FULL'));
      expect(q.isFull).toBe(false);
      expect(q.tryPut(bytesOf(100, 4))).toBe(true);
      await expect(q.put(bytesOf(5_000, 5), { timeoutMs: 20 })).rejects.toEqual(
        coded('ERR_TIMEOUT'),
      );
      const abort = new AbortController();
      const aborted = q.put(bytesOf(5_000, 6), { signal: abort.signal });
      abort.abort();
      await expect(aborted).rejects.toEqual(coded('ABORT_ERR'));
      for (const putSync of bench.blocking(() => q.putSync(bytesOf(5_000), { timeoutMs: 20 }))) {
        expect(thrownBy(putSync)).toEqual(coded('ERR_TIMEOUT'));
      }
      const waiting = q.put(bytesOf(9_000, 7));
      const behind = q.put(bytesOf(1, 8));
      expect(await stateOf(waiting)).toBe('pending');
      expectSame(await q.get(), bytesOf(10_000, 1));
      await waiting;
      await behind;
      expect(q.size).toBe(4);
      for (const [size, seed] of [
        [10_000, 2],
        [100, 4],
        [9_000, 7],
        [1, 8],
      ] as const) {
        expectSame(await q.get(), bytesOf(size, seed));
      }
      expect(q.tryPut(bytesOf(20_000))).toBe(true);
      q.getNowait();
    });

    it('are let in alone though they are larger than maxSideBytes', async () => {
      const q = raw({ maxSideBytes: 5_000 });
      expect(q.tryPut(bytesOf(50_000))).toBe(true);
      const next = q.put(bytesOf(60_000));
      expect(await stateOf(next)).toBe('pending');
      expectSame(await q.get(), bytesOf(50_000));
      await next;
      expectSame(await q.get(), bytesOf(60_000));
    });

    it('are sent as they were when they were put', async () => {
      const q = raw({ maxSideBytes: 5_000 });
      const bytes = bytesOf(50_000);
      await q.put(bytes);
      const waiting = q.put(bytes);
      bytes.fill(0);
      expectSame(await q.get(), bytesOf(50_000));
      await waiting;
      expectSame(await q.get(), bytesOf(50_000));
    });

    it('wait in their turn when the queue has all the messages it takes', async () => {
      const q = raw({ maxItems: 1 });
      await q.put(bytesOf(1));
      expect(q.tryPut(bytesOf(50_000))).toBe(false);
      const waiting = q.put(bytesOf(50_000));
      expect(await stateOf(waiting)).toBe('pending');
      expectSame(await q.get(), bytesOf(1));
      await waiting;
      expect(q.isFull).toBe(true);
      expectSame(await q.get(), bytesOf(50_000));
    });

    it('are written to a buffer that has room, and else stay first', async () => {
      const q = raw();
      await q.put(bytesOf(300_000));
      const buffer = new Uint8Array(300_010);
      for (const getInto of bench.blocking((into: Uint8Array) => q.getInto(into))) {
        expectTooLarge(() => getInto(buffer.subarray(0, 299_999)));
      }
      await expect(q.getIntoAsync(buffer.subarray(0, 299_999))).rejects.toEqual(
        coded('ERR_TOO_LARGE'),
      );
      expect(q.size).toBe(1);
      expect(await q.getIntoAsync(buffer)).toBe(300_000);
      expectSame(buffer.subarray(0, 300_000), bytesOf(300_000));
    });

    it('are drained before the end', async () => {
      const q = raw();
      const other = bench.keep(Queue.open(q.name, { codec: 'raw' }));
      await q.put(bytesOf(300_000, 1));
      await q.put(bytesOf(5_000, 2));
      q.end();
      await expect(other.put(bytesOf(5_000))).rejects.toEqual(coded('ERR_ENDED'));
      expectSame(await other.get(), bytesOf(300_000, 1));
      expectSame(await other.get(), bytesOf(5_000, 2));
      await expect(other.get()).rejects.toEqual(coded('ERR_EOF'));
    });

    it('fail alone when they cannot be decoded', async () => {
      const name = bench.name();
      const codec = {
        name: 'picky',
        encode: (value: Uint8Array) => value,
        decode: (bytes: Uint8Array) => {
          if (bytes.length === 300_000) throw new Error('not this one');
          return bytes;
        },
      };
      const q = bench.keep(Queue.create(name, { capacityBytes: CAPACITY, codec }));
      await q.put(bytesOf(300_000));
      await q.put(bytesOf(300_001));
      expect(thrownBy(() => q.tryGet())).toEqual(coded('ERR_DECODE'));
      expectSame(q.tryGet(), bytesOf(300_001));
    });

    describe.skipIf(!subject.backend.capabilities.redelivery)('received', () => {
      it('come again, marked and whole, until they are acknowledged', async () => {
        const q = raw();
        const other = bench.keep(Queue.open(q.name, { codec: 'raw' }));
        await q.putMany([bytesOf(300_000, 1), bytesOf(5_000, 2), bytesOf(1, 3)]);
        const first = await other.receive();
        const second = await other.receive();
        expectSame(first.value, bytesOf(300_000, 1));
        expectSame(second.value, bytesOf(5_000, 2));
        expect([first.deliveries, second.deliveries]).toEqual([1, 1]);
        first.nack();
        const again = await q.receive();
        expect(again.deliveries).toBe(2);
        expectSame(again.value, bytesOf(300_000, 1));
        again.ack();
        other.close();
        const last = await q.receive();
        expect(last.deliveries).toBe(2);
        expectSame(last.value, bytesOf(5_000, 2));
        last.ack();
        expectSame(await q.get(), bytesOf(1, 3));
        expect(q.stats().unacknowledged).toBe(0);
      });

      it('take of maxSideBytes until they are acknowledged', async () => {
        const q = raw({ maxSideBytes: 20_000 });
        await q.put(bytesOf(20_000));
        const m = await q.receive();
        const waiting = q.put(bytesOf(5_000));
        expect(await stateOf(waiting)).toBe('pending');
        m.ack();
        await waiting;
        expectSame(await q.get(), bytesOf(5_000));
      });

      it('too often become dead letters', async () => {
        const deadLetter = bench.name();
        const q = raw({ maxDeliveries: 1, deadLetter });
        await q.putMany([bytesOf(300_000, 1), bytesOf(10_000, 2), bytesOf(300_000, 3)]);
        (await q.receive()).nack();
        const next = await q.receive();
        expectSame(next.value, bytesOf(10_000, 2));
        next.nack();
        expectSame(await q.get(), bytesOf(300_000, 3));
        const letters = bench.keep(Queue.open(deadLetter, { codec: 'raw' }));
        expectSame(await letters.get(), bytesOf(300_000, 1));
        expectSame(await letters.get(), bytesOf(10_000, 2));
        const buffer = new Uint8Array(300_000);
        await q.put(bytesOf(300_000, 4));
        expect(await q.getIntoAsync(buffer)).toBe(300_000);
        expectSame(buffer, bytesOf(300_000, 4));
      });
    });
  });
}
