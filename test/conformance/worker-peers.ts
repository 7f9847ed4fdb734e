/** Somebody else as a worker thread, which uses the built package, on the backend that its environment says. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'vitest';

import type { Backend } from '../../src/contract/channel.js';
import type { StateKind } from '../../src/contract/state.js';
import type { LockAct, LockPeer } from './lock-subject.js';
import type { Peers } from './peers.js';

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

export function workerPeers({ kind }: Backend): Peers {
  const start = (program: string, workerData: unknown) =>
    new Worker(new URL(program, import.meta.url), {
      workerData,
      env: { ...process.env, INTERPROC_BACKEND: kind },
      execArgv: [],
    });
  const run = async (program: string, workerData: unknown) => {
    // Rejects with what the peer threw.
    const [exitCode] = (await once(start(program, workerData), 'exit')) as [number];
    expect(exitCode).toBe(0);
  };
  return {
    onQueue: (name, acts) => run('./peer.mjs', { name, acts }),
    onPipe: ({ name }, acts) => run('./pipe-peer.mjs', { name, acts }),
    async onLock(kind, name): Promise<LockPeer> {
      const worker = start('./lock-peer.mjs', { className: CLASS_NAMES[kind], name });
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
