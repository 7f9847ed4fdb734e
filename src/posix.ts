/** Shared memory and semaphores of the system itself, for work with programs in other languages: `interproc/posix`. */
export { PosixSemaphore, PosixSharedMemory } from './context.js';
export { InterprocError, TimeoutError } from './errors.js';
export type { PosixOpenOptions } from './primitives/bind-posix.js';
export type { PosixCreateOptions } from './primitives/posix-options.js';
export type { SyncWaitOptions, WaitOptions } from './primitives/wait-options.js';
