import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockSubject } from './lock-subject.js';
import { coded, rows, stateOf } from './subject.js';

export function barriers(subject: LockSubject): void {
  describe('Barrier', () => {
    const bench = lockBenchFor(subject);
    const { Barrier } = bench.classes;
    const make = (parties: number, options = {}) =>
      bench.keep(Barrier.create(bench.name(), parties, options));

    it('lets all go on when all have come, each with a number of its own', async () => {
      const barrier = make(3);
      const other = bench.keep(Barrier.open(barrier.name));
      for (let round = 0; round < 5; round++) {
        const pending = [barrier.wait(), other.wait()];
        expect(await stateOf(Promise.race(pending))).toBe('pending');
        expect(barrier.waiting).toBe(2);
        pending.push(barrier.wait());
        expect((await Promise.all(pending)).sort()).toEqual([0, 1, 2]);
        expect(barrier.waiting).toBe(0);
      }
      expect(barrier.parties).toBe(3);
      expect(other.parties).toBe(3);
    });

    it('is no obstacle to one', async () => {
      const barrier = make(1);
      expect(await barrier.wait()).toBe(0);
      expect(barrier.waitSync()).toBe(0);
    });

    it('brings many tasks of one handle through, round after round', async () => {
      const barrier = make(4, { action: turn });
      let rounds = 0;
      const tasks = Array.from({ length: 8 }, async () => {
        const indices: number[] = [];
        for (let i = 0; i < 10; i++) indices.push(await barrier.wait());
        rounds += indices.filter((index) => index === 0).length;
      });
      await Promise.all(tasks);
      expect(rounds).toBe(20);
    });

    it('brings threads together, also blocking', async () => {
      const barrier = make(2);
      const peer = await bench.peer('barrier', barrier.name);
      const pending = barrier.wait();
      await peer.act('come');
      expect(await pending).toBe(0);
      peer.actWhileBlocked('come');
      expect(barrier.waitSync()).toBe(0);
      await peer.act('come');
      while (barrier.waiting === 0) await sleep(1);
      expect(barrier.waitSync()).toBe(1);
    });

    it('runs the action of the one that comes last, once, before any goes on', async () => {
      const name = bench.name();
      const order: string[] = [];
      const early = bench.keep(Barrier.create(name, 2, { action: () => order.push('early') }));
      const late = bench.keep(
        Barrier.open(name, {
          action: async () => {
            await sleep(5);
            order.push('late');
          },
        }),
      );
      const pending = [early.wait(), late.wait()].map((wait) => wait.then(() => order.push('on')));
      await Promise.all(pending);
      expect(order).toEqual(['late', 'on', 'on']);
      order.length = 0;
      await Promise.all([late.wait(), early.wait()]);
      expect(order).toEqual(['early']);
    });

    it('breaks for the others when the action throws', async () => {
      const failure = new Error('no');
      const barrier = make(2, {
        action: () => {
          throw failure;
        },
      });
      const pending = barrier.wait();
      const last = barrier.wait();
      await expect(pending).rejects.toEqual(coded('ERR_BROKEN'));
      await expect(last).rejects.toBe(failure);
      expect(barrier.broken).toBe(true);
      const blocking = make(1, { action: async () => undefined });
      expect(thrownBy(() => blocking.waitSync())).toEqual(coded('ERR_INVALID_ARG'));
      expect(blocking.broken).toBe(true);
    });

    it('breaks for all when one gives up by its timeout', async () => {
      const barrier = make(3, { timeoutMs: 30 });
      const other = bench.keep(Barrier.open(barrier.name));
      const began = performance.now();
      const patient = other.wait();
      await expect(barrier.wait()).rejects.toEqual(coded('ERR_TIMEOUT'));
      expect(performance.now() - began).toBeGreaterThanOrEqual(30);
      await expect(patient).rejects.toEqual(coded('ERR_BROKEN'));
      expect([barrier.broken, other.broken, other.waiting]).toEqual([true, true, 0]);
      await expect(other.wait()).rejects.toEqual(coded('ERR_BROKEN'));
      expect(thrownBy(() => other.waitSync())).toEqual(coded('ERR_BROKEN'));
      other.reset();
      expect(thrownBy(() => barrier.waitSync())).toEqual(coded('ERR_TIMEOUT'));
      barrier.reset();
      await expect(other.wait({ timeoutMs: 0 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      expect(barrier.broken).toBe(true);
    });

    it('breaks for all when one gives up by its signal', async () => {
      const barrier = make(2);
      const other = bench.keep(Barrier.open(barrier.name));
      const controller = new AbortController();
      const reason = new Error('enough');
      const leaving = barrier.wait({ signal: controller.signal });
      controller.abort(reason);
      await expect(leaving).rejects.toBe(reason);
      expect(other.broken).toBe(true);
      other.reset();
      await expect(barrier.wait({ signal: controller.signal })).rejects.toBe(reason);
      expect(other.broken).toBe(false);
      expect((await Promise.all([barrier.wait(), other.wait()])).sort()).toEqual([0, 1]);
    });

    it('breaks for all when it is aborted, until it is reset', async () => {
      const barrier = make(3);
      const other = bench.keep(Barrier.open(barrier.name));
      const pending = [barrier.wait(), other.wait()];
      other.abort();
      other.abort();
      await Promise.all(pending.map((one) => expect(one).rejects.toEqual(coded('ERR_BROKEN'))));
      await expect(barrier.wait()).rejects.toEqual(coded('ERR_BROKEN'));
      barrier.reset();
      expect(other.broken).toBe(false);
      const again = [barrier.wait(), other.wait()];
      barrier.reset();
      await Promise.all(again.map((one) => expect(one).rejects.toEqual(coded('ERR_BROKEN'))));
      expect(barrier.broken).toBe(false);
      const all = [barrier.wait(), other.wait(), barrier.wait()];
      expect((await Promise.all(all)).sort()).toEqual([0, 1, 2]);
    });

    it('breaks for all when one closes while it waits', async () => {
      const barrier = make(3);
      const other = bench.keep(Barrier.open(barrier.name));
      const pending = barrier.wait();
      const leaving = other.wait();
      await turn();
      other.close();
      await expect(leaving).rejects.toEqual(coded('ERR_CLOSED'));
      await expect(pending).rejects.toEqual(coded('ERR_BROKEN'));
      barrier.reset();
      const idle = Barrier.open(barrier.name);
      const still = barrier.wait();
      idle.close();
      expect(await stateOf(still)).toBe('pending');
      barrier.close();
      await expect(still).rejects.toEqual(coded('ERR_CLOSED'));
      await expect(barrier.wait()).rejects.toEqual(coded('ERR_CLOSED'));
      for (const call of [
        () => barrier.waitSync(),
        () => barrier.abort(),
        () => barrier.reset(),
        () => barrier.waiting,
        () => barrier.broken,
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_CLOSED'));
      }
      expect(inspect(barrier)).toBe(`Barrier '${barrier.name}' { closed: true }`);
    });

    it.each(rows<unknown>([0, -1, 1.5, NaN, '2', 2 ** 15, null, undefined]))(
      'refuses %s parties',
      (_, parties) => {
        const bad = parties as number;
        expect(thrownBy(() => Barrier.create(bench.name(), bad))).toEqual(coded('ERR_INVALID_ARG'));
        expect(thrownBy(() => new Barrier(bad))).toEqual(coded('ERR_INVALID_ARG'));
      },
    );

    it('refuses an action that is no function, and a timeout that is none', () => {
      for (const bad of [{ action: 7 }, { timeoutMs: 'x' }, { timeoutMs: Infinity }]) {
        const options = bad as object;
        expect(thrownBy(() => Barrier.create(bench.name(), 2, options))).toEqual(
          coded('ERR_INVALID_ARG'),
        );
      }
    });

    it('is told by how many must come', () => {
      const barrier = make(2);
      expect(thrownBy(() => Barrier.openOrCreate(barrier.name, 3))).toEqual(coded('ERR_MISMATCH'));
      bench.keep(Barrier.openOrCreate(barrier.name, 2));
      expect(inspect(barrier)).toBe(
        `Barrier '${barrier.name}' { parties: 2, waiting: 0, broken: false }`,
      );
    });
  });
}
