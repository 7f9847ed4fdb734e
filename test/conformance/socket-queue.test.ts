import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect } from 'vitest';

import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { describeQueue } from './queue.conformance.js';
import type { Act, Subject } from './subject.js';

const directory = mkdtempSync(join(tmpdir(), 'interproc-conformance-queue-'));
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function socketSubject(): Subject {
  return {
    backend: new SocketBackend(),
    async whileBlocked(name: string, acts: readonly Act[]): Promise<void> {
      const worker = new Worker(new URL('./peer.mjs', import.meta.url), {
        workerData: { name, acts },
        env: { ...process.env, INTERPROC_BACKEND: 'socket' },
        execArgv: [],
      });
      // Rejects with what the peer threw.
      const [exitCode] = (await once(worker, 'exit')) as [number];
      expect(exitCode).toBe(0);
    },
  };
}

describeQueue('a broker', socketSubject);
