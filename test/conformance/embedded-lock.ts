import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { SharedArray } from '../../src/primitives/shared-array.js';
import { Struct } from '../../src/shapes/struct.js';
import type { Value } from '../../src/primitives/value.js';
import { stateBenchFor } from './state-subject.js';
import type { StateSubject } from './state-subject.js';
import { coded, stateOf } from './subject.js';

type Locked = Pick<Value, 'lock' | 'close'>;

export function embeddedLocks(subject: StateSubject): void {
  describe('the lock of', () => {
    const bench = stateBenchFor(subject);
    const makers: Record<string, () => Locked> = {
      'a value': () => new bench.Value('int32') as unknown as Locked,
      'a struct': () => new bench.Value(Struct({ x: 'int32' })) as unknown as Locked,
      'an array': () => new bench.SharedArray('int32', 3) as unknown as Locked,
      'a list': () => new bench.ShareableList([1, 'two']) as unknown as Locked,
      'an array of booleans': () => new bench.SharedArray('bool', 3) as unknown as Locked,
    };

    describe.each(Object.entries(makers))('%s', (_, make) => {
      it('is one for all handles', async () => {
        const one = bench.keep(make());
        const other = bench.another(one);
        expect(one.lock).toBe(one.lock);
        const guard = one.lock.acquireSync();
        expect([one.lock.isHeld, other.lock.isHeld, other.lock.isLocked]).toEqual([
          true,
          false,
          true,
        ]);
        expect(other.lock.tryAcquire()).toBe(null);
        const waiting = other.lock.acquire();
        expect(await stateOf(waiting)).toBe('pending');
        guard.release();
        const next = await waiting;
        expect(next.recovered).toBe(false);
        next.release();
        expect(one.lock.isLocked).toBe(false);
      });

      it('goes to the next when its handle closes, and the guard says so', async () => {
        const one = bench.keep(make());
        const other = bench.another(one);
        one.lock.acquireSync();
        const waiting = other.lock.acquire();
        expect(await stateOf(waiting)).toBe('pending');
        one.close();
        expect((await waiting).recovered).toBe(true);
        expect(() => one.lock).toThrow(coded('ERR_CLOSED'));
      });

      it('shows whose it is and whether it is held', () => {
        const one = bench.keep(make());
        const { lock } = one;
        const shown = () => inspect(lock).replace(/ '.*'/, '');
        const what = /^EmbeddedLock of (Value|SharedArray|ShareableList) /;
        expect(shown()).toMatch(what);
        expect(shown().replace(what, '')).toBe('{ held: false, locked: false }');
        lock.acquireSync();
        expect(shown().replace(what, '')).toBe('{ held: true, locked: true }');
        one.close();
        expect(shown().replace(what, '')).toBe('{ closed: true }');
      });

      it('rejects who waits for it when the handle closes', async () => {
        const one = bench.keep(make());
        const other = bench.another(one);
        one.lock.acquireSync();
        const waiting = other.lock.acquire();
        expect(await stateOf(waiting)).toBe('pending');
        other.close();
        await expect(waiting).rejects.toThrow(coded('ERR_CLOSED'));
      });

      it('is released by its owner only, and once', async () => {
        const one = bench.keep(make());
        const other = bench.another(one);
        expect(() => one.lock.release()).toThrow(coded('ERR_NOT_OWNER'));
        expect(await one.lock.with(() => other.lock.isLocked)).toBe(true);
        expect(one.lock.isLocked).toBe(false);
        one.lock.acquireSync();
        expect(() => other.lock.release()).toThrow(coded('ERR_NOT_OWNER'));
        expect(() => other.lock.acquireSync({ timeoutMs: 5 })).toThrow(coded('ERR_DEADLOCK'));
        one.lock.release();
      });
    });

    it('an array and waiting for its elements go together', async () => {
      const xs = bench.keep(new bench.SharedArray('int32', 2));
      const same = bench.another(xs as unknown as SharedArray<number>);
      const guard = await xs.lock.acquire();
      const changed = same.waitFor((now) => now[1] === 3);
      const locked = same.lock.acquire();
      expect(await stateOf(Promise.race([changed, locked]))).toBe('pending');
      xs.addAt(1, 3);
      expect(await changed).toBe(same);
      expect(await stateOf(locked)).toBe('pending');
      guard.release();
      (await locked).release();
    });
  });
}
