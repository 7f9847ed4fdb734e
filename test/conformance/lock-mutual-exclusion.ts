import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockSubject } from './lock-subject.js';
import { coded, rows, stateOf } from './subject.js';

/** What Lock and RLock have in common. */
export function mutualExclusion(subject: LockSubject, kind: 'lock' | 'rlock'): void {
  const className = kind === 'lock' ? 'Lock' : 'RLock';
  describe(`${className}: acquiring`, () => {
    const bench = lockBenchFor(subject);
    const Class = bench.classes[className];
    const make = () => bench.keep(Class.create(bench.name()));
    const again = (lock: { readonly name: string }) => bench.keep(Class.open(lock.name));

    it('gives a free lock at once', async () => {
      const lock = make();
      const guard = await lock.acquire();
      expect(guard.isHeld).toBe(true);
      expect(guard.recovered).toBe(false);
      expect(lock.isHeld).toBe(true);
      expect(lock.isLocked).toBe(true);
      guard.release();
      expect(guard.isHeld).toBe(false);
      expect(lock.isHeld).toBe(false);
      expect(lock.isLocked).toBe(false);
      lock.acquireSync().release();
      lock.tryAcquire()?.release();
      expect(lock.isLocked).toBe(false);
    });

    it('keeps the other tasks of the handle out', async () => {
      const lock = make();
      const guard = await lock.acquire();
      expect(lock.tryAcquire()).toBeNull();
      const pending = lock.acquire();
      expect(await stateOf(pending)).toBe('pending');
      guard.release();
      (await pending).release();
    });

    it('keeps other handles out, and lets them in when it is released', async () => {
      const lock = make();
      const other = again(lock);
      const guard = await lock.acquire();
      expect(other.isHeld).toBe(false);
      expect(other.isLocked).toBe(true);
      expect(other.tryAcquire()).toBeNull();
      const pending = other.acquire();
      expect(await stateOf(pending)).toBe('pending');
      guard.release();
      const second = await pending;
      expect(second.recovered).toBe(false);
      expect(lock.tryAcquire()).toBeNull();
      second.release();
    });

    it('keeps other threads out, and lets them in when it is released', async () => {
      const lock = make();
      const peer = await bench.peer(kind, lock.name);
      await peer.act('acquire');
      expect(lock.tryAcquire()).toBeNull();
      const pending = lock.acquire();
      expect(await stateOf(pending)).toBe('pending');
      await peer.act('release');
      (await pending).release();
    });

    it('serves the tasks of a handle in the order of their calls', async () => {
      const lock = make();
      const order: number[] = [];
      const first = await lock.acquire();
      const tasks = [1, 2, 3, 4].map(async (task) => {
        const guard = await lock.acquire(task % 2 === 0 ? { timeoutMs: 60_000 } : undefined);
        order.push(task);
        await turn();
        guard.release();
      });
      first.release();
      await Promise.all(tasks);
      expect(order).toEqual([1, 2, 3, 4]);
    });

    it('is not had by a try while tasks of the handle wait for it', async () => {
      const lock = make();
      const guard = await lock.acquire();
      const pending = lock.acquire();
      guard.release();
      expect(lock.tryAcquire()).toBeNull();
      (await pending).release();
      lock.tryAcquire()?.release();
    });

    it('lets no two tasks of several handles in together, and none out for ever', async () => {
      const lock = make();
      const handles = [lock, again(lock), again(lock)];
      let inside = 0;
      let count = 0;
      await Promise.all(
        Array.from({ length: 12 }, async (_, task) => {
          for (let i = 0; i < 25; i++) {
            const guard = await (handles[task % 3] as typeof lock).acquire();
            expect(++inside).toBe(1);
            if (i % 3 === 0) await turn();
            count++;
            inside--;
            guard.release();
          }
        }),
      );
      expect(count).toBe(300);
    });

    it('gives up after timeoutMs, not before, and has acquired nothing', async () => {
      const lock = make();
      const other = again(lock);
      const guard = await lock.acquire();
      for (const handle of [lock, other]) {
        const began = performance.now();
        await expect(handle.acquire({ timeoutMs: 15 })).rejects.toMatchObject({
          name: 'TimeoutError',
          code: 'ERR_TIMEOUT',
        });
        expect(performance.now() - began).toBeGreaterThanOrEqual(15);
        await expect(handle.acquire({ timeoutMs: 0 })).rejects.toEqual(coded('ERR_TIMEOUT'));
        await expect(handle.acquire({ timeoutMs: -5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      }
      guard.release();
      expect(lock.isLocked).toBe(false);
      (await other.acquire({ timeoutMs: 0 })).release();
    });

    it('gives up when aborted, and has acquired nothing', async () => {
      const lock = make();
      const other = again(lock);
      const guard = await lock.acquire();
      for (const handle of [lock, other]) {
        const reason = new Error('no more');
        const controller = new AbortController();
        const { signal } = controller;
        const pending = handle.acquire({ signal });
        expect(await stateOf(pending)).toBe('pending');
        controller.abort(reason);
        await expect(pending).rejects.toBe(reason);
        expect(getEventListeners(signal, 'abort')).toHaveLength(0);
        await expect(handle.acquire({ signal })).rejects.toBe(reason);
      }
      guard.release();
      expect(lock.isLocked).toBe(false);
      await expect(lock.acquire({ signal: AbortSignal.abort() })).rejects.toMatchObject({
        name: 'AbortError',
        code: 'ABORT_ERR',
      });
      expect(lock.isLocked).toBe(false);
    });

    it('goes on for those who stay when one leaves', async () => {
      const lock = make();
      const other = again(lock);
      const guard = await lock.acquire();
      const controller = new AbortController();
      const leaving = other.acquire({ signal: controller.signal });
      const hasty = other.acquire({ timeoutMs: 5 });
      const staying = other.acquire();
      controller.abort(new Error('gone'));
      await expect(leaving).rejects.toThrow('gone');
      await expect(hasty).rejects.toEqual(coded('ERR_TIMEOUT'));
      guard.release();
      (await staying).release();
    });

    it('loses no lock that is granted while the call gives up', async () => {
      const lock = make();
      const other = again(lock);
      for (let i = 0; i < 200; i++) {
        const guard = await lock.acquire();
        const controller = new AbortController();
        const pending = other.acquire({ signal: controller.signal });
        if (i % 2 === 0) await turn();
        guard.release();
        if (i % 4 < 2) await turn();
        controller.abort();
        const got = await pending.catch(() => undefined);
        got?.release();
        expect(lock.isLocked).toBe(false);
      }
    });

    it.each(rows<unknown>([{ timeoutMs: NaN }, { timeoutMs: '1' }, { signal: {} }, 5, null]))(
      'refuses the options %s',
      async (_, options) => {
        const lock = make();
        const bad = options as object;
        await expect(lock.acquire(bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
        await expect(lock.with(() => 1, bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
        expect(thrownBy(() => lock.acquireSync(bad))).toEqual(coded('ERR_INVALID_ARG'));
        expect(lock.isLocked).toBe(false);
      },
    );

    it('gives the event loop its turns while it is free', async () => {
      const lock = make();
      let turns = 0;
      const count = () => {
        turns++;
        ticking = setImmediate(count);
      };
      let ticking = setImmediate(count);
      for (let i = 0; i < 5000; i++) (await lock.acquire()).release();
      clearImmediate(ticking);
      expect(turns).toBeGreaterThanOrEqual(4);
    });
  });

  describe(`${className}: blocking`, () => {
    const bench = lockBenchFor(subject);
    const Class = bench.classes[className];
    const make = () => bench.keep(Class.create(bench.name()));

    it('ends when somebody else releases it', async () => {
      const lock = make();
      const peer = await bench.peer(kind, lock.name);
      await peer.act('acquire');
      peer.actWhileBlocked('release');
      const guard = lock.acquireSync();
      expect(guard.recovered).toBe(false);
      guard.release();
    });

    it('comes before the tasks that wait, which could not run meanwhile', async () => {
      const lock = make();
      const peer = await bench.peer(kind, lock.name);
      await peer.act('acquire');
      const pending = lock.acquire();
      peer.actWhileBlocked('release');
      const guard = lock.acquireSync({ timeoutMs: 60_000 });
      expect(await stateOf(pending)).toBe('pending');
      guard.release();
      (await pending).release();
    });

    it('gives up after timeoutMs, not before, and leaves the others waiting', async () => {
      const lock = make();
      const peer = await bench.peer(kind, lock.name);
      await peer.act('acquire');
      const pending = lock.acquire();
      const began = performance.now();
      expect(thrownBy(() => lock.acquireSync({ timeoutMs: 15 }))).toMatchObject({
        name: 'TimeoutError',
        code: 'ERR_TIMEOUT',
      });
      expect(performance.now() - began).toBeGreaterThanOrEqual(15);
      expect(thrownBy(() => lock.acquireSync({ timeoutMs: 0 }))).toEqual(coded('ERR_TIMEOUT'));
      await peer.act('release');
      (await pending).release();
    });

    it('is a deadlock if this thread holds it, by whichever handle', async () => {
      const lock = make();
      const other = bench.keep(Class.open(lock.name));
      const guard = await lock.acquire();
      for (const handle of [lock, other]) {
        for (const options of [undefined, { timeoutMs: 5 }, { timeoutMs: 0 }]) {
          expect(thrownBy(() => handle.acquireSync(options))).toEqual(coded('ERR_DEADLOCK'));
        }
      }
      guard.release();
      other.acquireSync().release();
      const last = other.acquireSync();
      expect(thrownBy(() => lock.acquireSync())).toEqual(coded('ERR_DEADLOCK'));
      other.close();
      expect(last.isHeld).toBe(false);
      lock.acquireSync().release();
    });

    it('is none if the handle by which this thread held it has been closed', async () => {
      const lock = make();
      const other = Class.open(lock.name);
      await other.acquire();
      other.close();
      const peer = await bench.peer(kind, lock.name);
      await peer.act('acquire');
      peer.actWhileBlocked('release');
      lock.acquireSync().release();
    });

    it('refuses a signal', () => {
      const lock = make();
      const options = { signal: new AbortController().signal } as object;
      expect(thrownBy(() => lock.acquireSync(options))).toEqual(coded('ERR_INVALID_ARG'));
      expect(lock.isLocked).toBe(false);
    });
  });

  describe(`${className}: releasing`, () => {
    const bench = lockBenchFor(subject);
    const Class = bench.classes[className];
    const make = () => bench.keep(Class.create(bench.name()));

    it('is for who holds it', async () => {
      const lock = make();
      const other = bench.keep(Class.open(lock.name));
      expect(thrownBy(() => lock.release())).toEqual(coded('ERR_NOT_OWNER'));
      const guard = await lock.acquire();
      expect(thrownBy(() => other.release())).toEqual(coded('ERR_NOT_OWNER'));
      guard.release();
      expect(thrownBy(() => lock.release())).toEqual(coded('ERR_NOT_OWNER'));
    });

    it('is done once', async () => {
      const lock = make();
      const guard = await lock.acquire();
      guard.release();
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_NOT_OWNER'));
      const second = await lock.acquire();
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_NOT_OWNER'));
      expect(second.isHeld).toBe(true);
      lock.release();
      expect(thrownBy(() => second.release())).toEqual(coded('ERR_NOT_OWNER'));
      guard[Symbol.dispose]();
      second[Symbol.dispose]();
    });

    it('is done by the end of the block that uses the guard', async () => {
      const lock = make();
      {
        using guard = await lock.acquire();
        expect(guard.isHeld).toBe(true);
        expect(lock.isLocked).toBe(true);
      }
      expect(lock.isLocked).toBe(false);
    });

    it('is done when what `with` runs has settled', async () => {
      const lock = make();
      expect(
        await lock.with(async (guard) => {
          await turn();
          expect(guard.isHeld).toBe(true);
          return 'done';
        }),
      ).toBe('done');
      expect(lock.isLocked).toBe(false);
      const failure = new Error('no');
      await expect(
        lock.with(() => {
          throw failure;
        }),
      ).rejects.toBe(failure);
      await expect(lock.with(() => Promise.reject(failure))).rejects.toBe(failure);
      expect(lock.isLocked).toBe(false);
      expect(
        await lock.with((guard) => {
          guard.release();
          return 1;
        }),
      ).toBe(1);
      const guard = await lock.acquire();
      await expect(lock.with(() => 1, { timeoutMs: 5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      guard.release();
    });
  });

  describe(`${className}: closing`, () => {
    const bench = lockBenchFor(subject);
    const Class = bench.classes[className];
    const make = () => bench.keep(Class.create(bench.name()));

    it('gives up what is held, and the next owner is told, once', async () => {
      const lock = make();
      const other = bench.keep(Class.open(lock.name));
      const guard = await lock.acquire();
      const pending = other.acquire();
      expect(await stateOf(pending)).toBe('pending');
      lock.close();
      const second = await pending;
      expect(second.recovered).toBe(true);
      expect(guard.isHeld).toBe(false);
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_CLOSED'));
      guard[Symbol.dispose]();
      second.release();
      expect((await other.acquire()).recovered).toBe(false);
    });

    it('tells a blocking call and a try as well', async () => {
      const lock = make();
      const peer = await bench.peer(kind, lock.name);
      await peer.act('acquire');
      peer.actWhileBlocked('close');
      const guard = lock.acquireSync();
      expect(guard.recovered).toBe(true);
      guard.release();
      const second = await bench.peer(kind, lock.name);
      await second.act('acquire');
      await second.act('close');
      expect(lock.tryAcquire()?.recovered).toBe(true);
    });

    it('rejects what is pending', async () => {
      const lock = make();
      const other = bench.keep(Class.open(lock.name));
      const guard = await lock.acquire();
      const calls = [other.acquire(), other.acquire({ timeoutMs: 60_000 }), other.with(() => 1)];
      other.close();
      await Promise.all(calls.map((one) => expect(one).rejects.toEqual(coded('ERR_CLOSED'))));
      const own = lock.acquire();
      lock.close();
      await expect(own).rejects.toEqual(coded('ERR_CLOSED'));
      expect(guard.isHeld).toBe(false);
    });

    it('ends every use', async () => {
      const lock = make();
      lock.close();
      lock.close();
      await expect(lock.acquire()).rejects.toEqual(coded('ERR_CLOSED'));
      await expect(lock.with(() => 1)).rejects.toEqual(coded('ERR_CLOSED'));
      for (const call of [
        () => lock.acquireSync(),
        () => lock.tryAcquire(),
        () => lock.release(),
        () => lock.isLocked,
        () => lock.ref(),
        () => lock.unref(),
        () => lock.unlink(),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_CLOSED'));
      }
      expect(lock.isHeld).toBe(false);
      expect(inspect(lock)).toBe(`${className} '${lock.name}' { closed: true }`);
    });

    it('shows what there is to see', async () => {
      const lock = make();
      const guard = await lock.acquire();
      expect(inspect(lock)).toBe(`${className} '${lock.name}' { held: true, locked: true }`);
      expect(inspect(guard)).toBe(`Guard of ${className} '${lock.name}' { held: true }`);
    });
  });
}
