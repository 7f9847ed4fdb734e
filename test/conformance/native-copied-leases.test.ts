import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import { leases } from './queue-leases.js';

const directory = mkdtempSync('/dev/shm/interproc-conformance-');
process.env['INTERPROC_DIR'] = directory;
process.env['INTERPROC_COPY_LEASES'] = '1';

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('Queue on native, where the bytes of leases are copies,', () => {
  leases({
    backend: new NativeBackend(),
    capabilities: { blocking: true, redelivery: true, leases: true },
    whileBlocked: () => Promise.reject(new Error('no test of leases does this')),
  });

  it('is copying indeed: what is written to a slot is not in the queue before the commit', () => {
    const Queue = bindQueue(() => new NativeBackend());
    const q = new Queue({ codec: 'raw' });
    const slot = q.reserve(8);
    slot.bytes.fill(9);
    slot.abort();
    // The same room again: in place it would show what was written there.
    expect([...q.reserve(8).bytes]).toEqual(Array(8).fill(0));
    q.close();
  });
});
