import { expect, it } from 'vitest';

import { NativeBackend } from '../../src/backends/native/native-backend.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import { describeBackend } from './backend.conformance.js';

for (const what of ['LEASES', 'STATE', 'PIPES']) process.env[`INTERPROC_COPY_${what}`] = '1';

describeBackend('native, where JavaScript does not see shared memory', () => new NativeBackend());

it('copies leases indeed: what is written to a slot is not in the queue before the commit', () => {
  const Queue = bindQueue(() => new NativeBackend());
  const q = new Queue({ codec: 'raw' });
  const slot = q.reserve(8);
  slot.bytes.fill(9);
  slot.abort();
  // The same room again: in place it would show what was written there.
  expect([...q.reserve(8).bytes]).toEqual(Array(8).fill(0));
  q.close();
});
