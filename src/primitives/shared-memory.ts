import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';
import { isUint8Array } from 'node:util/types';

import { invalidArgument } from '../errors.js';
import type { State } from '../contract/state.js';
import { noViews } from './lacking.js';
import { letTravel } from './passengers.js';
import { StateHandle } from './state-handle.js';

/** What stands in front of the tickets of memory. */
export const MEMORY_TRAVELS_AS = 'memory';

let stateOf: (object: object) => State | undefined;

/**
 * Bytes that processes share, and nothing else: what they mean, and who may change them when, is the users' affair. They begin as
 * zeros.
 *
 * Every method throws ERR_CLOSED after `close()`, but for `name`, `size` and `close`.
 *
 * @example
 * ```ts
 * import { SharedMemory } from 'interproc';
 *
 * const blob = SharedMemory.create('blob', 4096);
 * new Float64Array(blob.buffer)[0] = 2.5;
 *
 * const same = SharedMemory.open('blob'); // in another process, say
 * new Float64Array(same.buffer)[0]; // => 2.5
 * same.size; // => 4096
 * same.close();
 * blob.close(); // the last one out removes it
 * ```
 */
export class SharedMemory {
  readonly #handle: StateHandle;

  static {
    stateOf = (object) => (#handle in object ? object.#handle.open() : undefined);
  }

  /** Memory is had by `SharedMemory.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new SharedMemory(size)` for anonymous memory. */
  protected constructor(state: State) {
    this.#handle = new StateHandle('SharedMemory', state);
  }

  /** What it is opened by; of anonymous memory, what its file is called. */
  get name(): string {
    return this.#handle.name;
  }

  /** Bytes. */
  get size(): number {
    return this.#handle.state.geometry.byteLength;
  }

  /**
   * The memory itself, the same ArrayBuffer at each use: what other processes write shows in it at once. Any view goes, Atomics too
   * (but for `Atomics.wait` and `notify`, which work in one process only). Detached by `close()`: arrays over it are empty then.
   *
   * Do not transfer it away: the memory stays mapped, and the object open, until the garbage collector has found the last of it.
   *
   * @throws ERR_UNSUPPORTED where the backend has no views, or this runtime allows no such buffer (Electron): use `read` and `write`
   */
  get buffer(): ArrayBuffer {
    const { buffer } = this.#handle.open();
    if (buffer !== undefined) return buffer;
    throw noViews('buffer', this.name, 'use read() and write()');
  }

  /**
   * A private copy of `length` bytes from `offset` on.
   *
   * @param length by default all that follow
   * @throws ERR_INVALID_ARG for what is not inside
   */
  read(offset = 0, length = this.size - offset): Uint8Array<ArrayBuffer> {
    const state = this.#handle.open();
    this.#checkRange(offset, length);
    const bytes = new Uint8Array(length);
    state.read(offset, bytes);
    return bytes;
  }

  /**
   * Copies `bytes` there, from `offset` on.
   *
   * @throws ERR_INVALID_ARG for what is not inside, and nothing is written
   */
  write(bytes: Uint8Array, offset = 0): void {
    const state = this.#handle.open();
    if (!isUint8Array(bytes)) throw invalidArgument('write', 'a Uint8Array', bytes);
    this.#checkRange(offset, bytes.length);
    state.write(offset, bytes);
  }

  #checkRange(offset: number, length: number): void {
    const isInside =
      Number.isInteger(offset) &&
      Number.isInteger(length) &&
      offset >= 0 &&
      length >= 0 &&
      offset + length <= this.size;
    if (isInside) return;
    throw invalidArgument(
      `SharedMemory '${this.name}'`,
      `offsets and lengths inside of its ${this.size} bytes`,
      [offset, length],
    );
  }

  /** Lets go; the last one out removes the memory, unless it is to persist. Again is nothing. */
  close(): void {
    this.#handle.close();
  }

  /** Removes the name: nobody can open it any more, and those who have it open go on with it. Again is no error. */
  unlink(): void {
    this.#handle.open().unlink();
  }

  /** `using memory = SharedMemory.open(name)`: closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const state = this.#handle.isClosed ? { closed: true } : {};
    return `SharedMemory ${inspect(this.name, options)} ${inspect({ size: this.size, ...state }, options)}`;
  }
}

letTravel(MEMORY_TRAVELS_AS, (object) => stateOf(object));
