import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockSubject } from './lock-subject.js';
import { coded, stateOf } from './subject.js';

export function readersAndWriters(subject: LockSubject): void {
  describe('RWLock', () => {
    const bench = lockBenchFor(subject);
    const { RWLock } = bench.classes;
    const make = () => bench.keep(RWLock.create(bench.name()));

    it('lets many read, by whichever handle, and nobody write meanwhile', async () => {
      const lock = make();
      const other = bench.keep(RWLock.open(lock.name));
      const reads = [
        await lock.acquireRead(),
        lock.acquireReadSync(),
        await other.acquireRead(),
        lock.tryAcquireRead(),
      ];
      expect([lock.reads, other.reads]).toEqual([3, 1]);
      expect(lock.tryAcquireWrite()).toBeNull();
      expect(other.tryAcquireWrite()).toBeNull();
      expect(reads.map((guard) => guard?.recovered)).toEqual([false, false, false, false]);
      const writing = other.acquireWrite();
      for (const guard of reads) {
        expect(await stateOf(writing)).toBe('pending');
        guard?.release();
      }
      (await writing).release();
    });

    it('lets one write, and nobody else do anything meanwhile', async () => {
      const lock = make();
      const other = bench.keep(RWLock.open(lock.name));
      const guard = await lock.acquireWrite();
      expect([lock.isWriting, other.isWriting]).toEqual([true, false]);
      for (const handle of [lock, other]) {
        expect(handle.tryAcquireRead()).toBeNull();
        expect(handle.tryAcquireWrite()).toBeNull();
      }
      const pending = [lock.acquireRead(), other.acquireRead()];
      expect(await stateOf(Promise.race(pending))).toBe('pending');
      guard.release();
      for (const read of await Promise.all(pending)) read.release();
    });

    it('keeps threads apart, also blocking', async () => {
      const lock = make();
      const peer = await bench.peer('rwlock', lock.name);
      await peer.act('acquireWrite');
      const reading = lock.acquireRead();
      expect(await stateOf(reading)).toBe('pending');
      await peer.act('releaseWrite');
      (await reading).release();
      await peer.act('acquireWrite');
      peer.actWhileBlocked('releaseWrite');
      lock.acquireReadSync().release();
      await peer.act('acquireRead');
      peer.actWhileBlocked('releaseRead');
      lock.acquireWriteSync().release();
    });

    it('keeps new readers out while somebody waits to write', async () => {
      const lock = make();
      const other = bench.keep(RWLock.open(lock.name));
      for (const handle of [lock, other]) {
        const order: string[] = [];
        const first = await lock.acquireRead();
        const writing = handle.acquireWrite().then((guard) => {
          order.push('write');
          guard.release();
        });
        await turn();
        const reading = handle.acquireRead().then((guard) => {
          order.push('read');
          guard.release();
        });
        expect(await stateOf(reading)).toBe('pending');
        first.release();
        await Promise.all([writing, reading]);
        expect(order).toEqual(['write', 'read']);
      }
    });

    it('lets those in who waited to read while a task wrote, before the next that writes', async () => {
      const lock = make();
      const order: string[] = [];
      const first = await lock.acquireWrite();
      const tasks = ['write', 'read', 'read', 'write'].map(async (what) => {
        const guard = await (what === 'read' ? lock.acquireRead() : lock.acquireWrite());
        order.push(what);
        await turn();
        guard.release();
      });
      first.release();
      await Promise.all(tasks);
      expect(order).toEqual(['read', 'read', 'write', 'write']);
    });

    it('lets readers in when the one that waited to write gives up', async () => {
      const lock = make();
      const other = bench.keep(RWLock.open(lock.name));
      for (const handle of [lock, other]) {
        const first = await lock.acquireRead();
        const writing = handle.acquireWrite({ timeoutMs: 40 });
        const reading = handle.acquireRead();
        await expect(writing).rejects.toEqual(coded('ERR_TIMEOUT'));
        (await reading).release();
        expect(lock.tryAcquireWrite()).toBeNull();
        lock.tryAcquireRead()?.release();
        first.release();
        lock.tryAcquireWrite()?.release();
      }
    });

    it('gives up after timeoutMs or when aborted, and has acquired nothing', async () => {
      const lock = make();
      const other = bench.keep(RWLock.open(lock.name));
      const guard = await lock.acquireWrite();
      for (const handle of [lock, other]) {
        const began = performance.now();
        await expect(handle.acquireRead({ timeoutMs: 15 })).rejects.toEqual(coded('ERR_TIMEOUT'));
        await expect(handle.acquireWrite({ timeoutMs: 15 })).rejects.toEqual(coded('ERR_TIMEOUT'));
        expect(performance.now() - began).toBeGreaterThanOrEqual(30);
        const controller = new AbortController();
        const pending = [
          handle.acquireRead({ signal: controller.signal }),
          handle.acquireWrite({ signal: controller.signal }),
        ];
        controller.abort();
        await Promise.all(pending.map((one) => expect(one).rejects.toEqual(coded('ABORT_ERR'))));
      }
      guard.release();
      (await other.acquireWrite({ timeoutMs: 0 })).release();
      (await lock.acquireRead({ timeoutMs: 0 })).release();
    });

    it('blocking, gives up after timeoutMs', async () => {
      const lock = make();
      const peer = await bench.peer('rwlock', lock.name);
      await peer.act('acquireRead');
      expect(thrownBy(() => lock.acquireWriteSync({ timeoutMs: 15 }))).toEqual(
        coded('ERR_TIMEOUT'),
      );
      lock.acquireReadSync({ timeoutMs: 0 }).release();
      await peer.act('releaseRead');
      await peer.act('acquireWrite');
      expect(thrownBy(() => lock.acquireReadSync({ timeoutMs: 15 }))).toEqual(coded('ERR_TIMEOUT'));
      await peer.act('releaseWrite');
      lock.acquireWriteSync().release();
    });

    it('is a deadlock to block on what this thread holds', async () => {
      const lock = make();
      const other = bench.keep(RWLock.open(lock.name));
      const reading = await lock.acquireRead();
      for (const handle of [lock, other]) {
        expect(thrownBy(() => handle.acquireWriteSync())).toEqual(coded('ERR_DEADLOCK'));
        handle.acquireReadSync().release();
      }
      reading.release();
      const writing = await other.acquireWrite();
      for (const handle of [lock, other]) {
        expect(thrownBy(() => handle.acquireWriteSync({ timeoutMs: 5 }))).toEqual(
          coded('ERR_DEADLOCK'),
        );
        expect(thrownBy(() => handle.acquireReadSync())).toEqual(coded('ERR_DEADLOCK'));
      }
      writing.release();
      lock.acquireWriteSync().release();
    });

    it('is released by who holds it, once', async () => {
      const lock = make();
      const other = bench.keep(RWLock.open(lock.name));
      expect(thrownBy(() => lock.releaseRead())).toEqual(coded('ERR_NOT_OWNER'));
      expect(thrownBy(() => lock.releaseWrite())).toEqual(coded('ERR_NOT_OWNER'));
      const guard = await lock.acquireRead();
      expect(thrownBy(() => other.releaseRead())).toEqual(coded('ERR_NOT_OWNER'));
      lock.releaseRead();
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_NOT_OWNER'));
      const writer = await lock.acquireWrite();
      expect(thrownBy(() => lock.releaseRead())).toEqual(coded('ERR_NOT_OWNER'));
      expect(thrownBy(() => other.releaseWrite())).toEqual(coded('ERR_NOT_OWNER'));
      lock.releaseWrite();
      expect(thrownBy(() => writer.release())).toEqual(coded('ERR_NOT_OWNER'));
      expect(await lock.withRead((held) => held.isHeld)).toBe(true);
      expect(await lock.withWrite(async (held) => held.isHeld)).toBe(true);
      expect([lock.reads, lock.isWriting]).toEqual([0, false]);
    });

    it('tells the next one that a writer closed, and a writer that a reader did', async () => {
      const lock = make();
      const writer = RWLock.open(lock.name);
      await writer.acquireWrite();
      const pending = lock.acquireRead();
      writer.close();
      const first = await pending;
      expect(first.recovered).toBe(true);
      first.release();
      const reader = RWLock.open(lock.name);
      const guard = await reader.acquireRead();
      const writing = lock.acquireWrite();
      expect(await stateOf(writing)).toBe('pending');
      reader.close();
      const second = await writing;
      expect(second.recovered).toBe(true);
      second.release();
      expect((await lock.acquireWrite()).recovered).toBe(false);
      expect(guard.isHeld).toBe(false);
      expect(thrownBy(() => guard.release())).toEqual(coded('ERR_CLOSED'));
      expect(inspect(reader)).toBe(`RWLock '${lock.name}' { closed: true }`);
      expect(inspect(lock)).toBe(`RWLock '${lock.name}' { reads: 0, writing: true }`);
    });

    it('rejects what is pending when it closes', async () => {
      const lock = make();
      const other = bench.keep(RWLock.open(lock.name));
      await lock.acquireWrite();
      const pending = [other.acquireRead(), other.acquireWrite(), lock.acquireRead()];
      other.close();
      lock.close();
      await Promise.all(pending.map((one) => expect(one).rejects.toEqual(coded('ERR_CLOSED'))));
      await expect(lock.acquireRead()).rejects.toEqual(coded('ERR_CLOSED'));
      await expect(lock.acquireWrite()).rejects.toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => lock.releaseRead())).toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => lock.tryAcquireWrite())).toEqual(coded('ERR_CLOSED'));
    });

    it('lets neither readers nor writers of several handles out for ever', async () => {
      const handles = [make()];
      const { name } = handles[0] as (typeof handles)[0];
      handles.push(bench.keep(RWLock.open(name)), bench.keep(RWLock.open(name)));
      let readers = 0;
      let writers = 0;
      let done = 0;
      await Promise.all(
        Array.from({ length: 9 }, async (_, task) => {
          const lock = handles[task % 3] as (typeof handles)[0];
          for (let i = 0; i < 20; i++) {
            if (task % 2 === 0) {
              await lock.withRead(async () => {
                readers++;
                expect(writers).toBe(0);
                await turn();
                readers--;
              });
            } else {
              await lock.withWrite(async () => {
                expect(++writers).toBe(1);
                expect(readers).toBe(0);
                await turn();
                writers--;
              });
            }
            done++;
          }
        }),
      );
      expect(done).toBe(180);
    });
  });
}
