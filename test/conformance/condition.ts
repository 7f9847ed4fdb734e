import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockSubject } from './lock-subject.js';
import { coded, rows, stateOf } from './subject.js';

export function conditions(subject: LockSubject): void {
  describe('Condition', () => {
    const bench = lockBenchFor(subject);
    const { Condition, Lock, RLock } = bench.classes;
    const make = () => bench.keep(Condition.create(bench.name()));

    it('lets one go on for each notification, in the order of their calls', async () => {
      const condition = make();
      const order: number[] = [];
      const tasks = [1, 2, 3].map((task) =>
        condition.with(async () => {
          expect(await condition.wait()).toBe(true);
          expect(condition.isHeld).toBe(true);
          order.push(task);
        }),
      );
      await turn();
      await condition.with(() => expect(condition.notify()).toBe(1));
      await tasks[0];
      expect(await stateOf(Promise.race(tasks.slice(1)))).toBe('pending');
      await condition.with(() => expect(condition.notify(5)).toBe(2));
      await Promise.all(tasks);
      expect(order).toEqual([1, 2, 3]);
      await condition.with(() => expect(condition.notify()).toBe(0));
    });

    it('lets all go on, by whichever handle they wait', async () => {
      const condition = make();
      const other = bench.keep(Condition.open(condition.name));
      const tasks = [condition, other, other].map((handle) => handle.with(() => handle.wait()));
      await turn();
      await turn();
      expect(await stateOf(Promise.race(tasks))).toBe('pending');
      await condition.with(() => expect(condition.notifyAll()).toBe(3));
      expect(await Promise.all(tasks)).toEqual([true, true, true]);
    });

    it('is the lock of others while one waits, and his again afterwards', async () => {
      const condition = make();
      const guard = await condition.acquire();
      const waiting = condition.wait();
      expect(guard.isHeld).toBe(false);
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_NOT_OWNER'));
      const second = await condition.acquire();
      condition.notify();
      expect(await stateOf(waiting)).toBe('pending');
      second.release();
      expect(await waiting).toBe(true);
      expect(guard.isHeld).toBe(true);
      guard.release();
      expect(condition.isHeld).toBe(false);
    });

    it('waits across threads, also blocking', async () => {
      const condition = make();
      const peer = await bench.peer('condition', condition.name);
      const waiting = condition.with(() => condition.wait());
      expect(await stateOf(waiting)).toBe('pending');
      await peer.act('notify');
      expect(await waiting).toBe(true);
      using guard = condition.acquireSync();
      peer.actWhileBlocked('notifyAll');
      expect(condition.waitSync()).toBe(true);
      expect(guard.isHeld).toBe(true);
    });

    it('says false after timeoutMs, not before, and has the lock again', async () => {
      const condition = make();
      const guard = await condition.acquire();
      const began = performance.now();
      expect(await condition.wait({ timeoutMs: 15 })).toBe(false);
      expect(performance.now() - began).toBeGreaterThanOrEqual(15);
      expect(guard.isHeld).toBe(true);
      const blocked = performance.now();
      expect(condition.waitSync({ timeoutMs: 15 })).toBe(false);
      expect(performance.now() - blocked).toBeGreaterThanOrEqual(15);
      expect(guard.isHeld).toBe(true);
      expect(await condition.wait({ timeoutMs: 0 })).toBe(false);
      expect(condition.waitSync({ timeoutMs: 0 })).toBe(false);
      expect(guard.isHeld).toBe(true);
      expect(condition.notifyAll()).toBe(0);
    });

    it('has the lock again when aborted', async () => {
      const condition = make();
      const guard = await condition.acquire();
      const controller = new AbortController();
      const reason = new Error('enough');
      const waiting = condition.wait({ signal: controller.signal });
      expect(guard.isHeld).toBe(false);
      const second = await condition.acquire();
      controller.abort(reason);
      expect(await stateOf(waiting)).toBe('pending');
      second.release();
      await expect(waiting).rejects.toBe(reason);
      expect(guard.isHeld).toBe(true);
      await expect(condition.wait({ signal: controller.signal })).rejects.toBe(reason);
      expect(guard.isHeld).toBe(true);
      expect(condition.notifyAll()).toBe(0);
    });

    it('loses no notification to one who gives up', async () => {
      const condition = make();
      const other = bench.keep(Condition.open(condition.name));
      for (let i = 0; i < 100; i++) {
        const controller = new AbortController();
        const leaving = condition
          .with(() => condition.wait({ signal: controller.signal }))
          .catch(() => false);
        const staying = other.with(() => other.wait());
        await turn();
        await turn();
        const notified = await other.with(() => other.notify());
        controller.abort();
        const left = await leaving;
        // Whoever it went to: if the one that left had it, the other is still there to be notified.
        if (left) await condition.with(() => condition.notify());
        expect(await staying).toBe(true);
        expect(notified).toBe(1);
      }
    });

    it('wants the lock to be held', async () => {
      const condition = make();
      const other = bench.keep(Condition.open(condition.name));
      const guard = await other.acquire();
      await expect(condition.wait()).rejects.toEqual(coded('ERR_NOT_OWNER'));
      await expect(condition.waitFor(() => true)).rejects.toEqual(coded('ERR_NOT_OWNER'));
      for (const call of [
        () => condition.waitSync(),
        () => condition.waitForSync(() => true),
        () => condition.notify(),
        () => condition.notifyAll(),
        () => condition.release(),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_NOT_OWNER'));
      }
      guard.release();
    });

    it('waits until something is true', async () => {
      const condition = make();
      let count = 0;
      const waiting = condition.with(() => condition.waitFor(() => count >= 3 && `got ${count}`));
      for (let i = 0; i < 3; i++) {
        await turn();
        await condition.with(() => {
          count++;
          condition.notifyAll();
        });
      }
      expect(await waiting).toBe('got 3');
      expect(await condition.with(() => condition.waitFor(async () => 7))).toBe(7);
      expect(await condition.with(() => condition.waitFor(() => 0, { timeoutMs: 15 }))).toBe(0);
      expect(await condition.with(() => condition.waitFor(() => 0, { timeoutMs: 0 }))).toBe(0);
      expect(await condition.with(() => condition.waitForSync(() => 0, { timeoutMs: 15 }))).toBe(0);
      const failure = new Error('no');
      await condition.with(async () => {
        await expect(
          condition.waitFor(() => {
            throw failure;
          }),
        ).rejects.toBe(failure);
        expect(condition.isHeld).toBe(true);
      });
    });

    it('blocks until something is true', async () => {
      const condition = make();
      const peer = await bench.peer('condition', condition.name);
      let looks = 0;
      using guard = condition.acquireSync();
      peer.actWhileBlocked('notify', 'notify');
      expect(condition.waitForSync(() => ++looks === 3 && 'enough')).toBe('enough');
      expect(guard.isHeld).toBe(true);
    });

    it('blocking, lends the lock to no task of its own thread, which could not give it back', async () => {
      const condition = make();
      const peer = await bench.peer('condition', condition.name);
      const guard = condition.acquireSync();
      const pending = condition.acquire();
      peer.actWhileBlocked('notify');
      expect(condition.waitSync()).toBe(true);
      expect(guard.isHeld).toBe(true);
      expect(await stateOf(pending)).toBe('pending');
      guard.release();
      (await pending).release();
    });

    it('gives an RLock back whole', async () => {
      const lock = bench.keep(new RLock());
      const condition = bench.keep(new Condition(lock));
      const outer = await lock.acquire();
      const inner = outer.acquire();
      const waiting = condition.wait();
      expect([outer.isHeld, inner.isHeld, lock.isHeld]).toEqual([false, false, false]);
      await lock.with(() => condition.notify());
      expect(await waiting).toBe(true);
      expect([outer.isHeld, inner.isHeld]).toEqual([true, true]);
      inner.release();
      outer.release();
      expect(lock.isLocked).toBe(false);
    });

    it('shares a lock with other conditions', async () => {
      const lock = bench.keep(Lock.create(bench.name()));
      const [a, b] = [bench.name(), bench.name()];
      const full = bench.keep(Condition.create(a, { lock }));
      const empty = bench.keep(Condition.create(b, { lock }));
      const otherLock = bench.keep(Lock.open(lock.name));
      const otherFull = bench.keep(Condition.open(a, { lock: otherLock }));
      const waiting = [
        lock.with(() => full.wait()),
        otherLock.with(() => otherFull.wait()),
        lock.with(() => empty.wait()),
      ];
      await turn();
      await turn();
      await full.with(() => expect(full.notifyAll()).toBe(2));
      expect(await Promise.all(waiting.slice(0, 2))).toEqual([true, true]);
      expect(await stateOf(waiting[2] as Promise<boolean>)).toBe('pending');
      await lock.with(() => expect(empty.notify()).toBe(1));
      expect(await waiting[2]).toBe(true);
      expect(lock.isLocked).toBe(false);
    });

    it('does not go on without the lock when that was closed meanwhile', async () => {
      const lock = Lock.create(bench.name());
      const other = bench.keep(Lock.open(lock.name));
      const name = bench.name();
      const condition = bench.keep(Condition.create(name, { lock }));
      const notifier = bench.keep(Condition.open(name, { lock: other }));
      await lock.acquire();
      const waiting = condition.wait();
      lock.close();
      await notifier.with(() => expect(notifier.notify()).toBe(1));
      await expect(waiting).rejects.toEqual(coded('ERR_CLOSED'));
    });

    it('is ERR_CLOSED when it was closed while it acquires the lock again', async () => {
      const lock = bench.keep(new Lock());
      const name = bench.name();
      const condition = bench.keep(Condition.create(name, { lock }));
      const notifier = bench.keep(Condition.open(name, { lock }));
      await lock.acquire();
      const waiting = condition.wait();
      const guard = await lock.acquire();
      expect(notifier.notify()).toBe(1);
      await turn();
      expect(await stateOf(waiting)).toBe('pending');
      condition.close();
      // In whose place there may be another by now, where nobody was notified.
      const successor = bench.keep(Condition.create(bench.name(), { lock }));
      guard.release();
      await expect(waiting).rejects.toEqual(coded('ERR_CLOSED'));
      expect(lock.isHeld).toBe(true);
      expect(successor.notify()).toBe(0);
      lock.release();
    });

    it('is ERR_CLOSED if a predicate closes it, and nobody waits for another in its place', async () => {
      const lock = bench.keep(new Lock());
      const condition = Condition.create(bench.name(), { lock });
      let notified = -1;
      const succeed = () => {
        condition.close();
        const successor = bench.keep(Condition.create(bench.name(), { lock }));
        setImmediate(() => (notified = successor.notify()));
        return false;
      };
      await lock.acquire();
      await expect(condition.waitFor(succeed)).rejects.toEqual(coded('ERR_CLOSED'));
      expect(lock.isHeld).toBe(true);
      await turn();
      expect(notified).toBe(0);
      lock.release();
    });

    it('is opened with the lock it was made with', async () => {
      const lock = bench.keep(new Lock());
      const name = bench.name();
      const condition = bench.keep(Condition.create(name, { lock }));
      expect(thrownBy(() => Condition.open(name))).toEqual(coded('ERR_MISMATCH'));
      expect(thrownBy(() => Condition.open(make().name, { lock }))).toEqual(coded('ERR_MISMATCH'));
      const queue = bench.keep(bench.Queue.create(bench.name()));
      await expect(queue.put(condition)).rejects.toEqual(coded('ERR_ENCODE'));
      condition.close();
      expect(lock.isLocked).toBe(false);
      (await lock.acquire()).release();
    });

    it.each(rows<unknown>([7, {}, null, 'lock']))('refuses the lock %s', (_, lock) => {
      const bad = { lock: lock as undefined };
      expect(thrownBy(() => Condition.create(bench.name(), bad))).toEqual(coded('ERR_INVALID_ARG'));
    });

    it.each(rows<unknown>([-1, 1.5, NaN, '1', null]))('refuses to notify %s', async (_, count) => {
      const condition = make();
      using guard = await condition.acquire();
      expect(thrownBy(() => condition.notify(count as number))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => condition.waitForSync(count as never))).toEqual(
        coded('ERR_INVALID_ARG'),
      );
      expect(guard.isHeld).toBe(true);
    });

    it('forgets who closes, and rejects what is pending', async () => {
      const condition = make();
      const other = bench.keep(Condition.open(condition.name));
      const leaving = other.with(() => other.wait());
      const staying = condition.with(() => condition.wait());
      await turn();
      await turn();
      other.close();
      await expect(leaving).rejects.toEqual(coded('ERR_CLOSED'));
      await condition.with(() => expect(condition.notifyAll()).toBe(1));
      expect(await staying).toBe(true);
      await expect(other.wait()).rejects.toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => other.notify())).toEqual(coded('ERR_CLOSED'));
      expect(inspect(other)).toBe(`Condition '${other.name}' { closed: true }`);
      expect(inspect(condition)).toBe(`Condition '${other.name}' { held: false }`);
    });

    it('passes on the notification of one who closes before it takes it', async () => {
      const condition = make();
      const other = bench.keep(Condition.open(condition.name));
      const leaving = other.with(() => other.wait()).catch(() => undefined);
      await turn();
      await turn();
      const guard = await condition.acquire();
      const staying = condition.wait();
      const holding = await condition.acquire();
      condition.notify();
      other.close();
      holding.release();
      await leaving;
      await condition.with(() => condition.notify(), { timeoutMs: 5 }).catch(() => undefined);
      expect(await staying).toBe(true);
      guard.release();
    });

    it('passes on nothing of a wait that is over', async () => {
      const condition = make();
      const other = bench.keep(Condition.open(condition.name));
      for (const wait of [
        () => other.wait(),
        () => other.waitFor(() => false, { timeoutMs: 5 }),
        () => other.waitSync({ timeoutMs: 5 }),
      ]) {
        const first = other.with(wait);
        await turn();
        await turn();
        await condition.with(() => condition.notify());
        await first;
      }
      const staying = condition.with(() => condition.wait());
      await turn();
      await turn();
      other.close();
      expect(await stateOf(staying)).toBe('pending');
      await condition.with(() => expect(condition.notify()).toBe(1));
      expect(await staying).toBe(true);
    });

    it('tells in the guard that the lock was recovered meanwhile', async () => {
      const condition = make();
      const other = Condition.open(condition.name);
      const guard = await condition.acquire();
      const waiting = condition.wait();
      await other.acquire();
      other.notify();
      other.close();
      expect(await waiting).toBe(true);
      expect(guard.recovered).toBe(true);
      guard.release();
    });
  });
}
