import type { StateKind } from '../../src/contract/state.js';
import { STATE_DEFAULTS } from '../../src/contract/state.js';
import type { BarrierPlace } from '../../src/contract/locks.js';
import { MemoryBackend } from '../unit/memory-backend.js';
import type { LockAct, LockPeer, LockSubject } from './lock-subject.js';

/** In one thread. Somebody else uses the backend itself: by a handle he would be this very thread, which it is not to know. */
export function memoryLockSubject(): LockSubject {
  const backend = new MemoryBackend();
  return {
    backend,
    async peer(kind: StateKind, name: string): Promise<LockPeer> {
      const state = backend.openState(name, 'open', {
        ...STATE_DEFAULTS,
        kind,
        byteLength: 0,
        schema: '',
        parameter: 0,
        persist: false,
      });
      const { lock, semaphore, condition, event, barrier, rwLock } = state.parts;
      let place: BarrierPlace | undefined;
      const notify = (count: number) => {
        if ((lock?.tryAcquire(true) ?? -1) < 0) throw new Error('the lock is not free');
        condition?.notify(count);
        lock?.release();
      };
      const acquire = (status: number | undefined) => {
        if (status === undefined || status < 0) throw new Error(`not to be had: ${status}`);
      };
      const doing: Record<LockAct, () => unknown> = {
        acquire: () => acquire((lock ?? semaphore)?.tryAcquire(true)),
        release: () => (lock ?? semaphore)?.release(),
        acquireRead: () => acquire(rwLock?.tryRead(true)),
        releaseRead: () => rwLock?.releaseRead(),
        acquireWrite: () => acquire(rwLock?.tryWrite(true)),
        releaseWrite: () => rwLock?.releaseWrite(),
        set: () => event?.set(),
        clear: () => event?.clear(),
        notify: () => notify(1),
        notifyAll: () => notify(Infinity),
        come: () => {
          const come = barrier?.come();
          if (typeof come !== 'object') return;
          place = come;
          if (place.isLast) barrier?.pass(place);
        },
        close: () => state.close(),
      };
      return {
        act: async (act) => {
          doing[act]();
        },
        actWhileBlocked(...acts) {
          backend.whileBlocked = () => {
            const next = acts.shift();
            if (next !== undefined) doing[next]();
            if (acts.length === 0) backend.whileBlocked = undefined;
            return acts.length > 0;
          };
        },
        leave: async () => state.close(),
      };
    },
  };
}
