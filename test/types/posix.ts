/** What the compiler knows about `interproc/posix`. Checked by `npm run types`, never run. */

import { PosixSemaphore, PosixSharedMemory } from 'interproc/posix';
import { same } from './same.js';

export function sharedMemory(): void {
  const memory = PosixSharedMemory.create('/a', 10, { mode: 0o640 });
  same<typeof memory, PosixSharedMemory>();
  same<typeof memory.buffer, ArrayBuffer>();
  const read = memory.read(Buffer.alloc(4), 2);
  same<typeof read, Buffer<ArrayBuffer>>();
  PosixSharedMemory.open('/a', { readOnly: true }).write(new Uint8Array(1));
  PosixSharedMemory.openOrCreate('a', 10);
  PosixSharedMemory.unlink('a');

  // @ts-expect-error a new one has a size
  PosixSharedMemory.create('/a');
  // @ts-expect-error one that is there has its own
  PosixSharedMemory.open('/a', 10);
  // @ts-expect-error only opening can be for reading only
  PosixSharedMemory.create('/a', 10, { readOnly: true });
  // @ts-expect-error bytes only
  memory.write(new Float64Array(1));
}

export async function semaphore(signal: AbortSignal): Promise<void> {
  const semaphore = PosixSemaphore.create('/a', 1, { mode: 0o600 });
  same<typeof semaphore, PosixSemaphore>();
  await semaphore.wait({ timeoutMs: 10, signal });
  semaphore.waitSync({ timeoutMs: 10 });
  const taken = semaphore.tryWait();
  same<typeof taken, boolean>();
  same<typeof semaphore.value, number>();
  PosixSemaphore.openOrCreate('/a', 1).unref().ref().close();
  PosixSemaphore.unlink('/a');

  // @ts-expect-error a new one has a value
  PosixSemaphore.create('/a');
  // @ts-expect-error what blocks cannot be aborted
  semaphore.waitSync({ signal });
}
