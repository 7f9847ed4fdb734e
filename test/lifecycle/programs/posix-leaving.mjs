// @ts-check
/**
 * Leaves in the way it is told to, with memory and a semaphore open, arrays over the one and a wait pending on the other:
 *   posix-leaving.mjs WAY [MEMORY SEMAPHORE]
 * Without names it leaves in the same way and opens nothing: that is what Node does without us.
 */
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { say } from './line.mjs';

const [way = '', memoryName, semaphoreName] = process.argv.slice(2);

async function hold() {
  if (memoryName === undefined || semaphoreName === undefined) return;
  const { PosixSemaphore, PosixSharedMemory } = await import('../../../dist/posix.js');
  const memory = PosixSharedMemory.open(memoryName);
  const reader = PosixSharedMemory.open(memoryName, { readOnly: true });
  const array = new Uint8Array(memory.buffer);
  array[0] = 42;
  const semaphore = PosixSemaphore.open(semaphoreName);
  semaphore.waitSync(); // this permit goes down with us
  const pending = semaphore.wait();
  pending.catch(() => {});
  if (way === 'natural end') semaphore.unref();
  process.once('exit', () => {
    array[1] = reader.read(new Uint8Array(1))[0] ?? 0;
  });
}

function leave() {
  switch (way) {
    case 'natural end':
      return;
    case 'process.exit':
    case 'worker process.exit':
      return process.exit(3);
    case 'throw':
      return void setImmediate(() => {
        throw new Error('thrown on purpose');
      });
    case 'SIGKILL':
    case 'worker terminate':
      return void setInterval(() => {}, 1000); // until somebody ends it
    default:
      throw new Error(`no such way to leave: ${way}`);
  }
}

if (isMainThread && way.startsWith('worker')) {
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2) });
  worker.once('message', async () => {
    if (way === 'worker terminate') await worker.terminate();
  });
  worker.once('exit', (code) => say('left', code));
} else {
  await hold();
  if (isMainThread) say('holds');
  else parentPort?.postMessage('holds');
  leave();
}
