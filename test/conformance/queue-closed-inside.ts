import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import type { Queue } from '../../src/primitives/queue.js';
import { thrownBy } from '../unit/thrown-by.js';
import { benchFor, coded, stateOf } from './subject.js';
import type { Subject } from './subject.js';

/** A codec that does something before it decodes. */
function codecThat(before: () => void) {
  return {
    encode: (text: string) => Buffer.from(text),
    decode(bytes: Uint8Array): string {
      before();
      return Buffer.from(bytes).toString();
    },
  };
}

export function closedInside(subject: Subject): void {
  describe('a call that is ended by code which it runs itself', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    /** Two handles of a queue of strings; the first one's codec does something before it decodes. */
    function pair(before: () => void): [Queue<string>, Queue<string>] {
      const name = bench.name();
      const q = bench.keep(Queue.create(name, { codec: codecThat(before) }));
      return [q, bench.keep(Queue.open(name, { codec: codecThat(() => {}) }))];
    }

    it('gets what it had taken by then', async () => {
      const controller = new AbortController();
      const [q, peer] = pair(() => controller.abort());
      const pending = q.get({ signal: controller.signal });
      await peer.put('taken');
      expect(await pending).toBe('taken');
      const [closing, other] = pair(() => closing.close());
      const closed = closing.get();
      await other.put('taken too');
      expect(await closed).toBe('taken too');
    });

    it.skipIf(!subject.backend.capabilities.blocking)('cannot block behind itself', async () => {
      const [q, peer] = pair(() => q.getSync());
      const pending = q.get();
      await peer.putMany(['a', 'b']);
      await expect(pending).rejects.toMatchObject({
        code: 'ERR_DECODE',
        cause: coded('ERR_DEADLOCK'),
      });
      expect(await peer.get()).toBe('b');
    });

    describe.skipIf(!subject.backend.capabilities.redelivery)('gives back', () => {
      it('what it was to receive, if the handle is closed', async () => {
        const [q, peer] = pair(() => q.close());
        const pending = q.receive();
        await peer.put('a');
        await expect(pending).rejects.toEqual(coded('ERR_CLOSED'));
        expect(peer.tryGet()).toBe('a');
        const [again, other] = pair(() => again.close());
        await other.put('b');
        await expect(again.receive()).rejects.toEqual(coded('ERR_CLOSED'));
        expect(other.tryGet()).toBe('b');
      });

      it.each([['that is there'], ['that it waited for']])(
        'a message %s when its stream is destroyed',
        async (which) => {
          const [q, peer] = pair(() => stream.destroy());
          const stream = q.toReadable();
          const chunks: string[] = [];
          stream.on('data', (chunk: string) => chunks.push(chunk));
          if (which === 'that it waited for') await stateOf(once(stream, 'close'));
          await peer.put('a');
          if (!stream.closed) await once(stream, 'close');
          expect(chunks).toEqual([]);
          expect(await peer.get()).toBe('a');
        },
      );
    });
  });

  describe('a handle that is closed by code which it runs itself', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    /** Closes `q`, and opens another queue, which may get what was its place. */
    function closeAndOpen<T>(q: Queue<T>): Queue<unknown> {
      q.close();
      return bench.keep(Queue.create(bench.name()));
    }

    const puts: [string, (q: Queue<unknown>, value: unknown) => unknown][] = [
      ['put', (q, value) => q.put(value)],
      ['put with a time-out', (q, value) => q.put(value, { timeoutMs: 60_000 })],
      ['putMany', (q, value) => q.putMany(['a', value])],
      ['tryPut', async (q, value) => q.tryPut(value)],
      ['putNowait', async (q, value) => q.putNowait(value)],
    ];
    if (subject.backend.capabilities.blocking) {
      puts.push(['putSync', async (q, value) => q.putSync(value)]);
      puts.push(['putManySync', async (q, value) => q.putManySync(['a', value])]);
    }

    it.each(puts)('puts nothing anywhere: %s', async (_, put) => {
      const q = Queue.create<unknown>(bench.name());
      const others: Queue[] = [];
      const value = {
        get closing() {
          others.push(closeAndOpen(q));
          return 1;
        },
      };
      await expect(put(q, value)).rejects.toEqual(coded('ERR_CLOSED'));
      expect(others.map(({ size }) => size)).toEqual([0]);
    });

    it('still hands over what it took', async () => {
      const name = bench.name();
      const codec = codecThat(() => closeAndOpen(q));
      const q: Queue<string> = Queue.create(name, { codec });
      q.putNowait('taken');
      expect(q.getNowait()).toBe('taken');
    });

    describe.skipIf(!subject.backend.capabilities.redelivery)('gives back', () => {
      const gets: [string, (q: Queue<string>) => unknown][] = [
        ['tryReceive', (q) => q.tryReceive()],
        ['tryGet, where deliveries are counted', (q) => q.tryGet()],
        ['tryGetMany, where deliveries are counted', (q) => q.tryGetMany()],
      ];

      it.each(gets)('what it could not decode, and nothing else: %s', (_, get) => {
        const others: Queue[] = [];
        const [name, letters] = [bench.name(), bench.name()];
        const codec = codecThat(() => {
          const other = closeAndOpen(q);
          others.push(other);
          other.putNowait('received');
          other.tryReceive();
          throw new Error('poison');
        });
        const q: Queue<string> = Queue.create(name, {
          codec,
          maxDeliveries: 9,
          deadLetter: letters,
        });
        const peer = bench.keep(Queue.open(name, { codec: codecThat(() => {}) }));
        q.putNowait('x');
        expect(thrownBy(() => get(q))).toEqual(coded('ERR_DECODE'));
        expect(others.map((other) => other.stats().unacknowledged)).toEqual([1]);
        expect(peer.tryGet()).toBe('x');
      });

      it('what it had decoded, where deliveries are counted', () => {
        const [name, letters] = [bench.name(), bench.name()];
        const codec = codecThat(() => closeAndOpen(q));
        const q: Queue<string> = Queue.create(name, {
          codec,
          maxDeliveries: 9,
          deadLetter: letters,
        });
        const peer = bench.keep(Queue.open(name, { codec: codecThat(() => {}) }));
        q.putNowait('x');
        expect(thrownBy(() => q.tryGet())).toEqual(coded('ERR_CLOSED'));
        expect(peer.tryGet()).toBe('x');
      });
    });
  });
}
