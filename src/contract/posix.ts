/** What a backend promises to `interproc/posix`: the system's own shared memory and semaphores, under POSIX names (`/name`). */

import type { OpenMode } from './channel.js';

export interface PosixMemoryOptions {
  /** Of an object that is made, and of one that is there, which must have as many; undefined for `open`. */
  readonly byteLength?: number | undefined;
  /** Of an object that is made: permission bits, less the umask. */
  readonly permissions: number;
  /** Of one that is opened. */
  readonly readOnly: boolean;
}

/** A mapped shared memory object. */
export interface PosixMemory {
  readonly byteLength: number;
  readonly readOnly: boolean;
  /**
   * The memory itself: always the same ArrayBuffer, detached by `close()`. Throws ERR_UNSUPPORTED where there can be none.
   */
  buffer(): ArrayBuffer;
  /** Fills `target`; the caller has seen to it that it lies within the memory. */
  read(target: Uint8Array, offset: number): void;
  /** Stores `bytes`, likewise; not into a read-only one. */
  write(bytes: Uint8Array, offset: number): void;
  close(): void;
}

export interface PosixSemaphoreOptions {
  /** Of a semaphore that is made. */
  readonly value: number;
  readonly permissions: number;
}

export interface PosixSemaphore {
  /** Takes a permit if there is one. */
  tryWait(): boolean;
  /** Blocks this thread until it has taken a permit, or until the time has passed (false). */
  waitSync(timeoutMs: number): boolean;
  /** Adds a permit. Throws ERR_FULL. */
  post(): void;
  value(): number;
  close(): void;
}

/** A backend that has them: one with the capability `posix`. */
export interface PosixBackend {
  readonly posix: PosixOpener;
}

export interface PosixOpener {
  readonly maxSemaphoreValue: number;
  openMemory(name: string, mode: OpenMode, options: PosixMemoryOptions): PosixMemory;
  /** Removes the name, whichever object has it. */
  unlinkMemory(name: string): void;
  openSemaphore(name: string, mode: OpenMode, options: PosixSemaphoreOptions): PosixSemaphore;
  unlinkSemaphore(name: string): void;
}
