import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import type { Queue } from '../../src/primitives/queue.js';
import { describePipe } from './pipe.conformance.js';
import type { PipeAct, PipeSubject } from './pipe-subject.js';

const directory = mkdtempSync('/dev/shm/interproc-pipes-');
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function nativeSubject(): PipeSubject {
  return {
    backend: new NativeBackend(),
    capabilities: { blocking: true },
    async whileBlocked({ name }: Queue<unknown>, acts: readonly PipeAct[]): Promise<void> {
      const worker = new Worker(new URL('./pipe-peer.mjs', import.meta.url), {
        workerData: { name, acts },
        execArgv: [],
      });
      // Rejects with what the peer threw.
      const [exitCode] = (await once(worker, 'exit')) as [number];
      expect(exitCode).toBe(0);
    },
  };
}

describePipe('native', nativeSubject);

it('leaves no file behind but those of its doorbells', () => {
  const files = readdirSync(directory).filter((name) => !name.startsWith('~bell-'));
  expect(files).toEqual([]);
});
