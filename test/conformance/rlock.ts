import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockSubject } from './lock-subject.js';
import { coded, stateOf } from './subject.js';

export function reentry(subject: LockSubject): void {
  describe('RLock: acquiring again', () => {
    const bench = lockBenchFor(subject);
    const { RLock } = bench.classes;

    it('is done by the guard, and lasts until the last of its guards is released', async () => {
      const lock = bench.keep(RLock.create(bench.name()));
      const other = bench.keep(RLock.open(lock.name));
      const outer = await lock.acquire();
      const inner = outer.acquire();
      const innermost = inner.acquire();
      const pending = other.acquire();
      outer.release();
      expect(outer.isHeld).toBe(false);
      expect(inner.isHeld).toBe(true);
      innermost.release();
      expect(await stateOf(pending)).toBe('pending');
      inner.acquire().release();
      inner.release();
      expect(lock.isHeld).toBe(false);
      (await pending).release();
    });

    it('is not for a guard that was released', async () => {
      const lock = bench.keep(new RLock());
      const outer = await lock.acquire();
      const inner = outer.acquire();
      outer.release();
      expect(thrownBy(() => outer.acquire())).toEqual(coded('ERR_NOT_OWNER'));
      expect(thrownBy(() => outer.release())).toEqual(coded('ERR_NOT_OWNER'));
      inner.release();
      expect(thrownBy(() => inner.acquire())).toEqual(coded('ERR_NOT_OWNER'));
      const next = await lock.acquire();
      expect(thrownBy(() => outer.acquire())).toEqual(coded('ERR_NOT_OWNER'));
      expect(thrownBy(() => inner.release())).toEqual(coded('ERR_NOT_OWNER'));
      expect(next.isHeld).toBe(true);
    });

    it('is undone by release(), the last one first', async () => {
      const lock = bench.keep(new RLock());
      const outer = await lock.acquire();
      const inner = outer.acquire();
      lock.release();
      expect([outer.isHeld, inner.isHeld]).toEqual([true, false]);
      lock.release();
      expect(lock.isHeld).toBe(false);
      expect(thrownBy(() => lock.release())).toEqual(coded('ERR_NOT_OWNER'));
    });

    it('is not had by another task, nor by a blocking call', async () => {
      const lock = bench.keep(new RLock());
      const guard = await lock.acquire();
      expect(lock.tryAcquire()).toBeNull();
      const error = thrownBy(() => lock.acquireSync());
      expect(error).toEqual(coded('ERR_DEADLOCK'));
      expect(String(error)).toContain('guard');
      guard.release();
    });

    it('tells every guard whether the lock was recovered', async () => {
      const lock = bench.keep(RLock.create(bench.name()));
      const other = RLock.open(lock.name);
      (await other.acquire()).acquire();
      other.close();
      const guard = await lock.acquire();
      expect([guard.recovered, guard.acquire().recovered]).toEqual([true, true]);
    });
  });
}
