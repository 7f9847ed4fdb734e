import { describe, expect, it } from 'vitest';

import type { Queue } from '../../src/primitives/queue.js';
import { benchFor, coded, stateOf } from './subject.js';
import type { Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

export function delivery(subject: Subject): void {
  describe.skipIf(!subject.backend.capabilities.redelivery)('receiving', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('hands over a message that is gone once acknowledged', async () => {
      const q = bench.strings();
      await q.put('job');
      const m = await q.receive();
      expect([m.value, m.redelivered, m.deliveries]).toEqual(['job', false, 1]);
      expect([q.size, q.stats().unacknowledged]).toEqual([0, 1]);
      m.ack();
      expect(q.stats().unacknowledged).toBe(0);
      expect(q.tryReceive()).toBe(undefined);
    });

    it('delivers again what is given back, ahead of newer messages', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b', 'c']);
      const [a, b] = [await q.receive(), await q.receive()];
      b.nack();
      a.nack();
      const again = await q.receive();
      expect([again.value, again.redelivered, again.deliveries]).toEqual(['a', true, 2]);
      again.ack();
      expect(await q.get()).toBe('b');
      expect(await q.get()).toBe('c');
      expect(q.stats().redelivered).toBe(2);
    });

    it('delivers to another when the holder closes', async () => {
      const q = bench.strings();
      const holder = bench.keep(Queue.open<string>(q.name));
      await q.putMany(['a', 'b']);
      const m = await holder.receive();
      const pending = q.receive();
      const b = await pending;
      expect(b.value).toBe('b');
      const next = q.receive();
      expect(await stateOf(next)).toBe('pending');
      holder.close();
      const again = await next;
      expect([again.value, again.redelivered]).toEqual(['a', true]);
      expect(thrownBy(() => m.ack())).toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => m.nack())).toEqual(coded('ERR_CLOSED'));
      m[Symbol.dispose]();
    });

    it('wakes those who wait for what is given back', async () => {
      const q = bench.strings();
      await q.put('a');
      const m = await q.receive();
      const pending = bench.keep(Queue.open<string>(q.name)).get();
      m.nack();
      expect(await pending).toBe('a');
    });

    it('can be settled once', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b']);
      const [a, b] = [await q.receive(), await q.receive()];
      a.ack();
      expect(thrownBy(() => a.ack())).toEqual(coded('ERR_NOT_OWNER'));
      expect(thrownBy(() => a.nack())).toEqual(coded('ERR_NOT_OWNER'));
      b.nack();
      expect(thrownBy(() => b.nack())).toEqual(coded('ERR_NOT_OWNER'));
      expect(thrownBy(() => b.ack())).toEqual(coded('ERR_NOT_OWNER'));
      expect(q.tryGetMany()).toEqual(['b']);
    });

    it('gives back at the end of its block unless acknowledged', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b']);
      const [a, b] = [await q.receive(), await q.receive()];
      a.ack();
      a[Symbol.dispose]();
      b[Symbol.dispose]();
      b[Symbol.dispose]();
      expect(q.tryGetMany()).toEqual(['b']);
    });

    it('may hold a message while the queue goes on', async () => {
      const q = bench.strings({ capacityBytes: 4096 });
      await q.put('held');
      const m = await q.receive();
      for (let i = 0; i < 500; i++) {
        await q.put('x'.repeat(500));
        expect(await q.get()).toHaveLength(500);
      }
      m.nack();
      expect(await q.get()).toBe('held');
    });

    it('refuses to hold without limit, and loses nothing', async () => {
      const q = bench.strings({ capacityBytes: 4096 });
      const held = [];
      let error: unknown;
      for (let i = 0; i < 5000 && error === undefined; i++) {
        await q.put(String(i));
        try {
          held.push(await q.receive());
        } catch (thrown) {
          error = thrown;
        }
      }
      expect(error).toEqual(coded('ERR_UNACKED'));
      expect(held.length).toBeGreaterThan(10);
      held[0]?.ack();
      const next = await q.receive();
      expect(next.value).toBe(String(held.length));
    });

    it('gives back what cannot be decoded', async () => {
      const codec = {
        encode: (text: string) => Buffer.from(text),
        decode(bytes: Uint8Array): string {
          if (bytes[0] === 0x21) throw new Error('poison');
          return Buffer.from(bytes).toString();
        },
      };
      const q = bench.keep(Queue.create(bench.name(), { codec }));
      await q.put('!');
      await expect(q.receive()).rejects.toEqual(coded('ERR_DECODE'));
      expect([q.size, q.stats().unacknowledged]).toEqual([1, 0]);
      await expect(q.get()).rejects.toEqual(coded('ERR_DECODE'));
      expect(q.size).toBe(0);
    });

    it('takes nothing by tryReceive from an empty queue', () => {
      const q = bench.strings();
      expect(q.tryReceive()).toBe(undefined);
      q.putNowait('a');
      const m = q.tryReceive();
      expect(m?.value).toBe('a');
      m?.ack();
    });
  });

  describe.skipIf(!subject.backend.capabilities.redelivery)('dead letters', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    function withLetters(maxDeliveries = 2): { q: Queue<string>; letters: string } {
      const letters = bench.name();
      const q = bench.keep(
        Queue.create(bench.name(), { codec: 'string', maxDeliveries, deadLetter: letters }),
      );
      return { q, letters };
    }

    async function fail(q: Queue<string>, times: number): Promise<void> {
      for (let i = 0; i < times; i++) (await q.receive()).nack();
    }

    it('are what was delivered maxDeliveries times', async () => {
      const { q, letters } = withLetters(2);
      await q.putMany(['poison', 'fine']);
      await fail(q, 2);
      const m = await q.receive();
      expect([m.value, m.deliveries]).toEqual(['fine', 1]);
      m.ack();
      expect(q.stats().unacknowledged).toBe(0);
      // They keep their queue, and nobody keeps it open for them.
      const listed = bench.backend.registry.list();
      expect(listed.find(({ name }) => name === letters)).toMatchObject({
        size: 1,
        participants: 0,
      });
      const dead = bench.keep(Queue.open<string>(letters));
      expect(dead.tryGetMany()).toEqual(['poison']);
    });

    it('are not what was delivered less often', async () => {
      const { q } = withLetters(2);
      await q.put('fine at last');
      await fail(q, 1);
      const m = await q.receive();
      expect([m.value, m.deliveries]).toEqual(['fine at last', 2]);
      m.ack();
    });

    it.each<[string, (q: Queue<string>) => unknown]>([
      ['get', (q) => q.get()],
      ['get with a time-out', (q) => q.get({ timeoutMs: 60_000 })],
      ['tryGet', (q) => q.tryGet()],
      ['getNowait', (q) => q.getNowait()],
      ['getMany', async (q) => (await q.getMany({ max: 1 }))[0]],
      ['for await', async (q) => (await q[Symbol.asyncIterator]().next()).value],
      ['tryReceive', (q) => q.tryReceive()?.value],
    ])('are passed over by %s', async (_, take) => {
      const { q, letters } = withLetters(1);
      await q.putMany(['poison', 'fine']);
      await fail(q, 1);
      expect(await take(q)).toBe('fine');
      expect(bench.keep(Queue.open<string>(letters)).tryGetMany()).toEqual(['poison']);
    });

    it('leave gets as they are for everything else', async () => {
      const { q } = withLetters(1);
      await q.putMany(['a', 'b', 'c', 'd']);
      expect(await q.get()).toBe('a');
      expect(await q.getMany({ max: 2 })).toEqual(['b', 'c']);
      expect(q.getNowait()).toBe('d');
      expect(q.tryGet()).toBe(undefined);
      const pending = q.get();
      await q.put('e');
      expect(await pending).toBe('e');
      expect(q.stats().unacknowledged).toBe(0);
    });

    it('are passed over by getInto', async () => {
      const letters = bench.name();
      const q = bench.keep(
        Queue.create(bench.name(), { codec: 'raw', maxDeliveries: 1, deadLetter: letters }),
      );
      await q.putMany([Uint8Array.of(6), Uint8Array.of(1, 2)]);
      (await q.receive()).nack();
      const buffer = new Uint8Array(2);
      expect(await q.getIntoAsync(buffer)).toBe(2);
      expect(buffer).toEqual(Uint8Array.of(1, 2));
      await q.put(new Uint8Array(3));
      await expect(q.getIntoAsync(buffer)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(q.size).toBe(1);
      const dead = bench.keep(Queue.open<Uint8Array>(letters));
      expect(dead.tryGetMany()).toEqual([Uint8Array.of(6)]);
    });

    it('leave batches the error of a message that cannot be decoded', async () => {
      const codec = {
        encode: (text: string) => Buffer.from(text),
        decode(bytes: Uint8Array): string {
          if (bytes[0] === 0x21) throw new Error('poison');
          return Buffer.from(bytes).toString();
        },
      };
      const q = bench.keep(
        Queue.create(bench.name(), { codec, maxDeliveries: 1, deadLetter: bench.name() }),
      );
      await q.putMany(['a', '!', 'b']);
      await expect(q.getMany()).rejects.toMatchObject({ code: 'ERR_DECODE', values: ['a'] });
      expect(await q.getMany()).toEqual(['b']);
      // It was handed to nobody.
      q.taskDone();
      q.taskDone();
      expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      await q.join();
    });

    it('that cannot be moved leave batches what came before them', async () => {
      const { q, letters } = withLetters(2);
      const dead = bench.keep(Queue.create(letters, { codec: 'string', maxItems: 1 }));
      await dead.put('full');
      await q.putMany(['fine', 'poison']);
      const [fine, poison] = [await q.receive(), await q.receive()];
      poison.nack();
      (await q.receive()).nack();
      fine.nack();
      expect(await q.getMany()).toEqual(['fine']);
      await expect(q.getMany()).rejects.toEqual(coded('ERR_FULL'));
      expect([q.size, q.stats().unacknowledged]).toEqual([1, 0]);
    });

    it('are not what did not fit into a buffer', async () => {
      const letters = bench.name();
      const q = bench.keep(
        Queue.create(bench.name(), { codec: 'raw', maxDeliveries: 1, deadLetter: letters }),
      );
      await q.putMany([Uint8Array.of(1, 2, 3), new Uint8Array(70_000)]);
      const small = new Uint8Array(2);
      for (let i = 0; i < 3; i++) {
        await expect(q.getIntoAsync(small)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      }
      const m = await q.receive();
      expect([m.value.length, m.deliveries]).toEqual([3, 1]);
      m.ack();
      await expect(q.getIntoAsync(small)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(await q.getIntoAsync(new Uint8Array(70_000))).toBe(70_000);
      expect([q.size, q.stats().unacknowledged]).toEqual([0, 0]);
      expect(bench.backend.registry.list().map(({ name }) => name)).not.toContain(letters);
    });

    it('that do not fit into a buffer are passed over too', async () => {
      const letters = bench.name();
      const q = bench.keep(
        Queue.create(bench.name(), { codec: 'raw', maxDeliveries: 1, deadLetter: letters }),
      );
      await q.putMany([new Uint8Array(100), Uint8Array.of(1)]);
      (await q.receive()).nack();
      expect(await q.getIntoAsync(new Uint8Array(2))).toBe(1);
      expect(bench.keep(Queue.open(letters, { codec: 'raw' })).size).toBe(1);
    });

    it('reach a call that waits for the message after them', async () => {
      const { q, letters } = withLetters(1);
      await q.put('poison');
      const m = await q.receive();
      const pending = q.get();
      m.nack();
      expect(await stateOf(pending)).toBe('pending');
      expect(bench.keep(Queue.open<string>(letters)).tryGetMany()).toEqual(['poison']);
      await q.put('fine');
      expect(await pending).toBe('fine');
    });

    it('stay in the queue while there is no room for them', async () => {
      const { q, letters } = withLetters(1);
      const dead = bench.keep(Queue.create(letters, { codec: 'string', maxItems: 1 }));
      await dead.put('full');
      await q.put('poison');
      await fail(q, 1);
      await expect(q.receive()).rejects.toMatchObject({ name: 'QueueFull', code: 'ERR_FULL' });
      await expect(q.get()).rejects.toThrow(letters);
      expect(thrownBy(() => q.tryGet())).toEqual(coded('ERR_FULL'));
      expect([q.size, q.stats().unacknowledged]).toEqual([1, 0]);
      expect(dead.tryGetMany()).toEqual(['full']);
      expect(q.tryGet()).toBe(undefined);
      expect(dead.tryGetMany()).toEqual(['poison']);
    });

    it('stay in the queue while theirs has another codec, or was ended', async () => {
      const { q, letters } = withLetters(1);
      const other = Queue.create(letters, { codec: 'json' });
      await q.put('poison');
      await fail(q, 1);
      await expect(q.get()).rejects.toEqual(coded('ERR_MISMATCH'));
      other.close();
      const ended = bench.keep(Queue.create(letters, { codec: 'string' }));
      ended.end();
      await expect(q.get()).rejects.toEqual(coded('ERR_ENDED'));
      expect([q.size, q.stats().unacknowledged]).toEqual([1, 0]);
    });
  });

  describe.skipIf(subject.backend.capabilities.redelivery)(
    'where nothing can be redelivered',
    () => {
      const bench = benchFor(subject);

      it('receiving is refused by name', async () => {
        const q = bench.strings();
        await expect(q.receive()).rejects.toEqual(coded('ERR_UNSUPPORTED'));
        await expect(q.receive()).rejects.toThrow("'redelivery'");
        expect(thrownBy(() => q.tryReceive())).toEqual(coded('ERR_UNSUPPORTED'));
        expect(thrownBy(() => q.receiveSync())).toEqual(coded('ERR_UNSUPPORTED'));
      });
    },
  );
}
