import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { PeekedMessage, ReservedSlot } from '../../src/primitives/lease.js';
import type { Queue } from '../../src/primitives/queue.js';
import { benchFor, coded, rows, stateOf } from './subject.js';
import type { Bench, Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

/** As the contract says. */
const MAX_LEASES = 8;
const BLOCK_BYTES = 64;

function raw(
  bench: Bench,
  options: { capacityBytes?: number; maxItems?: number; maxMessageBytes?: number } = {},
): Queue<Uint8Array> {
  return bench.keep(bench.Queue.create(bench.name(), { codec: 'raw', ...options }));
}

function put(q: Queue<Uint8Array>, ...firstBytes: number[]): void {
  for (const byte of firstBytes) q.putNowait(Uint8Array.of(byte));
}

/** How many of the smallest messages fit now; leaves the queue empty. */
function room(q: Queue<Uint8Array>): number {
  let count = 0;
  while (q.tryPut(new Uint8Array(1))) count++;
  for (let i = 0; i < count; i++) q.getNowait();
  return count;
}

function commitBytes(slot: ReservedSlot, ...values: number[]): void {
  slot.bytes.set(values);
  slot.commit();
}

function releaseBytes(message: PeekedMessage): number[] {
  const values = [...message.bytes];
  message.release();
  return values;
}

export function leases(subject: Subject): void {
  describe.skipIf(!subject.backend.capabilities.leases)('reserving', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('gives room whose bytes become a message by commit', async () => {
      const q = raw(bench);
      const slot = q.reserve(3);
      expect([slot.byteLength, slot.bytes.length, slot.bytes.constructor]).toEqual([
        3,
        3,
        Uint8Array,
      ]);
      expect([slot.bytes.byteOffset, slot.bytes.buffer.byteLength]).toEqual([0, 3]);
      commitBytes(slot, 1, 2, 3);
      expect(await q.get()).toEqual(Uint8Array.of(1, 2, 3));
      expect(q.stats()).toMatchObject({ puts: 1, gets: 1, putBytes: 3, gotBytes: 3 });
    });

    it.each([0, 1, 64, 65, 4096, 65_536])('takes %i bytes, every one of them', (length) => {
      const q = raw(bench);
      // Not at the start of the memory, so that large ones go around its end.
      if (length < 65_536) put(q, 1);
      const slot = q.reserve(length);
      const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
      slot.bytes.set(bytes);
      slot.commit();
      if (length < 65_536) q.getNowait();
      expect(q.getNowait()).toEqual(bytes);
      expect(q.tryGet()).toBe(undefined);
    });

    it('commits less than was reserved', () => {
      const q = raw(bench);
      const slot = q.reserve(1000);
      slot.bytes.set([7, 8, 9]);
      slot.commit(2);
      expect(q.getNowait()).toEqual(Uint8Array.of(7, 8));
      q.reserve(1000).commit(0);
      expect(q.getNowait()).toEqual(new Uint8Array(0));
    });

    it.each(rows<unknown>([4, -1, 1.5, Number.NaN, '2', null]))(
      'refuses to commit %s of 3 bytes, and keeps the slot',
      (_, length) => {
        const q = raw(bench);
        const slot = q.reserve(3);
        expect(thrownBy(() => slot.commit(length as number))).toEqual(coded('ERR_INVALID_ARG'));
        commitBytes(slot, 1, 2, 3);
        expect(q.getNowait()).toEqual(Uint8Array.of(1, 2, 3));
      },
    );

    it.each(rows<unknown>([undefined, -1, 1.5, Number.NaN, '2', new Uint8Array(2)]))(
      'refuses %s as a number of bytes',
      async (_, bytes) => {
        const q = raw(bench);
        expect(thrownBy(() => q.reserve(bytes as number))).toEqual(coded('ERR_INVALID_ARG'));
        await expect(q.reserveWhenAvailable(bytes as number)).rejects.toEqual(
          coded('ERR_INVALID_ARG'),
        );
      },
    );

    it('refuses what never fits', async () => {
      const q = raw(bench, { maxMessageBytes: 100 });
      expect(thrownBy(() => q.reserve(101))).toEqual(coded('ERR_TOO_LARGE'));
      await expect(q.reserveWhenAvailable(101)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      q.reserve(100).abort();
    });

    it('refuses what would stand beside the queue', () => {
      const q = raw(bench, { capacityBytes: 4096 });
      expect(thrownBy(() => q.reserve(4097))).toEqual(coded('ERR_TOO_LARGE'));
      q.reserve(4096).abort();
    });

    it('hides later messages until it is committed, and comes before them', async () => {
      const q = raw(bench);
      put(q, 1);
      const slot = q.reserve(1);
      put(q, 3, 4);
      expect(q.getNowait()).toEqual(Uint8Array.of(1));
      expect(q.tryGet()).toBe(undefined);
      const pending = [q.get(), q.get(), q.get()];
      expect(await stateOf(Promise.race(pending))).toBe('pending');
      commitBytes(slot, 2);
      expect(await Promise.all(pending)).toEqual([2, 3, 4].map((n) => Uint8Array.of(n)));
    });

    it('hides later messages until it is aborted, which wakes all who wait for them', async () => {
      const q = raw(bench);
      const others = [1, 2].map(() => bench.keep(Queue.open<Uint8Array>(q.name)));
      const slot = q.reserve(1);
      put(q, 3, 4);
      const pending = others.map((other) => other.get());
      expect(await stateOf(Promise.race(pending))).toBe('pending');
      slot.abort();
      const got = await Promise.all(pending);
      expect(got.map((bytes) => bytes[0]).sort()).toEqual([3, 4]);
    });

    it('frees its room by abort', async () => {
      const q = raw(bench, { capacityBytes: 4096 });
      const all = room(q);
      expect(all).toBe(4096 / BLOCK_BYTES);
      const slot = q.reserve(4096);
      expect([q.tryPut(new Uint8Array(1)), q.isFull]).toEqual([false, true]);
      const pending = q.put(Uint8Array.of(1));
      expect(await stateOf(pending)).toBe('pending');
      slot.abort();
      await pending;
      expect(q.getNowait()).toEqual(Uint8Array.of(1));
      expect(room(q)).toBe(all);
      expect(q.stats().puts).toBe(2 * all + 1);
    });

    it('is no message when it was aborted, whatever lies before and behind it', () => {
      const q = raw(bench);
      put(q, 1);
      const slots = [q.reserve(1), q.reserve(1)];
      put(q, 2);
      for (const slot of slots) slot.abort();
      expect(q.size).toBe(2);
      q.getNowait();
      expect(q.size).toBe(1);
      q.getNowait();
      expect([q.size, q.isEmpty]).toEqual([0, true]);
      q.reserve(1).abort();
      expect([q.size, q.isEmpty]).toEqual([0, true]);
      const { name } = q;
      q.close();
      // Nothing is left that would keep it.
      expect(thrownBy(() => Queue.open(name))).toEqual(coded('ERR_NOT_FOUND'));
    });

    it('frees the room of a shorter message once that is read', () => {
      const q = raw(bench, { capacityBytes: 4096 });
      const all = room(q);
      q.reserve(4096).commit(1);
      expect(q.isFull).toBe(true);
      q.getNowait();
      expect(room(q)).toBe(all);
    });

    it('throws QueueFull when there is no room, and waits in reserveWhenAvailable', async () => {
      const q = raw(bench, { capacityBytes: 4096 });
      const first = q.reserve(4096);
      expect(thrownBy(() => q.reserve(1))).toMatchObject({ name: 'QueueFull', code: 'ERR_FULL' });
      await expect(q.reserveWhenAvailable(1, { timeoutMs: 5 })).rejects.toEqual(
        coded('ERR_TIMEOUT'),
      );
      await expect(q.reserveWhenAvailable(1, { timeoutMs: 0 })).rejects.toEqual(
        coded('ERR_TIMEOUT'),
      );
      const abort = new AbortController();
      const aborted = q.reserveWhenAvailable(1, { signal: abort.signal });
      abort.abort();
      await expect(aborted).rejects.toEqual(coded('ABORT_ERR'));
      const pending = q.reserveWhenAvailable(4096);
      expect(await stateOf(pending)).toBe('pending');
      // It has its turn.
      expect(thrownBy(() => q.reserve(1))).toEqual(coded('ERR_FULL'));
      first.commit();
      q.getNowait();
      const slot = await pending;
      expect(slot.bytes.length).toBe(4096);
      slot.abort();
    });

    it('keeps its turn among the puts of its handle', async () => {
      const q = raw(bench, { maxItems: 1 });
      put(q, 1);
      const second = q.put(Uint8Array.of(2));
      const third = q.reserveWhenAvailable(1);
      const fourth = q.put(Uint8Array.of(4));
      expect(await q.get()).toEqual(Uint8Array.of(1));
      await second;
      expect(await q.get()).toEqual(Uint8Array.of(2));
      commitBytes(await third, 3);
      expect(await q.get()).toEqual(Uint8Array.of(3));
      await fourth;
      expect(await q.get()).toEqual(Uint8Array.of(4));
    });

    it.each(bench.blocking('blocking'))('waits by %s too', async () => {
      const q = raw(bench, { capacityBytes: 4096 });
      const slot = q.reserveWhenAvailableSync(4096);
      expect(thrownBy(() => q.reserveWhenAvailableSync(1, { timeoutMs: 5 }))).toEqual(
        coded('ERR_TIMEOUT'),
      );
      expect(
        thrownBy(() =>
          q.reserveWhenAvailableSync(1, { signal: new AbortController().signal } as object),
        ),
      ).toEqual(coded('ERR_INVALID_ARG'));
      slot.abort();
      q.reserveWhenAvailableSync(1).abort();
    });

    it('ends once', () => {
      const q = raw(bench);
      const [committed, aborted] = [q.reserve(1), q.reserve(1)];
      const arrays = [committed.bytes, aborted.bytes];
      committed.commit();
      aborted.abort();
      for (const slot of [committed, aborted]) {
        expect(thrownBy(() => slot.bytes)).toEqual(coded('ERR_NOT_OWNER'));
        expect(thrownBy(() => slot.commit())).toEqual(coded('ERR_NOT_OWNER'));
        expect(thrownBy(() => slot.abort())).toEqual(coded('ERR_NOT_OWNER'));
        slot[Symbol.dispose]();
        expect(slot.byteLength).toBe(1);
      }
      expect(arrays.map((bytes) => bytes.length)).toEqual([0, 0]);
      expect(q.stats().puts).toBe(1);
      expect(q.getNowait()).toHaveLength(1);
      expect(q.tryGet()).toBe(undefined);
    });

    it('detaches every array over its memory', () => {
      const q = raw(bench);
      const slot = q.reserve(64);
      const kept = [
        slot.bytes,
        slot.bytes.subarray(1, 9),
        new Float64Array(slot.bytes.buffer),
        Buffer.from(slot.bytes.buffer),
      ];
      slot.commit();
      expect(kept.map((array) => array.byteLength)).toEqual([0, 0, 0, 0]);
      (kept[0] as Uint8Array)[0] = 1;
      expect(() => kept[3]?.fill(1)).toThrow(TypeError);
      const next = q.reserve(64);
      expect([next.bytes.length, kept[0]?.length]).toEqual([64, 0]);
      next.abort();
      q.getNowait();
    });

    it('is aborted at the end of its block unless committed', () => {
      const q = raw(bench);
      const [a, b] = [q.reserve(1), q.reserve(1)];
      commitBytes(a, 1);
      a[Symbol.dispose]();
      b[Symbol.dispose]();
      expect(q.tryGetMany()).toEqual([Uint8Array.of(1)]);
    });

    it('is aborted when its handle closes', async () => {
      const q = raw(bench, { capacityBytes: 4096 });
      const other = bench.keep(Queue.open<Uint8Array>(q.name));
      const slot = other.reserve(4000);
      const kept = slot.bytes;
      const pending = q.put(new Uint8Array(4096));
      expect(await stateOf(pending)).toBe('pending');
      other.close();
      await pending;
      expect(kept.length).toBe(0);
      for (const use of [() => slot.bytes, () => slot.commit(), () => slot.abort()]) {
        expect(thrownBy(use)).toEqual(coded('ERR_CLOSED'));
      }
      slot[Symbol.dispose]();
      expect(q.stats().puts).toBe(1);
    });

    it('rejects with ERR_CLOSED when the handle closes while it waits', async () => {
      const q = raw(bench, { capacityBytes: 4096 });
      const other = bench.keep(Queue.open<Uint8Array>(q.name));
      q.reserve(4096);
      const pending = other.reserveWhenAvailable(1);
      other.close();
      await expect(pending).rejects.toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => other.reserve(1))).toEqual(coded('ERR_CLOSED'));
      await expect(other.reserveWhenAvailable(1)).rejects.toEqual(coded('ERR_CLOSED'));
    });

    it('counts as put before end(), and holds it up', async () => {
      const q = raw(bench);
      const reader = bench.keep(Queue.open<Uint8Array>(q.name));
      const slot = q.reserve(1);
      q.end();
      expect(thrownBy(() => q.reserve(1))).toEqual(coded('ERR_ENDED'));
      await expect(q.reserveWhenAvailable(1)).rejects.toEqual(coded('ERR_ENDED'));
      const pending = reader.get();
      expect(await stateOf(pending)).toBe('pending');
      commitBytes(slot, 5);
      expect(await pending).toEqual(Uint8Array.of(5));
      await expect(reader.get()).rejects.toEqual(coded('ERR_EOF'));
    });

    it('lets readers reach the end when it is aborted', async () => {
      const q = raw(bench);
      const reader = bench.keep(Queue.open<Uint8Array>(q.name));
      const slot = q.reserve(1);
      q.end();
      const pending = reader.get();
      expect(await stateOf(pending)).toBe('pending');
      slot.abort();
      await expect(pending).rejects.toEqual(coded('ERR_EOF'));
    });
  });

  describe.skipIf(!subject.backend.capabilities.leases)('peeking', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('refuses a message that stands beside the queue, and leaves it to others', async () => {
      const q = raw(bench, { capacityBytes: 4096 });
      await q.put(new Uint8Array(5000).fill(7));
      expect(thrownBy(() => q.peek())).toEqual(coded('ERR_TOO_LARGE'));
      await expect(q.peekWhenAvailable()).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(q.getNowait()).toEqual(new Uint8Array(5000).fill(7));
    });

    it('shows the next message, which is gone once released', async () => {
      const q = raw(bench);
      await q.putMany([Uint8Array.of(1, 2), Uint8Array.of(3)]);
      const view = q.peek();
      expect([...view.bytes]).toEqual([1, 2]);
      expect([view.byteLength, view.deliveries, view.redelivered]).toEqual([2, 1, false]);
      expect([view.bytes.byteOffset, view.bytes.buffer.byteLength]).toEqual([0, 2]);
      expect(view.bytes.constructor).toBe(Uint8Array);
      expect(q.size).toBe(1);
      view.release();
      expect(releaseBytes(q.peek())).toEqual([3]);
      expect(q.size).toBe(0);
      expect(q.stats()).toMatchObject({ gets: 2, gotBytes: 3, redelivered: 0 });
    });

    it.each([0, 1, 64, 65, 4096, 65_536])('shows %i bytes, every one of them', (length) => {
      const q = raw(bench);
      if (length < 65_536) {
        put(q, 1);
        q.getNowait();
      }
      const bytes = Uint8Array.from({ length }, (_, i) => i * 31);
      q.putNowait(bytes);
      const view = q.peek();
      expect(view.bytes).toEqual(bytes);
      view.release();
    });

    it('is about one message each, while earlier ones are held', () => {
      const q = raw(bench);
      put(q, 1, 2, 3);
      const views = [q.peek(), q.peek()];
      expect(q.getNowait()).toEqual(Uint8Array.of(3));
      expect(views.reverse().map(releaseBytes)).toEqual([[2], [1]]);
    });

    it('goes to another, marked and ahead of newer messages, when given back', async () => {
      const q = raw(bench);
      put(q, 1, 2);
      const view = q.peek();
      const kept = view.bytes;
      view.nack();
      expect(kept.length).toBe(0);
      const again = q.peek();
      expect([again.bytes[0], again.deliveries, again.redelivered]).toEqual([1, 2, true]);
      again.nack();
      const received = await q.receive();
      expect([received.value[0], received.deliveries]).toEqual([1, 3]);
      received.ack();
      expect(await q.get()).toEqual(Uint8Array.of(2));
      expect(q.stats().redelivered).toBe(2);
    });

    it('shows what was given back after a receive where it lies', async () => {
      const q = raw(bench);
      const other = bench.keep(Queue.open<Uint8Array>(q.name));
      put(q, 1, 2);
      (await other.receive()).nack();
      const view = q.peek();
      expect([view.bytes[0], view.deliveries]).toEqual([1, 2]);
      expect(q.stats().unacknowledged).toBe(1);
      view.nack();
      const again = other.peek();
      expect([again.bytes[0], again.deliveries]).toEqual([1, 3]);
      again.release();
      expect(q.stats().unacknowledged).toBe(0);
      expect(releaseBytes(q.peek())).toEqual([2]);
    });

    it('wakes those who wait for what is given back', async () => {
      const q = raw(bench);
      put(q, 1);
      const view = q.peek();
      const pending = bench.keep(Queue.open<Uint8Array>(q.name)).peekWhenAvailable();
      expect(await stateOf(pending)).toBe('pending');
      view.nack();
      expect(releaseBytes(await pending)).toEqual([1]);
    });

    it('throws QueueEmpty when there is none, and waits in peekWhenAvailable', async () => {
      const q = raw(bench);
      expect(thrownBy(() => q.peek())).toMatchObject({ name: 'QueueEmpty', code: 'ERR_EMPTY' });
      await expect(q.peekWhenAvailable({ timeoutMs: 5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      const abort = new AbortController();
      const aborted = q.peekWhenAvailable({ signal: abort.signal });
      abort.abort();
      await expect(aborted).rejects.toEqual(coded('ABORT_ERR'));
      const pending = q.peekWhenAvailable();
      put(q, 1);
      expect(releaseBytes(await pending)).toEqual([1]);
      put(q, 2);
      expect(releaseBytes(await q.peekWhenAvailable())).toEqual([2]);
    });

    it.each(bench.blocking('blocking'))('waits by %s too', () => {
      const q = raw(bench);
      expect(thrownBy(() => q.peekWhenAvailableSync({ timeoutMs: 5 }))).toEqual(
        coded('ERR_TIMEOUT'),
      );
      put(q, 1);
      expect(releaseBytes(q.peekWhenAvailableSync())).toEqual([1]);
    });

    it('keeps its room until it is let go of', async () => {
      const q = raw(bench, { capacityBytes: 4096 });
      const all = room(q);
      q.putNowait(new Uint8Array(4096));
      const view = q.peek();
      const pending = q.put(Uint8Array.of(1));
      expect(await stateOf(pending)).toBe('pending');
      view.release();
      await pending;
      q.getNowait();
      expect(room(q)).toBe(all);
    });

    it('makes way under maxItems as a get does', async () => {
      const q = raw(bench, { maxItems: 1 });
      put(q, 1);
      const pending = q.put(Uint8Array.of(2));
      expect(await stateOf(pending)).toBe('pending');
      const view = q.peek();
      await pending;
      expect(releaseBytes(view)).toEqual([1]);
      q.getNowait();
    });

    it('ends once', () => {
      const q = raw(bench);
      put(q, 1, 2);
      const [released, back] = [q.peek(), q.peek()];
      const arrays = [released.bytes, back.bytes, new DataView(back.bytes.buffer)];
      released.release();
      back.nack();
      for (const view of [released, back]) {
        expect(thrownBy(() => view.bytes)).toEqual(coded('ERR_NOT_OWNER'));
        expect(thrownBy(() => view.release())).toEqual(coded('ERR_NOT_OWNER'));
        expect(thrownBy(() => view.nack())).toEqual(coded('ERR_NOT_OWNER'));
        view[Symbol.dispose]();
      }
      expect(arrays.slice(0, 2).map((bytes) => bytes.byteLength)).toEqual([0, 0]);
      expect(() => arrays[2]?.byteLength).toThrow(TypeError);
      expect(q.tryGetMany()).toEqual([Uint8Array.of(2)]);
    });

    it('is given back at the end of its block unless released', () => {
      const q = raw(bench);
      put(q, 1, 2);
      const [a, b] = [q.peek(), q.peek()];
      a.release();
      a[Symbol.dispose]();
      b[Symbol.dispose]();
      expect(q.tryGetMany()).toEqual([Uint8Array.of(2)]);
    });

    it('goes to another when its handle closes', async () => {
      const q = raw(bench);
      const holder = bench.keep(Queue.open<Uint8Array>(q.name));
      put(q, 1);
      const view = holder.peek();
      const kept = view.bytes;
      const pending = q.receive();
      expect(await stateOf(pending)).toBe('pending');
      holder.close();
      expect(await pending).toMatchObject({ value: Uint8Array.of(1), redelivered: true });
      (await pending).ack();
      expect(kept.length).toBe(0);
      for (const use of [() => view.bytes, () => view.release(), () => view.nack()]) {
        expect(thrownBy(use)).toEqual(coded('ERR_CLOSED'));
      }
      view[Symbol.dispose]();
      expect(thrownBy(() => holder.peek())).toEqual(coded('ERR_CLOSED'));
    });

    it('holds up the end for others, not for its holder', async () => {
      const q = raw(bench);
      const reader = bench.keep(Queue.open<Uint8Array>(q.name));
      put(q, 1, 2);
      const [view, other] = [q.peek(), q.peek()];
      q.end();
      const pending = reader.get();
      expect(await stateOf(pending)).toBe('pending');
      expect(thrownBy(() => q.peek())).toEqual(coded('ERR_EOF'));
      await expect(q.get()).rejects.toEqual(coded('ERR_EOF'));
      view.release();
      expect(await stateOf(pending)).toBe('pending');
      other.nack();
      expect(await pending).toEqual(Uint8Array.of(2));
      await expect(reader.get()).rejects.toEqual(coded('ERR_EOF'));
      await expect(q.peekWhenAvailable()).rejects.toEqual(coded('ERR_EOF'));
    });

    it('lets readers reach the end when it is released', async () => {
      const q = raw(bench);
      const reader = bench.keep(Queue.open<Uint8Array>(q.name));
      put(q, 1);
      const view = q.peek();
      q.end();
      const pending = reader.peekWhenAvailable();
      expect(await stateOf(pending)).toBe('pending');
      view.release();
      await expect(pending).rejects.toEqual(coded('ERR_EOF'));
    });

    it('passes over what was delivered too often', () => {
      const letters = bench.name();
      const q = bench.keep(
        Queue.create(bench.name(), { codec: 'raw', maxDeliveries: 2, deadLetter: letters }),
      );
      put(q, 6, 1);
      q.peek().nack();
      q.peek().nack();
      const view = q.peek();
      expect([view.bytes[0], view.deliveries]).toEqual([1, 1]);
      view.release();
      expect(bench.keep(Queue.open<Uint8Array>(letters)).tryGetMany()).toEqual([Uint8Array.of(6)]);
      expect([q.size, q.leases()]).toEqual([0, []]);
    });

    it('leaves what was delivered too often while there is no room for it', () => {
      const letters = bench.name();
      const q = bench.keep(
        Queue.create(bench.name(), { codec: 'raw', maxDeliveries: 1, deadLetter: letters }),
      );
      const dead = bench.keep(Queue.create(letters, { codec: 'raw', maxItems: 1 }));
      put(dead, 9);
      put(q, 6);
      q.peek().nack();
      expect(thrownBy(() => q.peek())).toEqual(coded('ERR_FULL'));
      expect([q.size, q.leases()]).toEqual([1, []]);
      expect(dead.tryGetMany()).toEqual([Uint8Array.of(9)]);
      expect(thrownBy(() => q.peek())).toEqual(coded('ERR_EMPTY'));
      expect(dead.tryGetMany()).toEqual([Uint8Array.of(6)]);
    });
  });

  describe.skipIf(!subject.backend.capabilities.leases)('leases', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('are limited in number, and refused beyond', async () => {
      const q = raw(bench);
      const other = bench.keep(Queue.open<Uint8Array>(q.name));
      put(q, ...Array<number>(10).fill(1));
      const held: (ReservedSlot | PeekedMessage)[] = [];
      for (let i = 0; i < MAX_LEASES; i++) held.push(i % 2 === 0 ? q.peek() : q.reserve(1));
      expect(thrownBy(() => q.peek())).toEqual(coded('ERR_NO_LEASE'));
      expect(thrownBy(() => q.reserve(1))).toEqual(coded('ERR_NO_LEASE'));
      await expect(q.peekWhenAvailable()).rejects.toEqual(coded('ERR_NO_LEASE'));
      await expect(q.reserveWhenAvailable(1)).rejects.toEqual(coded('ERR_NO_LEASE'));
      other.peek().release();
      other.reserve(1).abort();
      held[0]?.[Symbol.dispose]();
      q.peek().release();
      expect(q.leases()).toHaveLength(MAX_LEASES - 1);
    });

    it('keep a join that would block their own handle for ever from beginning', () => {
      const q = raw(bench);
      const slot = q.reserve(1);
      if (subject.backend.capabilities.blocking) {
        expect(thrownBy(() => q.joinSync())).toEqual(coded('ERR_DEADLOCK'));
      }
      slot.commit(1);
      const message = q.peek();
      if (subject.backend.capabilities.blocking) {
        expect(thrownBy(() => q.joinSync())).toEqual(coded('ERR_DEADLOCK'));
        expect(thrownBy(() => q.joinSync({ timeoutMs: 1 }))).toEqual(coded('ERR_TIMEOUT'));
      }
      message.release();
      q.joinSync();
    });

    it('are shown to everybody: who, what, how much and how long', async () => {
      const q = raw(bench);
      const other = bench.keep(Queue.open<Uint8Array>(q.name));
      put(q, 1, 2);
      expect(q.leases()).toEqual([]);
      const view = q.peek();
      const slot = other.reserve(1000);
      const mine = { pid: process.pid, kind: 'message', bytes: 1, ageMs: expect.any(Number) };
      const theirs = { pid: process.pid, kind: 'slot', bytes: 1000, ageMs: expect.any(Number) };
      expect(q.leases()).toEqual([
        { ...mine, isOwn: true },
        { ...theirs, isOwn: false },
      ]);
      await new Promise((resolve) => setTimeout(resolve, 60));
      const ages = other.leases().map(({ ageMs }) => ageMs);
      expect(Math.min(...ages)).toBeGreaterThanOrEqual(20);
      expect(inspect(q)).toContain("kind: 'slot'");
      expect(inspect(view)).toMatch(
        /^PeekedMessage of '.*byteLength: 1.*deliveries: 1.*pid: \d+.*ageMs: \d\d/s,
      );
      expect(inspect(slot)).toMatch(/^ReservedSlot of '.*byteLength: 1000.*pid: \d+.*ageMs: \d\d/s);
      view.release();
      slot.abort();
      expect(inspect(view)).toContain('released: true');
      expect(inspect(slot)).toContain('aborted: true');
      expect(q.leases()).toEqual([]);
      expect(inspect(q)).not.toContain('leases');
      const last = other.peek();
      other.close();
      expect(inspect(last)).toContain('closed: true');
      expect(q.leases()).toEqual([]);
    });

    it('are given up where their memory can be transferred away, and has been', () => {
      const q = raw(bench);
      put(q, 1);
      const [view, slot] = [q.peek(), q.reserve(100)];
      const isTaken = [view.bytes, slot.bytes].map((bytes) => {
        const buffer = bytes.buffer as ArrayBuffer;
        try {
          structuredClone(buffer, { transfer: [buffer] });
        } catch (error) {
          expect(error).toMatchObject({ name: 'DataCloneError' });
        }
        return bytes.length === 0;
      });
      const ends = [() => view.release(), () => slot.commit()];
      ends.forEach((end, i) => {
        if (isTaken[i] === true) expect(thrownBy(end)).toEqual(coded('ERR_NOT_OWNER'));
        else end();
      });
      expect(q.leases()).toEqual([]);
      const left = q.tryGetMany().map(({ length }) => length);
      expect(left).toEqual(isTaken[0] === true ? [1] : [100]);
    });

    it('come and go in any number', async () => {
      const q = raw(bench, { capacityBytes: 1 << 20 });
      for (let i = 0; i < 20_000; i++) {
        const slot = await q.reserveWhenAvailable(100 + (i % 7000));
        slot.bytes[99] = i;
        slot.commit(100);
        const view = await q.peekWhenAvailable();
        if (view.bytes.length !== 100 || view.bytes[99] !== (i & 255)) throw new Error(`at ${i}`);
        view.release();
      }
      expect([q.size, q.leases()]).toEqual([0, []]);
    });

    it('come and go in any number without a turn of the event loop', () => {
      const q = raw(bench);
      for (let i = 0; i < 20_000; i++) {
        const slot = q.reserve(100);
        slot.bytes.fill(i);
        slot.commit();
        const view = q.peek();
        if (view.bytes[0] !== (i & 255) || view.bytes[99] !== (i & 255)) throw new Error(`at ${i}`);
        view.release();
      }
      expect([q.size, q.leases()]).toEqual([0, []]);
    });

    it.each(['structured', 'json', 'string'] as const)(
      'are refused with codec %s',
      async (codec) => {
        const q = bench.keep(
          Queue.create(bench.name(), { codec: codec as 'string' }),
        ) as Queue<unknown>;
        for (const use of [() => q.reserve(1), () => q.peek()]) {
          expect(thrownBy(use)).toEqual(coded('ERR_UNSUPPORTED'));
          expect(String(thrownBy(use))).toContain("'raw'");
        }
        await expect(q.reserveWhenAvailable(1)).rejects.toEqual(coded('ERR_UNSUPPORTED'));
        await expect(q.peekWhenAvailable()).rejects.toEqual(coded('ERR_UNSUPPORTED'));
      },
    );

    it('are refused with a codec of the caller’s', () => {
      const codec = { encode: (bytes: Uint8Array) => bytes, decode: (bytes: Uint8Array) => bytes };
      const q = bench.keep(Queue.create(bench.name(), { codec }));
      expect(thrownBy(() => q.peek())).toEqual(coded('ERR_UNSUPPORTED'));
    });
  });

  describe.skipIf(subject.backend.capabilities.leases)('where nothing can be leased', () => {
    const bench = benchFor(subject);

    it('reserving and peeking are refused by name', async () => {
      const q = raw(bench);
      for (const use of [() => q.reserve(1), () => q.peek(), () => q.leases()]) {
        expect(thrownBy(use)).toEqual(coded('ERR_UNSUPPORTED'));
        expect(String(thrownBy(use))).toContain("'leases'");
      }
      await expect(q.reserveWhenAvailable(1)).rejects.toEqual(coded('ERR_UNSUPPORTED'));
      await expect(q.peekWhenAvailable()).rejects.toEqual(coded('ERR_UNSUPPORTED'));
    });
  });
}
