import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockSubject } from './lock-subject.js';
import { coded, rows, stateOf } from './subject.js';

export function permits(subject: LockSubject): void {
  describe.each(['Semaphore', 'BoundedSemaphore'] as const)('%s', (className) => {
    const bench = lockBenchFor(subject);
    const Class = bench.classes[className];
    const kind = className === 'Semaphore' ? 'semaphore' : 'boundedSemaphore';
    const make = (value?: number) => bench.keep(Class.create(bench.name(), value));

    it('begins with the permits given, or one', () => {
      expect(make(3).value).toBe(3);
      expect(make().value).toBe(1);
      expect(make(0).value).toBe(0);
      expect(bench.keep(new Class(7)).value).toBe(7);
      expect(bench.keep(new Class()).value).toBe(1);
    });

    it.each(rows<unknown>([-1, 1.5, NaN, '1', 2 ** 24, null, 1n]))(
      'refuses to begin with %s',
      (_, value) => {
        const bad = value as number;
        expect(thrownBy(() => Class.create(bench.name(), bad))).toEqual(coded('ERR_INVALID_ARG'));
        expect(thrownBy(() => new Class(bad))).toEqual(coded('ERR_INVALID_ARG'));
      },
    );

    it('is told by what it began with', () => {
      const semaphore = make(2);
      bench.keep(Class.openOrCreate(semaphore.name, 2));
      bench.keep(Class.openOrCreate(semaphore.name));
      expect(thrownBy(() => Class.openOrCreate(semaphore.name, 3))).toEqual(coded('ERR_MISMATCH'));
    });

    it('lets in as many as it has permits, by whichever handle', async () => {
      const semaphore = make(2);
      const other = bench.keep(Class.open(semaphore.name));
      const one = await semaphore.acquire();
      const two = other.acquireSync();
      expect([one.recovered, two.recovered]).toEqual([false, false]);
      expect(semaphore.value).toBe(0);
      expect(other.tryAcquire()).toBeNull();
      const pending = [semaphore.acquire(), other.acquire()];
      expect(await stateOf(Promise.race(pending))).toBe('pending');
      one.release();
      two.release();
      for (const guard of await Promise.all(pending)) guard.release();
      expect(other.value).toBe(2);
    });

    it('serves the tasks of a handle in the order of their calls', async () => {
      const semaphore = make(1);
      const order: number[] = [];
      const first = await semaphore.acquire();
      const tasks = [1, 2, 3].map(async (task) => {
        const guard = await semaphore.acquire();
        order.push(task);
        await turn();
        guard.release();
      });
      first.release();
      await Promise.all(tasks);
      expect(order).toEqual([1, 2, 3]);
    });

    it('waits for others, also blocking', async () => {
      const semaphore = make(1);
      const peer = await bench.peer(kind, semaphore.name);
      await peer.act('acquire');
      expect(semaphore.tryAcquire()).toBeNull();
      const pending = semaphore.acquire();
      await peer.act('release');
      (await pending).release();
      await peer.act('acquire');
      peer.actWhileBlocked('release');
      semaphore.acquireSync().release();
    });

    it('gives up after timeoutMs or when aborted, and has acquired nothing', async () => {
      const semaphore = make(0);
      const began = performance.now();
      await expect(semaphore.acquire({ timeoutMs: 15 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      expect(performance.now() - began).toBeGreaterThanOrEqual(15);
      expect(thrownBy(() => semaphore.acquireSync({ timeoutMs: 15 }))).toEqual(
        coded('ERR_TIMEOUT'),
      );
      const controller = new AbortController();
      const pending = semaphore.acquire({ signal: controller.signal });
      controller.abort();
      await expect(pending).rejects.toEqual(coded('ABORT_ERR'));
    });

    it('releases a guard once', async () => {
      const semaphore = make(1);
      const guard = await semaphore.acquire();
      expect(guard.isHeld).toBe(true);
      guard.release();
      expect(guard.isHeld).toBe(false);
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_NOT_OWNER'));
      guard[Symbol.dispose]();
      await semaphore.with((held) => expect(held.isHeld).toBe(true));
      await expect(semaphore.with(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
      {
        using held = semaphore.acquireSync();
        expect(held.isHeld).toBe(true);
      }
      expect(semaphore.value).toBe(1);
    });

    it('gets back the permits of who closes, and says so', async () => {
      const semaphore = make(2);
      const other = Class.open(semaphore.name);
      const guard = await other.acquire();
      await other.acquire();
      const pending = semaphore.acquire();
      other.close();
      expect((await pending).recovered).toBe(true);
      expect(semaphore.value).toBe(1);
      expect((await semaphore.acquire()).recovered).toBe(false);
      expect(guard.isHeld).toBe(false);
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => other.release())).toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => other.value)).toEqual(coded('ERR_CLOSED'));
      await expect(other.acquire()).rejects.toEqual(coded('ERR_CLOSED'));
      expect(inspect(other)).toBe(`${className} '${other.name}' { closed: true }`);
      expect(inspect(semaphore)).toBe(`${className} '${semaphore.name}' { value: 0, held: 2 }`);
    });

    it('rejects what is pending when it closes', async () => {
      const semaphore = make(0);
      const pending = semaphore.acquire();
      semaphore.close();
      await expect(pending).rejects.toEqual(coded('ERR_CLOSED'));
    });
  });

  describe('Semaphore: handing over', () => {
    const bench = lockBenchFor(subject);
    const { Semaphore, BoundedSemaphore } = bench.classes;

    it('is done by who has acquired nothing', async () => {
      const semaphore = bench.keep(Semaphore.create(bench.name(), 0));
      const other = bench.keep(Semaphore.open(semaphore.name));
      const pending = semaphore.acquire();
      other.release();
      other.release();
      await pending;
      expect(semaphore.value).toBe(1);
    });

    it('leaves a semaphore that began with nothing what was sent, whoever closes', async () => {
      const signals = bench.keep(Semaphore.create(bench.name(), 0));
      const consumer = Semaphore.open(signals.name);
      signals.release();
      await consumer.acquire();
      consumer.close();
      expect(signals.value).toBe(0);
    });

    it('is refused by a bounded one that has all its permits', async () => {
      const semaphore = bench.keep(BoundedSemaphore.create(bench.name(), 2));
      expect(thrownBy(() => semaphore.release())).toEqual(coded('ERR_OVER_RELEASE'));
      const guard = await semaphore.acquire();
      semaphore.release();
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_OVER_RELEASE'));
      expect(semaphore.value).toBe(2);
    });

    it('is refused beyond what can be counted', () => {
      const semaphore = bench.keep(new Semaphore(2 ** 24 - 1));
      expect(thrownBy(() => semaphore.release())).toEqual(coded('ERR_OVER_RELEASE'));
      expect(semaphore.value).toBe(2 ** 24 - 1);
    });
  });
}
