import { describe, expect, it } from 'vitest';

import type { Queue } from '../../src/primitives/queue.js';
import { benchFor, coded, stateOf } from './subject.js';
import type { Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

export function joining(subject: Subject): void {
  describe('joining', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;
    const another = (q: Queue<string>) => bench.keep(Queue.open<string>(q.name));

    it('ends at once where nothing was put, or all is done', async () => {
      const q = bench.strings();
      expect(await q.join()).toBe(undefined);
      expect(await q.join({ timeoutMs: 0 })).toBe(undefined);
      await q.put('a');
      await q.get();
      q.taskDone();
      expect(await q.join({ timeoutMs: 0 })).toBe(undefined);
      expect(await another(q).join({ timeoutMs: 0 })).toBe(undefined);
    });

    it('waits for what nobody has got, and for what was got until it is done', async () => {
      const q = bench.strings();
      const worker = another(q);
      await q.putMany(['a', 'b']);
      const joined = q.join();
      expect(await stateOf(joined)).toBe('pending');
      await worker.get();
      await worker.get();
      expect(await stateOf(joined)).toBe('pending');
      worker.taskDone();
      expect(await stateOf(joined)).toBe('pending');
      worker.taskDone();
      expect(await joined).toBe(undefined);
    });

    it('ends for the handle that did the work itself', async () => {
      const q = bench.strings();
      await q.put('a');
      await q.get();
      const joined = q.join();
      expect(await stateOf(joined)).toBe('pending');
      q.taskDone();
      expect(await joined).toBe(undefined);
    });

    it('ends for all who join, also twice on one handle', async () => {
      const q = bench.strings();
      await q.put('a');
      const joins = [q.join(), q.join(), another(q).join(), another(q).join()];
      expect(await stateOf(Promise.race(joins))).toBe('pending');
      await q.get();
      q.taskDone();
      await Promise.all(joins);
    });

    it('waits for what is put meanwhile, also by a worker before it is done', async () => {
      const q = bench.strings();
      const worker = another(q);
      await q.put('a');
      const joined = q.join();
      await worker.get();
      await worker.put('b');
      worker.taskDone();
      expect(await stateOf(joined)).toBe('pending');
      await worker.get();
      worker.taskDone();
      await joined;
    });

    it.each<[string, (q: Queue<string>) => unknown]>([
      ['get', (q) => q.get()],
      ['get with a time-out', (q) => q.get({ timeoutMs: 60_000 })],
      ['tryGet', (q) => q.tryGet()],
      ['getNowait', (q) => q.getNowait()],
      ['getMany', (q) => q.getMany({ max: 1 })],
      ['tryGetMany', (q) => q.tryGetMany({ max: 1 })],
      ['for await', (q) => q[Symbol.asyncIterator]().next()],
      ...bench.blocking<[string, (q: Queue<string>) => unknown]>(
        ['getSync', (q) => q.getSync()],
        ['getManySync', (q) => q.getManySync({ max: 1 })],
      ),
    ])('counts what came by %s', async (_, take) => {
      const q = bench.strings();
      await q.put('a');
      await take(q);
      const joined = q.join();
      expect(await stateOf(joined)).toBe('pending');
      q.taskDone();
      await joined;
      expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
    });

    it('counts what came by a get that had waited', async () => {
      const q = bench.strings();
      const pending = q.get();
      await another(q).put('a');
      await pending;
      const joined = q.join();
      expect(await stateOf(joined)).toBe('pending');
      q.taskDone();
      await joined;
    });

    it('counts one for each call of getInto', async () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: 'raw' }));
      await q.put(new Uint8Array(10));
      await expect(q.getIntoAsync(new Uint8Array(4))).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      await q.getIntoAsync(new Uint8Array(10));
      const joined = q.join();
      expect(await stateOf(joined)).toBe('pending');
      q.taskDone();
      await joined;
    });

    it('counts each message of a batch', async () => {
      const q = bench.strings();
      await q.putMany(Array.from({ length: 300 }, String));
      const joined = q.join();
      for (let left = 300; left > 0;) {
        const { length } = await q.getMany();
        left -= length;
        for (let i = 0; i < length - 1; i++) q.taskDone();
        expect(await stateOf(joined)).toBe('pending');
        q.taskDone();
      }
      await joined;
      expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
    });

    it('does not count what could not be decoded: nobody got it', async () => {
      const codec = {
        encode: (text: string) => Buffer.from(text),
        decode(bytes: Uint8Array): string {
          if (bytes[0] === 0x21) throw new Error('poison');
          return Buffer.from(bytes).toString();
        },
      };
      const q = bench.keep(Queue.create(bench.name(), { codec }));
      await q.put('!');
      await expect(q.get()).rejects.toEqual(coded('ERR_DECODE'));
      await q.join({ timeoutMs: 0 });
      await q.putMany(['a', '!', 'b', '!']);
      const error = (await q.getMany().catch((thrown: unknown) => thrown)) as { values: unknown };
      expect(error).toEqual(coded('ERR_DECODE'));
      expect(error.values).toEqual(['a', 'b']);
      q.taskDone();
      expect(await stateOf(q.join())).toBe('pending');
      q.taskDone();
      await q.join({ timeoutMs: 0 });
    });

    it('refuses taskDone of a handle that has nothing unfinished', async () => {
      const q = bench.strings();
      const other = another(q);
      expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      await q.put('a');
      expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      await q.get();
      expect(thrownBy(() => other.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      q.taskDone();
      expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      await q.join({ timeoutMs: 0 });
    });

    it('does not wait for what the handle got that is closed', async () => {
      const q = bench.strings();
      const taker = another(q);
      await q.putMany(['a', 'b', 'c']);
      await taker.getMany({ max: 2 });
      const joined = q.join();
      taker.close();
      expect(await stateOf(joined)).toBe('pending');
      await q.get();
      q.taskDone();
      await joined;
      // The next one in its place starts with nothing.
      expect(thrownBy(() => another(q).taskDone())).toEqual(coded('ERR_NOT_OWNER'));
    });

    it('ends when the last handle that got something closes', async () => {
      const q = bench.strings();
      const taker = another(q);
      await q.put('a');
      await taker.get();
      const joined = q.join();
      expect(await stateOf(joined)).toBe('pending');
      taker.close();
      await joined;
    });

    it('goes on after the end of the queue', async () => {
      const q = bench.strings();
      await q.put('a');
      q.end();
      const joined = q.join();
      await q.get();
      await expect(q.get()).rejects.toEqual(coded('ERR_EOF'));
      expect(await stateOf(joined)).toBe('pending');
      q.taskDone();
      await joined;
    });

    it('gives up after timeoutMs, not before', async () => {
      const q = bench.strings();
      await q.put('a');
      const began = performance.now();
      await expect(q.join({ timeoutMs: 25 })).rejects.toMatchObject({
        name: 'TimeoutError',
        code: 'ERR_TIMEOUT',
      });
      expect(performance.now() - began).toBeGreaterThanOrEqual(25);
      await expect(q.join({ timeoutMs: 0 })).rejects.toThrow(q.name);
      // One that gave up leaves the others waiting.
      const other = q.join();
      await expect(q.join({ timeoutMs: 5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      await q.get();
      q.taskDone();
      await other;
    });

    it('can be aborted', async () => {
      const q = bench.strings();
      await q.join({ signal: new AbortController().signal });
      await q.put('a');
      const controller = new AbortController();
      const joined = q.join({ signal: controller.signal });
      expect(await stateOf(joined)).toBe('pending');
      controller.abort(new Error('enough'));
      await expect(joined).rejects.toThrow('enough');
      await expect(q.join({ signal: controller.signal })).rejects.toThrow('enough');
    });

    it('refuses what is no time-out and no signal', async () => {
      const q = bench.strings();
      await expect(q.join({ timeoutMs: NaN })).rejects.toEqual(coded('ERR_INVALID_ARG'));
      await expect(q.join({ signal: 1 as never })).rejects.toEqual(coded('ERR_INVALID_ARG'));
      await expect(q.join(null as never)).rejects.toEqual(coded('ERR_INVALID_ARG'));
    });

    it('is refused by a closed handle, and rejected when it closes', async () => {
      const q = bench.strings();
      await q.put('a');
      const joined = q.join();
      q.close();
      await expect(joined).rejects.toEqual(coded('ERR_CLOSED'));
      await expect(q.join()).rejects.toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => q.joinSync())).toEqual(coded('ERR_CLOSED'));
      const again = bench.keep(Queue.open<string>(q.name));
      again.unlink();
    });

    it('does not hold up gets and puts of its handle', async () => {
      const q = bench.small(1);
      await q.put('a');
      const joined = q.join();
      const put = q.put('b');
      expect(await q.get()).toBe('a');
      await put;
      expect(await q.get()).toBe('b');
      q.taskDone();
      expect(await stateOf(joined)).toBe('pending');
      q.taskDone();
      await joined;
    });
  });

  describe.skipIf(!subject.backend.capabilities.blocking)('joining by joinSync', () => {
    const bench = benchFor(subject);

    it('ends at once, or gives up after timeoutMs', async () => {
      const q = bench.strings();
      q.joinSync();
      await q.put('a');
      const began = performance.now();
      expect(thrownBy(() => q.joinSync({ timeoutMs: 25 }))).toEqual(coded('ERR_TIMEOUT'));
      expect(performance.now() - began).toBeGreaterThanOrEqual(25);
      expect(thrownBy(() => q.joinSync({ timeoutMs: 0 }))).toEqual(coded('ERR_TIMEOUT'));
      expect(thrownBy(() => q.joinSync({ signal: AbortSignal.abort() } as never))).toEqual(
        coded('ERR_INVALID_ARG'),
      );
    });

    it('blocks until somebody else has finished', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b']);
      const others = bench.whileBlocked(q.name, [
        { act: 'get' },
        { act: 'get' },
        { act: 'taskDone' },
        { act: 'put', value: 'c' },
        { act: 'taskDone' },
        { act: 'get' },
        { act: 'taskDone' },
      ]);
      q.joinSync({ timeoutMs: 60_000 });
      expect(q.size).toBe(0);
      await others;
    });

    it('refuses to wait for ever for what only its own handle could finish', async () => {
      const q = bench.strings();
      await q.put('a');
      await q.get();
      expect(thrownBy(() => q.joinSync())).toEqual(coded('ERR_DEADLOCK'));
      expect(thrownBy(() => q.joinSync({ timeoutMs: 1 }))).toEqual(coded('ERR_TIMEOUT'));
      q.taskDone();
      q.joinSync();
      if (!bench.capabilities.redelivery) return;
      await q.put('b');
      const m = await q.receive();
      expect(thrownBy(() => q.joinSync())).toEqual(coded('ERR_DEADLOCK'));
      m.ack();
      q.joinSync();
    });

    it('serves joins that are pending on the handle first', async () => {
      const q = bench.strings();
      await q.put('a');
      const order: string[] = [];
      const pending = q.join().then(() => order.push('join'));
      const others = bench.whileBlocked(q.name, [{ act: 'get' }, { act: 'taskDone' }]);
      q.joinSync({ timeoutMs: 60_000 });
      order.push('joinSync');
      await pending;
      await others;
      expect(order).toEqual(['joinSync', 'join']);
    });
  });

  describe.skipIf(subject.backend.capabilities.blocking)('joining where nothing can block', () => {
    const bench = benchFor(subject);

    it('is refused by name', () => {
      const q = bench.strings();
      expect(thrownBy(() => q.joinSync())).toEqual(coded('ERR_UNSUPPORTED'));
    });
  });

  describe.skipIf(!subject.backend.capabilities.redelivery)(
    'joining with unacknowledged messages',
    () => {
      const bench = benchFor(subject);
      const { Queue } = bench;

      it('waits until they are acknowledged, by whomever', async () => {
        const q = bench.strings();
        const holder = bench.keep(Queue.open<string>(q.name));
        await q.put('a');
        const m = await holder.receive();
        const joined = q.join();
        expect(await stateOf(joined)).toBe('pending');
        m.nack();
        expect(await stateOf(joined)).toBe('pending');
        const again = await holder.receive();
        holder.close();
        expect(await stateOf(joined)).toBe('pending');
        expect(thrownBy(() => again.ack())).toEqual(coded('ERR_CLOSED'));
        const third = await q.receive();
        expect(third.deliveries).toBe(3);
        third.ack();
        await joined;
        expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      });

      it('counts one that came back and was got as got', async () => {
        const q = bench.strings();
        await q.put('a');
        (await q.receive()).nack();
        await q.get();
        const joined = q.join();
        expect(await stateOf(joined)).toBe('pending');
        q.taskDone();
        await joined;
      });

      it('does not wait for dead letters', async () => {
        const letters = bench.name();
        const q = bench.keep(
          Queue.create(bench.name(), { codec: 'string', maxDeliveries: 1, deadLetter: letters }),
        );
        await q.put('poison');
        const joined = q.join();
        (await q.receive()).nack();
        expect(await stateOf(joined)).toBe('pending');
        expect(q.tryReceive()).toBe(undefined);
        await joined;
        const dead = bench.keep(Queue.open<string>(letters));
        expect(await stateOf(dead.join())).toBe('pending');
        expect(dead.tryGetMany()).toEqual(['poison']);
      });

      it.each<[string, (q: Queue<Uint8Array>) => unknown]>([
        ['get', (q) => q.get()],
        ['getMany', (q) => q.getMany({ max: 1 })],
        ['getIntoAsync', (q) => q.getIntoAsync(new Uint8Array(8))],
      ])('counts what came by %s where deliveries are counted', async (_, take) => {
        const q = bench.keep(
          Queue.create(bench.name(), { codec: 'raw', maxDeliveries: 1, deadLetter: bench.name() }),
        );
        await q.put(Uint8Array.of(1));
        await take(q);
        const joined = q.join();
        expect(await stateOf(joined)).toBe('pending');
        q.taskDone();
        await joined;
        expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      });

      it('does not count what could not be decoded where deliveries are counted', async () => {
        const codec = {
          encode: (text: string) => Buffer.from(text),
          decode(): string {
            throw new Error('poison');
          },
        };
        const deadLetter = bench.name();
        const q = bench.keep(Queue.create(bench.name(), { codec, maxDeliveries: 1, deadLetter }));
        await q.put('!');
        await expect(q.get()).rejects.toEqual(coded('ERR_DECODE'));
        await q.join({ timeoutMs: 0 });
      });
    },
  );
}
