import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { seededRandom } from './seeded-random.js';
import { benchFor, coded, stateOf } from './subject.js';
import type { Subject } from './subject.js';

const NUMBERS = Array.from({ length: 200 }, (_, i) => String(i));

function sorted(values: readonly string[]): string[] {
  return values.toSorted((a, b) => Number(a) - Number(b));
}

async function all<T>(stream: ReadableStream<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

export function webStreams(subject: Subject): void {
  describe.skipIf(!subject.backend.capabilities.redelivery)('a web stream to read', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('hands out every message in order and closes with the queue', async () => {
      const q = bench.strings();
      await q.putMany(NUMBERS);
      q.end();
      expect(await all(q.toReadableStream())).toEqual(NUMBERS);
      expect(await all(q.toReadableStream())).toEqual([]);
      expect(q.stats().unacknowledged).toBe(0);
    });

    it('waits for what is not there yet', async () => {
      const q = bench.strings();
      const reading = all(q.toReadableStream());
      await q.put('a');
      expect(await stateOf(reading)).toBe('pending');
      q.end();
      expect(await reading).toEqual(['a']);
    });

    it('takes nothing before it is read, and one for each read', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b', 'c']);
      const reader = q.toReadableStream().getReader();
      await turn();
      expect(q.size).toBe(3);
      expect(await reader.read()).toEqual({ value: 'a', done: false });
      await turn();
      expect(q.size).toBe(2);
      await reader.cancel();
      expect(await reader.read()).toEqual({ value: undefined, done: true });
      expect(q.tryGetMany()).toEqual(['b', 'c']);
    });

    it('serves reads that wait together in order', async () => {
      const q = bench.strings();
      const reader = q.toReadableStream().getReader();
      const reads = [reader.read(), reader.read(), reader.read()];
      await q.putMany(['a', 'b', 'c']);
      expect((await Promise.all(reads)).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
      await reader.cancel();
    });

    it('carries null and undefined', async () => {
      const q = bench.keep(Queue.create<unknown>(bench.name()));
      await q.putMany([null, undefined, 0]);
      q.end();
      expect(await all(q.toReadableStream())).toEqual([null, undefined, 0]);
    });

    it('loses nothing by a break', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b', 'c']);
      for await (const value of q.toReadableStream()) {
        if (value === 'b') break;
      }
      expect(q.tryGetMany()).toEqual(['c']);
      expect(q.stats().unacknowledged).toBe(0);
    });

    it('withdraws the get that is pending when it is cancelled', async () => {
      const q = bench.strings();
      const reader = q.toReadableStream().getReader();
      const read = reader.read();
      const later = q.get();
      await reader.cancel('enough');
      expect(await read).toEqual({ value: undefined, done: true });
      await q.put('a');
      expect(await later).toBe('a');
      await q.put('b');
      expect(q.getNowait()).toBe('b');
    });

    it('gives back what comes when its reader has let go', async () => {
      const q = bench.strings();
      const stream = q.toReadableStream();
      const first = stream.getReader();
      await turn();
      const read = first.read();
      first.releaseLock();
      await expect(read).rejects.toThrow();
      await q.put('a');
      await turn();
      expect(await q.get()).toBe('a');
      await q.put('b');
      const second = stream.getReader();
      expect(await second.read()).toEqual({ value: 'b', done: false });
      await second.cancel();
    });

    it('keeps for the next reader what came for the one before, and gives it back if nobody reads', async () => {
      for (const reads of [true, false]) {
        const q = bench.strings();
        const stream = q.toReadableStream();
        const first = stream.getReader();
        // A stream pulls only when it has started.
        await turn();
        const read = first.read();
        first.releaseLock();
        await expect(read).rejects.toThrow();
        const second = stream.getReader();
        await q.put('a');
        await turn();
        expect(q.stats().unacknowledged).toBe(1);
        if (reads) {
          expect(await second.read()).toEqual({ value: 'a', done: false });
          const next = second.read();
          await q.put('b');
          expect(await next).toEqual({ value: 'b', done: false });
          expect(q.stats().unacknowledged).toBe(0);
        }
        await second.cancel();
        expect(q.tryGetMany()).toEqual(reads ? [] : ['a']);
      }
    });

    it('is errored with what the queue rejects with', async () => {
      const q = bench.strings();
      const read = q.toReadableStream().getReader().read();
      q.close();
      await expect(read).rejects.toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => q.toReadableStream())).toEqual(coded('ERR_CLOSED'));
    });

    it('is errored by its signal, and takes nothing', async () => {
      const q = bench.strings();
      const controller = new AbortController();
      const reason = new Error('enough');
      const read = q.toReadableStream({ signal: controller.signal }).getReader().read();
      controller.abort(reason);
      await expect(read).rejects.toBe(reason);
      const late = q.toReadableStream({ signal: AbortSignal.abort(reason) });
      await expect(late.getReader().read()).rejects.toBe(reason);
      const usual = q.toReadableStream({ signal: AbortSignal.abort() });
      await expect(usual.getReader().read()).rejects.toEqual(coded('ABORT_ERR'));
      await q.put('a');
      expect(q.tryGetMany()).toEqual(['a']);
    });

    it('lets go of its signal when it is over', async () => {
      const q = bench.strings();
      const { signal } = new AbortController();
      const listeners = () => getEventListeners(signal, 'abort').length;
      const cancelled = q.toReadableStream({ signal });
      expect(listeners()).toBe(1);
      await cancelled.cancel();
      expect(listeners()).toBe(0);
      q.end();
      await all(q.toReadableStream({ signal }));
      expect(listeners()).toBe(0);
    });

    it('shares the messages with other streams', async () => {
      const q = bench.strings();
      const other = bench.keep(Queue.open<string>(q.name));
      const reading = [q.toReadableStream(), q.toReadableStream(), other.toReadableStream()].map(
        all,
      );
      await q.putMany(NUMBERS);
      q.end();
      expect(sorted((await Promise.all(reading)).flat())).toEqual(NUMBERS);
    });

    it('accounts for every message when it is cancelled at random moments', async () => {
      const random = seededRandom('web streams cancelled at random');
      for (let round = 0; round < 60; round++) {
        const q = bench.strings();
        const putting = (async () => {
          for (const value of NUMBERS) {
            await q.put(value);
            if (random() < 0.2) await turn();
          }
          q.end();
        })();
        const values: string[] = [];
        while (q.size > 0 || q.stats().puts < NUMBERS.length) {
          const controller = new AbortController();
          const stream = q.toReadableStream({ signal: controller.signal });
          const reader = stream.getReader();
          const reads: Promise<unknown>[] = [];
          const read = async () => {
            const { value, done } = await reader.read();
            if (!done) values.push(value);
          };
          for (let steps = Math.floor(random() * 10); steps > 0; steps--) {
            reads.push(read().catch(() => {}));
            if (random() < 0.5) await (random() < 0.5 ? turn() : Promise.resolve());
          }
          const end = random();
          if (end < 0.3) controller.abort();
          else if (end < 0.6) await Promise.all([reader.cancel(), ...reads]);
          else {
            reader.releaseLock();
            await stream.cancel();
          }
          controller.abort();
          await Promise.all(reads);
        }
        await putting;
        expect(sorted(values)).toEqual(NUMBERS);
        expect(q.stats().unacknowledged).toBe(0);
        q.close();
      }
    });
  });

  describe('a web stream to write', () => {
    const bench = benchFor(subject);

    it('puts every chunk in order, waiting for room', async () => {
      const q = bench.small(3);
      const values: string[] = [];
      const reading = (async () => {
        for await (const value of q) values.push(value);
      })();
      const source = new ReadableStream<string>({
        start(controller) {
          for (const value of NUMBERS) controller.enqueue(value);
          controller.close();
        },
      });
      await source.pipeTo(q.toWritableStream({ end: true }));
      await reading;
      expect(values).toEqual(NUMBERS);
    });

    it('leaves the queue to others when it is closed, unless told otherwise', async () => {
      const q = bench.strings();
      const first = q.toWritableStream().getWriter();
      await first.write('a');
      await first.close();
      await q.put('b');
      await q.toWritableStream({ end: true }).close();
      await expect(q.put('c')).rejects.toEqual(coded('ERR_ENDED'));
      expect(q.tryGetMany()).toEqual(['a', 'b']);
    });

    it('has its writer wait while the queue is full', async () => {
      const q = bench.small(1);
      const writer = q.toWritableStream({ highWaterMark: 2 }).getWriter();
      expect(writer.desiredSize).toBe(2);
      const writes = ['a', 'b', 'c'].map((value) => writer.write(value));
      await turn();
      expect(writer.desiredSize).toBe(0);
      expect(await stateOf(writer.ready)).toBe('pending');
      for (const value of ['a', 'b', 'c']) expect(await q.get()).toBe(value);
      await Promise.all(writes);
      await writer.ready;
      await writer.close();
    });

    it('withdraws the put that is pending when it is aborted', async () => {
      const q = bench.small(1);
      const reason = new Error('enough');
      const writer = q.toWritableStream({ end: true }).getWriter();
      const fates = ['a', 'b', 'c'].map((value) =>
        writer.write(value).then(
          () => 'put',
          (error: unknown) => error,
        ),
      );
      writer.closed.catch(() => {});
      await turn();
      const later = q.put('d');
      await writer.abort(reason);
      expect(await Promise.all(fates)).toEqual(['put', reason, reason]);
      expect(q.getNowait()).toBe('a');
      await later;
      expect(q.tryGetMany()).toEqual(['d']);
    });

    it('lets go of its signal when it is over', async () => {
      const q = bench.strings();
      const { signal } = new AbortController();
      const listeners = () => getEventListeners(signal, 'abort').length;
      const aborted = q.toWritableStream({ signal });
      await turn();
      expect(listeners()).toBe(1);
      await aborted.abort();
      await q.toWritableStream({ signal }).close();
      expect(listeners()).toBe(0);
      q.end();
      const writer = q.toWritableStream({ signal }).getWriter();
      await expect(writer.write('a')).rejects.toEqual(coded('ERR_ENDED'));
      await expect(writer.closed).rejects.toEqual(coded('ERR_ENDED'));
      expect(listeners()).toBe(0);
    });

    it('is errored by its signal, whether it waits or not', async () => {
      for (const waits of [true, false]) {
        const q = bench.small(1);
        const reason = new Error('enough');
        const controller = new AbortController();
        const writer = q.toWritableStream({ signal: controller.signal }).getWriter();
        const fates = [writer.write('a')];
        if (waits) fates.push(writer.write('b'));
        await turn();
        controller.abort(reason);
        await expect(writer.closed).rejects.toBe(reason);
        const settled = await Promise.allSettled(fates);
        expect(settled.map(({ status }) => status)).toEqual(
          waits ? ['fulfilled', 'rejected'] : ['fulfilled'],
        );
        expect(q.tryGetMany()).toEqual(['a']);
      }
      const late = bench.strings().toWritableStream({ signal: AbortSignal.abort() });
      await expect(late.getWriter().write('a')).rejects.toEqual(coded('ABORT_ERR'));
    });

    it('is errored with what put rejects with', async () => {
      const ended = bench.strings();
      ended.end();
      const writer = ended.toWritableStream().getWriter();
      await expect(writer.write('a')).rejects.toEqual(coded('ERR_ENDED'));
      await expect(writer.closed).rejects.toEqual(coded('ERR_ENDED'));
      const closing = bench.small(1);
      await closing.put('a');
      const pending = closing.toWritableStream().getWriter().write('b');
      await turn();
      closing.unlink();
      closing.close();
      await expect(pending).rejects.toEqual(coded('ERR_CLOSED'));
    });

    it('accounts for every chunk when it is aborted at random moments', async () => {
      const random = seededRandom('web streams aborted at random');
      for (let round = 0; round < 60; round++) {
        const q = bench.small(1 + Math.floor(random() * 4));
        const reader = bench.keep(bench.Queue.open<string>(q.name));
        const got: string[] = [];
        const reading = (async () => {
          for await (const value of reader) {
            got.push(value);
            if (random() < 0.3) await turn();
          }
        })();
        const put: string[] = [];
        for (let next = 0; next < NUMBERS.length;) {
          const controller = new AbortController();
          const stream = q.toWritableStream({ signal: controller.signal });
          const writer = stream.getWriter();
          writer.closed.catch(() => {});
          writer.ready.catch(() => {});
          const fates: Promise<unknown>[] = [];
          for (let count = Math.floor(random() * 20); count > 0; count--) {
            const value = NUMBERS[next++];
            if (value === undefined) break;
            const written = writer.write(value).then(() => put.push(value));
            fates.push(written.catch(() => {}));
            if (random() < 0.2) await turn();
          }
          if (random() < 0.5) await Promise.all([writer.abort(), ...fates]);
          else controller.abort();
          await Promise.all(fates);
        }
        q.end();
        await reading;
        expect(got).toEqual(put);
        q.close();
      }
    });
  });
}
