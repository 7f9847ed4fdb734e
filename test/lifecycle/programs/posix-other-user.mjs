// @ts-check
/** Tries to have what is another user's: `posix-other-user.mjs MEMORY SEMAPHORE`. */
import { PosixSemaphore, PosixSharedMemory } from '../../../dist/posix.js';
import { say } from './line.mjs';

const [memory = '', semaphore = ''] = process.argv.slice(2);

/** @param {() => unknown} call */
function errorOf(call) {
  try {
    return call();
  } catch (error) {
    const { code, errno, syscall } =
      /** @type {{ code: string, errno: number, syscall: string }} */ (error);
    return { code, errno, syscall };
  }
}

if (process.geteuid?.() === 0) process.setuid?.(65_534);
say('result', [
  errorOf(() => PosixSharedMemory.open(memory)),
  errorOf(() => PosixSharedMemory.openOrCreate(memory, 8)),
  errorOf(() => PosixSharedMemory.open(memory, { readOnly: true }).read(new Uint8Array(1))[0]),
  errorOf(() => PosixSemaphore.open(semaphore)),
]);
