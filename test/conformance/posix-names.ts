import { readdirSync, rmSync } from 'node:fs';
import { afterEach, expect } from 'vitest';

const ROOT = '/dev/shm';

/** POSIX names are the machine's: those of one test file, which must leave none. */
export class PosixNames {
  readonly #prefix: string;
  readonly #opened: { close(): void }[] = [];
  #count = 0;

  constructor(label: string) {
    this.#prefix = `interproc-test-${label}-${process.pid}-`;
    afterEach(() => {
      for (const handle of this.#opened.splice(0)) handle.close();
      const left = this.left();
      // Removed, so that the other tests do not meet it.
      for (const file of left) rmSync(`${ROOT}/${file}`, { recursive: true });
      expect(left, 'left behind').toEqual([]);
    });
  }

  /** A name that no test has used. */
  next(): string {
    this.#count++;
    return `/${this.#prefix}${this.#count}`;
  }

  /** Remembers a handle, to be closed after the test. */
  keep<H extends { close(): void }>(handle: H): H {
    this.#opened.push(handle);
    return handle;
  }

  /** The files of objects of these names. */
  left(): string[] {
    return readdirSync(ROOT).filter((file) => file.includes(this.#prefix));
  }

  /** The file of a shared memory object. */
  static fileOf(name: string): string {
    return `${ROOT}${name}`;
  }

  static semaphoreFileOf(name: string): string {
    return `${ROOT}/sem.${name.slice(1)}`;
  }
}
