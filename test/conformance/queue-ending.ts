import { describe, expect, it } from 'vitest';

import { benchFor, coded, stateOf } from './subject.js';
import type { Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

export function ending(subject: Subject): void {
  describe('ending', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;
    const eof = { name: 'EOFError', code: 'ERR_EOF' };

    it('lets readers have what is there, and then tells them', async () => {
      const q = bench.strings();
      const reader = bench.keep(Queue.open<string>(q.name));
      await q.putMany(['a', 'b']);
      q.end();
      expect(await reader.get()).toBe('a');
      expect(reader.getNowait()).toBe('b');
      await expect(reader.get()).rejects.toMatchObject(eof);
      await expect(reader.get({ timeoutMs: 1000 })).rejects.toMatchObject(eof);
      await expect(reader.getMany()).rejects.toMatchObject(eof);
      for (const call of [
        () => reader.tryGet('none'),
        () => reader.getNowait(),
        () => reader.tryGetMany(),
        () => q.tryGet(),
        ...bench.blocking<() => unknown>(
          () => reader.getSync(),
          () => reader.getManySync(),
        ),
      ]) {
        expect(thrownBy(call)).toMatchObject(eof);
      }
      if (!bench.capabilities.redelivery) return;
      await expect(reader.receive()).rejects.toMatchObject(eof);
      expect(thrownBy(() => reader.tryReceive())).toMatchObject(eof);
    });

    it('gives a getMany what is left before it tells', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b']);
      q.end();
      expect(await q.getMany({ max: 10 })).toEqual(['a', 'b']);
      await expect(q.getMany({ max: 10 })).rejects.toMatchObject(eof);
    });

    it('refuses every put, on every handle', async () => {
      const q = bench.strings();
      const other = bench.keep(Queue.open<string>(q.name));
      q.end();
      for (const handle of [q, other]) {
        await expect(handle.put('a')).rejects.toEqual(coded('ERR_ENDED'));
        await expect(handle.put('a', { timeoutMs: 10 })).rejects.toEqual(coded('ERR_ENDED'));
        await expect(handle.putMany(['a'])).rejects.toEqual(coded('ERR_ENDED'));
        expect(thrownBy(() => handle.tryPut('a'))).toEqual(coded('ERR_ENDED'));
        expect(thrownBy(() => handle.putNowait('a'))).toEqual(coded('ERR_ENDED'));
        if (!bench.capabilities.blocking) continue;
        expect(thrownBy(() => handle.putSync('a'))).toEqual(coded('ERR_ENDED'));
        expect(thrownBy(() => handle.putManySync(['a']))).toEqual(coded('ERR_ENDED'));
      }
      expect(q.size).toBe(0);
    });

    it('is told to those who wait', async () => {
      const q = bench.strings();
      const reader = bench.keep(Queue.open<string>(q.name));
      const gets: Promise<unknown>[] = [reader.get(), reader.getMany(), q.get()];
      if (bench.capabilities.redelivery) gets.push(reader.receive());
      q.end();
      await Promise.all(gets.map((get) => expect(get).rejects.toMatchObject(eof)));
    });

    it('is told to those who wait for room', async () => {
      const q = bench.small(1);
      const other = bench.keep(Queue.open<string>(q.name));
      await q.put('a');
      const puts = [q.put('b'), q.putMany(['c'])];
      other.end();
      await Promise.all(puts.map((put) => expect(put).rejects.toEqual(coded('ERR_ENDED'))));
      expect(q.tryGetMany()).toEqual(['a']);
    });

    it('comes after the puts that are pending on the handle', async () => {
      const q = bench.small(1);
      const reader = bench.keep(Queue.open<string>(q.name));
      const puts = [q.put('a'), q.put('b'), q.putMany(['c', 'd'])];
      q.end();
      q.end();
      await expect(q.put('e')).rejects.toEqual(coded('ERR_ENDED'));
      const values: string[] = [];
      for await (const value of reader) values.push(value);
      expect(values).toEqual(['a', 'b', 'c', 'd']);
      await Promise.all(puts);
    });

    it('is not lost when the handle closes over pending puts', async () => {
      const q = bench.small(1);
      const reader = bench.keep(Queue.open<string>(q.name));
      await q.put('a');
      const pending = q.put('b');
      q.end();
      q.close();
      await expect(pending).rejects.toEqual(coded('ERR_CLOSED'));
      const values: string[] = [];
      for await (const value of reader) values.push(value);
      expect(values).toEqual(['a']);
    });

    it('works on a full queue', async () => {
      const q = bench.strings({ capacityBytes: 4096 });
      const filling = 'x'.repeat(60);
      while (q.tryPut(filling));
      const { size } = q;
      q.end();
      let count = 0;
      for await (const value of q) {
        expect(value).toBe(filling);
        count++;
      }
      expect(count).toBe(size);
    });

    it.skipIf(!subject.backend.capabilities.redelivery)(
      'waits for messages that others have not acknowledged',
      async () => {
        const q = bench.strings();
        const holder = bench.keep(Queue.open<string>(q.name));
        await q.put('a');
        const m = await holder.receive();
        q.end();
        const pending = q.get();
        expect(await stateOf(pending)).toBe('pending');
        expect(q.tryGet('none yet')).toBe('none yet');
        m.nack();
        expect(await pending).toBe('a');
        await expect(q.get()).rejects.toMatchObject(eof);
      },
    );

    it.skipIf(!subject.backend.capabilities.redelivery)(
      'comes when the last message held is acknowledged',
      async () => {
        const q = bench.strings();
        const holder = bench.keep(Queue.open<string>(q.name));
        await q.put('a');
        const m = await holder.receive();
        q.end();
        const pending = q.get();
        m.ack();
        await expect(pending).rejects.toMatchObject(eof);
      },
    );
  });
}
