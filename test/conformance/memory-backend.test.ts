import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'vitest';

import { MemoryBackend } from '../../src/backends/memory/memory-backend.js';
import { describeQueue } from './queue.conformance.js';
import type { Act, Subject } from './subject.js';

function memorySubject(): Subject {
  return {
    backend: new MemoryBackend(),
    async whileBlocked(name: string, acts: readonly Act[]): Promise<void> {
      const worker = new Worker(new URL('./peer.mjs', import.meta.url), {
        workerData: { name, acts },
        env: { ...process.env, INTERPROC_BACKEND: 'memory' },
        execArgv: [],
      });
      // Rejects with what the peer threw.
      const [exitCode] = (await once(worker, 'exit')) as [number];
      expect(exitCode).toBe(0);
    },
  };
}

describeQueue('memory', memorySubject);
