import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Backend } from '../../src/contract/channel.js';
import type { StateKind } from '../../src/contract/state.js';
import type { LockAct, LockPeer, LockSubject } from './lock-subject.js';

const CLASS_NAMES: Partial<Record<StateKind, string>> = {
  lock: 'Lock',
  rlock: 'RLock',
  semaphore: 'Semaphore',
  boundedSemaphore: 'BoundedSemaphore',
  condition: 'Condition',
  event: 'Event',
  barrier: 'Barrier',
  rwlock: 'RWLock',
};

/** Where somebody else is a worker thread, on that backend. */
export function lockSubjectOn(backend: Backend): LockSubject {
  return {
    backend,
    async peer(kind: StateKind, name: string): Promise<LockPeer> {
      const worker = new Worker(new URL('./lock-peer.mjs', import.meta.url), {
        workerData: { className: CLASS_NAMES[kind], name, backend: backend.kind },
        execArgv: [],
      });
      // Rejects with what the peer threw.
      await once(worker, 'message');
      let told = 0;
      let busy: Promise<unknown> = Promise.resolve();
      // One that was told while this thread was blocked may still have to say that it is done.
      const done = async (number: number) => {
        while ((await once(worker, 'message'))[0] !== number);
      };
      const tell = (acts: LockAct[], isBlocked: boolean) => {
        const number = ++told;
        worker.postMessage({ acts, isBlocked, number });
        busy = done(number);
        return busy;
      };
      return {
        act: async (act) => {
          await tell([act], false);
        },
        actWhileBlocked: (...acts) => void tell(acts, true),
        async leave() {
          await busy;
          worker.postMessage('leave');
          await once(worker, 'exit');
        },
      };
    },
  };
}
