import { invalidArgument } from '../errors.js';
import type { Backend, OpenMode } from '../contract/channel.js';
import type { PosixBackend, PosixOpener } from '../contract/posix.js';
import { assertCapable } from './lacking.js';
import { checkPosixName } from './posix-name.js';
import { checkPosixOptions, permissionsOf } from './posix-options.js';
import type { PosixCreateOptions } from './posix-options.js';
import { PosixSemaphore } from './posix-semaphore.js';
import { PosixSharedMemory } from './posix-shared-memory.js';

export interface PosixOpenOptions {
  /**
   * Opens it for reading only, which takes no more than the permission to read. There is no `buffer` then: `read()` it.
   * @default false
   */
  readonly readOnly?: boolean | undefined;
}

/** The class `PosixSharedMemory` as users see it. Names: a file name after a slash, which may be left out; 255 bytes of UTF-8 at most. */
export interface PosixSharedMemoryConstructor {
  readonly prototype: PosixSharedMemory;
  /**
   * A new object of `byteLength` zeros, all of them reserved. Nobody ever sees it without its size: a process that is killed in
   * here leaves it complete, or not at all.
   *
   * @throws ERR_EXISTS; ERR_NO_SPACE; ERR_INVALID_ARG; ERR_PERMISSION
   */
  create(name: string, byteLength: number, options?: PosixCreateOptions): PosixSharedMemory;
  /**
   * The object of this name, whole, whoever made it.
   *
   * @throws ERR_NOT_FOUND; ERR_PERMISSION; ERR_KIND what has this name is no shared memory; ERR_CORRUPT it has no bytes, because its
   * maker, a program in another language, has not got that far or died; ERR_INVALID_ARG
   */
  open(name: string, options?: PosixOpenOptions): PosixSharedMemory;
  /**
   * The object that is there, or else a new one: of several processes that call it at once, one creates it.
   *
   * @throws ERR_MISMATCH it is there, with another size; else as `open` and `create`, without ERR_NOT_FOUND and ERR_EXISTS
   */
  openOrCreate(name: string, byteLength: number, options?: PosixCreateOptions): PosixSharedMemory;
  /** Removes the name; see the method. @throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_INVALID_ARG */
  unlink(name: string): void;
}

/** The class `PosixSemaphore` as users see it. Names: a file name after a slash, which may be left out; 251 bytes of UTF-8 at most. */
export interface PosixSemaphoreConstructor {
  readonly prototype: PosixSemaphore;
  /**
   * A new semaphore with `value` permits, 0 to 2,147,483,647.
   *
   * @throws ERR_EXISTS; ERR_NO_SPACE; ERR_INVALID_ARG; ERR_PERMISSION
   */
  create(name: string, value: number, options?: PosixCreateOptions): PosixSemaphore;
  /**
   * The semaphore of this name, with the value that it has.
   *
   * @throws ERR_NOT_FOUND; ERR_PERMISSION; ERR_KIND what has this name is no semaphore, or one of another C library or word size;
   * ERR_INVALID_ARG
   */
  open(name: string): PosixSemaphore;
  /**
   * The semaphore that is there, whatever its value, or else a new one with `value` permits.
   *
   * @throws as `open` and `create`, without ERR_NOT_FOUND and ERR_EXISTS
   */
  openOrCreate(name: string, value: number, options?: PosixCreateOptions): PosixSemaphore;
  /** Removes the name; see the method. @throws ERR_NOT_FOUND, ERR_PERMISSION, ERR_INVALID_ARG */
  unlink(name: string): void;
}

/** Shared memory and semaphores of the system, through the backend that `choose` finds. */
export function bindPosix(choose: () => Backend): {
  PosixSharedMemory: PosixSharedMemoryConstructor;
  PosixSemaphore: PosixSemaphoreConstructor;
} {
  const select = (): PosixOpener => {
    const backend = choose();
    assertCapable(backend, 'posix', 'interproc/posix');
    return (backend as Backend & PosixBackend).posix;
  };
  const unlinkMemory = (name: string) => select().unlinkMemory(name);
  const unlinkSemaphore = (name: string) => select().unlinkSemaphore(name);

  const makeMemory =
    (mode: OpenMode) =>
    (given: string, byteLength: number, options: PosixCreateOptions = {}) => {
      const name = checkPosixName(given);
      if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
        throw invalidArgument('byteLength', 'a whole number of bytes, 1 or more', byteLength);
      }
      const permissions = permissionsOf(options);
      const wanted = { byteLength, permissions, readOnly: false };
      return memoryOf(name, mode, wanted);
    };
  const openMemory = (given: string, options: PosixOpenOptions = {}) => {
    const name = checkPosixName(given);
    checkPosixOptions(options, ['readOnly']);
    const { readOnly = false } = options;
    if (typeof readOnly !== 'boolean') throw invalidArgument('readOnly', 'true or false', readOnly);
    return memoryOf(name, 'open', { permissions: 0, readOnly });
  };
  const memoryOf = (
    name: string,
    mode: OpenMode,
    wanted: Parameters<PosixOpener['openMemory']>[2],
  ) => {
    const memory = select().openMemory(name, mode, wanted);
    return new PosixSharedMemory(name, memory, () => unlinkMemory(name));
  };

  const makeSemaphore =
    (mode: OpenMode) =>
    (given: string, value: number, options: PosixCreateOptions = {}) => {
      const name = checkPosixName(given);
      const { maxSemaphoreValue } = select();
      if (!Number.isInteger(value) || value < 0 || value > maxSemaphoreValue) {
        throw invalidArgument('value', `a number of permits, 0 to ${maxSemaphoreValue}`, value);
      }
      return semaphoreOf(name, mode, { value, permissions: permissionsOf(options) });
    };
  const openSemaphore = (given: string) =>
    semaphoreOf(checkPosixName(given), 'open', { value: 0, permissions: 0 });
  const semaphoreOf = (
    name: string,
    mode: OpenMode,
    wanted: Parameters<PosixOpener['openSemaphore']>[2],
  ) => {
    const semaphore = select().openSemaphore(name, mode, wanted);
    return new PosixSemaphore(name, semaphore, () => unlinkSemaphore(name));
  };

  class BoundPosixSharedMemory extends PosixSharedMemory {
    static readonly create = makeMemory('create');
    static readonly open = openMemory;
    static readonly openOrCreate = makeMemory('openOrCreate');
    static readonly unlink = (name: string) => unlinkMemory(checkPosixName(name));
  }
  class BoundPosixSemaphore extends PosixSemaphore {
    static readonly create = makeSemaphore('create');
    static readonly open = openSemaphore;
    static readonly openOrCreate = makeSemaphore('openOrCreate');
    static readonly unlink = (name: string) => unlinkSemaphore(checkPosixName(name));
  }
  return {
    PosixSharedMemory: BoundPosixSharedMemory as unknown as PosixSharedMemoryConstructor,
    PosixSemaphore: BoundPosixSemaphore as unknown as PosixSemaphoreConstructor,
  };
}
