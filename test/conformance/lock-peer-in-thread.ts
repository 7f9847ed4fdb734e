/** Somebody else in this very thread, who uses a state by itself: by a handle he would be this thread, which it is not to know. */

import type { BarrierPlace } from '../../src/contract/locks.js';
import type { State } from '../../src/contract/state.js';
import type { LockAct, LockPeer } from './lock-subject.js';

/** What the rest of the world does while this thread is blocked. */
interface World {
  whileBlocked: (() => boolean) | undefined;
}

export function lockPeerOf(state: State, backend: World): LockPeer {
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
}
