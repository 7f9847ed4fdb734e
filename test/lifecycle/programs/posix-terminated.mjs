// @ts-check
/**
 * Workers are terminated whatever they are at with shared memory and semaphores of POSIX:
 *   posix-terminated.mjs TIMES SEED MEMORY SEMAPHORE
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { PosixSemaphore, PosixSharedMemory } from '../../../dist/posix.js';
import { say } from './line.mjs';
import { SeededRandom } from './seeded-random.mjs';

const mapped = () => readFileSync('/proc/self/maps', 'utf8').split('/dev/shm/').length - 1;

/** @type {Record<string, (memory: string, semaphore: string) => unknown>} */
const ROLES = {
  'blocked in waitSync': (_, name) => {
    const semaphore = PosixSemaphore.open(name);
    parentPort?.postMessage('ready');
    semaphore.waitSync();
  },
  'awaiting wait': (_, name) => {
    const semaphore = PosixSemaphore.open(name);
    parentPort?.postMessage('ready');
    return Promise.all(Array.from({ length: 5 }, () => semaphore.wait()));
  },
  'timing out': (_, name) => {
    const semaphore = PosixSemaphore.open(name);
    parentPort?.postMessage('ready');
    for (;;) {
      try {
        semaphore.waitSync({ timeoutMs: 1 });
        throw new Error('there are no permits here');
      } catch (error) {
        if (/** @type {{ code: string }} */ (error).code !== 'ERR_TIMEOUT') throw error;
      }
    }
  },
  'writing to the buffer': (name) => {
    const memory = PosixSharedMemory.open(name);
    const array = new Uint8Array(memory.buffer);
    parentPort?.postMessage('ready');
    for (let i = 0; ; i += 1) array.fill(i);
  },
  copying: (name) => {
    const memory = PosixSharedMemory.open(name);
    const bytes = new Uint8Array(memory.byteLength);
    parentPort?.postMessage('ready');
    for (;;) memory.write(memory.read(bytes));
  },
  'opening and closing': (memoryName, semaphoreName) => {
    parentPort?.postMessage('ready');
    for (;;) {
      const memory = PosixSharedMemory.open(memoryName);
      void memory.buffer;
      const semaphore = PosixSemaphore.open(semaphoreName);
      memory.close();
      semaphore.close();
    }
  },
};

async function terminateThem() {
  const [times = 0, seed = 0] = process.argv.slice(2, 4).map(Number);
  const names = process.argv.slice(4);
  const random = new SeededRandom(seed);
  const roles = Object.keys(ROLES);
  const semaphore = PosixSemaphore.open(names[1] ?? '');
  // The first worker may leave behind what all of them share.
  let before = 0;
  for (let i = 0; i < times; i += 1) {
    const role = roles[i % roles.length];
    const worker = new Worker(new URL(import.meta.url), { workerData: { role, names } });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await delay(random.below(20));
    await worker.terminate();
    if (i === 0) before = mapped();
  }
  say('result', { before, after: mapped(), value: semaphore.value });
  semaphore.close();
}

if (isMainThread) {
  await terminateThem();
} else {
  const { role, names } = workerData;
  await ROLES[role]?.(names[0], names[1]);
}
