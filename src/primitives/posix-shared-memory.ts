import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import { InterprocError, invalidArgument } from '../errors.js';
import type { PosixMemory } from '../contract/posix.js';

/**
 * A shared memory object of POSIX (`shm_open` and `mmap`), for work with programs that know nothing of this package: those
 * in C, C++, Rust, Go, and Python's `multiprocessing.shared_memory`. Bytes and nothing else: what they mean, and who may touch
 * them when, is for the programs to agree on.
 *
 * *What it does not do.* Nobody removes it but `unlink()`: an object whose programs were killed stays in memory until the
 * machine restarts. There is no word of who uses it. Between programs that use this package, take `Queue` and its like, which the
 * last one out removes and which survive the death of anybody.
 *
 * *What can end the process.* Whoever may write the object can also make it shorter, and touching memory that has been cut off
 * is a fatal signal (SIGBUS), in every language. So is touching a part for which there is no room, of an object whose maker did
 * not reserve it, as C programs and Python do not. An object made here is reserved whole.
 *
 * A handle takes a mapping and no descriptor. One that is forgotten, with all arrays over its memory, is closed when
 * garbage collection finds it. Handles do not travel in messages: send the name. Every method throws ERR_CLOSED after `close()`.
 *
 * @example
 * ```ts
 * import { PosixSharedMemory } from 'interproc/posix';
 *
 * // One program ...
 * const frames = PosixSharedMemory.create('/frames', 1 << 20);
 * new Int32Array(frames.buffer)[0] = 42;
 * // ... and another, in any language: shm_open("/frames", O_RDWR, 0) and mmap.
 * const same = PosixSharedMemory.open('/frames');
 * new Int32Array(same.buffer)[0]; // => 42
 * same.byteLength; // => 1048576
 *
 * same.close();
 * frames.unlink(); // nobody else does
 * frames.close();
 * ```
 */
export class PosixSharedMemory {
  /** With a leading slash. Python's `SharedMemory` takes it without. */
  readonly name: string;
  /** Its size when it was opened: what was asked for, not rounded up to pages. */
  readonly byteLength: number;
  /** Whether it was opened with `readOnly`. */
  readonly readOnly: boolean;

  readonly #memory: PosixMemory;
  readonly #unlink: () => void;
  #isClosed = false;

  /** Made by `create`, `open` and `openOrCreate`. */
  constructor(name: string, memory: PosixMemory, unlink: () => void) {
    this.name = name;
    this.byteLength = memory.byteLength;
    this.readOnly = memory.readOnly;
    this.#memory = memory;
    this.#unlink = unlink;
  }

  /**
   * The memory itself, not a copy: always the same ArrayBuffer, over which any typed array may be laid, at the speed of any
   * other. `Atomics` work on it, but for `Atomics.wait`. `close()` detaches it: arrays over it become empty. O(1).
   *
   * It cannot be transferred. If something takes it away all the same (a BYOB reader of a web stream does), it stays mapped until
   * its successor is garbage.
   *
   * @throws ERR_UNSUPPORTED of a `readOnly` handle, since there are no read-only ArrayBuffers; of an object larger than an
   * ArrayBuffer may be; where the runtime allows no ArrayBuffer over memory that is not its own (Electron), and with
   * `INTERPROC_COPY_BUFFERS=1` in the environment. There, `read()` and `write()`. ERR_CLOSED
   */
  get buffer(): ArrayBuffer {
    this.#assertOpen('buffer');
    return this.#memory.buffer();
  }

  /**
   * Fills `target` with the bytes from `offset` on, and returns it. Works everywhere. What another writes meanwhile may be seen in
   * part. One copy.
   *
   * @param offset in bytes; 0, the start, by default
   * @throws ERR_INVALID_ARG it is no Uint8Array, or longer than what there is from `offset` on: nothing was read; ERR_CLOSED
   */
  read<T extends Uint8Array>(target: T, offset = 0): T {
    this.#assertOpen('read()');
    this.#assertWithin('read()', target, offset);
    this.#memory.read(target, offset);
    return target;
  }

  /**
   * Stores `bytes` from `offset` on. Works everywhere. Another who reads meanwhile may see a part of it. One copy.
   *
   * @param offset in bytes; 0, the start, by default
   * @throws ERR_INVALID_ARG it is no Uint8Array, or longer than what there is from `offset` on: nothing was written;
   * ERR_PERMISSION of a `readOnly` handle; ERR_CLOSED
   */
  write(bytes: Uint8Array, offset = 0): void {
    this.#assertOpen('write()');
    if (this.readOnly) {
      throw new InterprocError(
        'ERR_PERMISSION',
        `write(): shared memory '${this.name}' was opened for reading only; open it without readOnly`,
      );
    }
    this.#assertWithin('write()', bytes, offset);
    this.#memory.write(bytes, offset);
  }

  /** Lets go of it: `buffer` is detached, the memory unmapped. The object stays, as does its name. Again is no error. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#memory.close();
  }

  /**
   * Removes the name at once, whichever object has it now; those who have the object open go on, and its memory is free when the last
   * of them has closed it. After `close()` there is `PosixSharedMemory.unlink(name)`.
   *
   * @throws ERR_NOT_FOUND nothing has this name any more; ERR_PERMISSION; ERR_CLOSED
   */
  unlink(): void {
    this.#assertOpen('unlink()');
    this.#unlink();
  }

  /** `using memory = …`: closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const { byteLength, readOnly } = this;
    const facts = this.#isClosed ? { byteLength, closed: true } : { byteLength, readOnly };
    return `PosixSharedMemory ${inspect(this.name, options)} ${inspect(facts, options)}`;
  }

  #assertOpen(call: string): void {
    if (!this.#isClosed) return;
    throw new InterprocError(
      'ERR_CLOSED',
      `${call}: shared memory '${this.name}' was closed here; open it again`,
    );
  }

  #assertWithin(call: string, bytes: unknown, offset: unknown): void {
    if (!(bytes instanceof Uint8Array)) throw invalidArgument(call, 'a Uint8Array', bytes);
    const { byteLength } = this;
    if (!Number.isSafeInteger(offset) || (offset as number) < 0) {
      throw invalidArgument(
        `${call}: offset`,
        `a whole number of bytes, 0 to ${byteLength}`,
        offset,
      );
    }
    if ((offset as number) + bytes.length <= byteLength) return;
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `${call}: ${bytes.length} bytes from ${offset as number} on do not lie within the ${byteLength} of '${this.name}'`,
    );
  }
}
