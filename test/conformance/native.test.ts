import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { describeQueue } from './queue.conformance.js';
import type { Act, Subject } from './subject.js';

const directory = mkdtempSync('/dev/shm/interproc-conformance-');
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function nativeSubject(): Subject {
  return {
    backend: new NativeBackend(),
    capabilities: { blocking: true, redelivery: true, leases: true },
    async whileBlocked(name: string, acts: readonly Act[]): Promise<void> {
      const worker = new Worker(new URL('./peer.mjs', import.meta.url), {
        workerData: { name, acts },
        execArgv: [],
      });
      // Rejects with what the peer threw.
      const [exitCode] = (await once(worker, 'exit')) as [number];
      expect(exitCode).toBe(0);
    },
  };
}

describeQueue('native', nativeSubject);

it('leaves no file behind but those of its doorbells', () => {
  const files = readdirSync(directory).filter((name) => !name.startsWith('~bell-'));
  expect(files).toEqual([]);
});
