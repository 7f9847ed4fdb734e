import { describe, expect, it } from 'vitest';

import type { InterprocError } from '../../src/errors.js';
import { thrownBy } from '../unit/thrown-by.js';
import { coded, rows } from './subject.js';
import { pattern, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';

export function batches(subject: PipeSubject): void {
  describe('batches', () => {
    const bench = pipeBenchFor(subject);

    it('keep their order, more than a connection holds', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const values = Array.from({ length: 500 }, (_, i) => `value ${i}`);
      const sent = a.sendMany(values);
      const received: string[] = [];
      while (received.length < values.length) {
        const some = await b.recvMany({ max: 7 });
        expect(some.length).toBeLessThanOrEqual(7);
        received.push(...some);
      }
      await sent;
      expect(received).toEqual(values);
    });

    it('come from any iterable, and may be empty', async () => {
      const [a, b] = bench.values<number>();
      await a.sendMany(new Set([1, 2]));
      await a.sendMany([]);
      await a.sendMany(
        (function* () {
          yield 3;
        })(),
      );
      expect(await b.recvMany()).toEqual([1, 2, 3]);
      expect(b.tryRecvMany()).toEqual([]);
    });

    it('are not split between those who wait: one at least, max at most', async () => {
      const [a, b] = bench.values<number>();
      const [first, second] = [b.recvMany({ max: 2 }), b.recvMany()];
      await a.sendMany([1, 2, 3]);
      expect([await first, await second]).toEqual([[1, 2], [3]]);
    });

    it('are refused whole if one value cannot be encoded', async () => {
      const [a, b] = bench.values();
      await expect(a.sendMany([1, () => 1])).rejects.toEqual(coded('ERR_ENCODE'));
      for (const call of bench.blocking(() => a.sendManySync([1, Symbol('s')]))) {
        expect(thrownBy(call)).toEqual(coded('ERR_ENCODE'));
      }
      expect(b.tryRecv()).toBeUndefined();
    });

    it.each(rows<unknown>([3, null, 'text', {}]))('are not %s', async (_, values) => {
      const [a] = bench.values();
      await expect(a.sendMany(values as [])).rejects.toEqual(coded('ERR_INVALID_ARG'));
    });

    it.each(rows<unknown>([0, -1, 1.5, '3', NaN]))('have no max %s', async (_, max) => {
      const [, b] = bench.values();
      await expect(b.recvMany({ max: max as number })).rejects.toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => b.tryRecvMany({ max: max as number }))).toEqual(
        coded('ERR_INVALID_ARG'),
      );
    });

    it('that did not go in time say how many went, which are received', async () => {
      const [a, b] = bench.raw({ capacityBytes: 4096 });
      const values = Array.from({ length: 100 }, () => new Uint8Array(200));
      const error = (await a
        .sendMany(values, { timeoutMs: 5 })
        .catch((thrown: unknown) => thrown)) as InterprocError;
      expect(error).toEqual(coded('ERR_TIMEOUT'));
      expect(error.accepted).toBeGreaterThan(0);
      expect(b.tryRecvMany({ max: 200 })).toHaveLength(error.accepted as number);
    });

    it('that wait may be changed by their owner at once', async () => {
      const [a, b] = bench.raw({ capacityBytes: 4096 });
      const values = Array.from({ length: 40 }, () => pattern(300));
      const sent = a.sendMany(values);
      for (const value of values) value.fill(0xff);
      const received: Uint8Array[] = [];
      while (received.length < 40) received.push(...(await b.recvMany()));
      await sent;
      for (const bytes of received) expect(bytes).toEqual(pattern(300));
    });

    it('hand over the others if one cannot be decoded', async () => {
      const [a, b] = bench.kept(bench.Pipe<number>({ codec: 'json' }));
      await a.send(1);
      await a.sendBytes(new TextEncoder().encode('}'));
      await a.send(2);
      const error = (await b.recvMany().catch((thrown: unknown) => thrown)) as InterprocError;
      expect(error).toEqual(coded('ERR_DECODE'));
      const rest = b.tryRecvMany();
      expect([...(error.values as number[]), ...rest]).toEqual([1, 2]);
    });

    it('whose codec is the caller’s may use connections while they are decoded', async () => {
      const [other, another] = bench.strings();
      const [a, b] = bench.kept(
        bench.Pipe<string>({
          codec: {
            encode: (text) => new TextEncoder().encode(text),
            decode: (bytes) => {
              other.trySend('meanwhile');
              another.tryRecv();
              return new TextDecoder().decode(bytes);
            },
          },
        }),
      );
      await a.sendMany(['one', 'two', 'three']);
      expect(await b.recvMany()).toEqual(['one', 'two', 'three']);
    });

    it('before an end are received, and then it comes', async () => {
      const [a, b] = bench.values<number>();
      await a.sendMany([1, 2]);
      a.close();
      expect(await b.recvMany({ max: 10 })).toEqual([1, 2]);
      await expect(b.recvMany()).rejects.toEqual(coded('ERR_EOF'));
    });

    it('go with messages larger than the connection among them', async () => {
      const [a, b] = bench.raw({ capacityBytes: 4096 });
      const sizes = [10, 20_000, 30, 0, 9_000, 9_000, 1];
      const sent = a.sendMany(sizes.map(pattern));
      const received: Uint8Array[] = [];
      while (received.length < sizes.length) received.push(...(await b.recvMany()));
      await sent;
      expect(received).toEqual(sizes.map(pattern));
    });
  });
}
