/** What goes to a thread, from who must not block: what does not fit into the ring waits here. */

import { RingWriter } from './byte-ring.js';
import { TO_THREAD_HEAD, TO_THREAD_TAIL, WANTED } from './line-memory.js';
import type { LineMemory } from './line-memory.js';
import type { ThreadBell } from './thread-bell.js';

export class RingOutput {
  readonly #words: Int32Array;
  readonly #ring: RingWriter;
  readonly #bell: ThreadBell;
  #backlog: Buffer[] = [];
  #backlogBytes = 0;

  constructor({ words, toThread }: LineMemory, bell: ThreadBell) {
    this.#words = words;
    this.#ring = new RingWriter(words, TO_THREAD_TAIL, TO_THREAD_HEAD, toThread);
    this.#bell = bell;
  }

  /** How much waits for room. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** The bytes are this object's from now on. */
  write(bytes: Buffer): void {
    const written = this.#backlog.length === 0 ? this.#ring.write(bytes, 0) : 0;
    if (written > 0) this.#bell.written();
    if (written === bytes.length) return;
    this.#backlog.push(bytes.subarray(written));
    this.#backlogBytes += bytes.length - written;
  }

  /** Whether some of it went. To be called once more before whoever calls it sleeps, so that nothing waits while there is room. */
  sendBacklog(): boolean {
    let hasSent = false;
    for (;;) {
      const [first] = this.#backlog;
      if (first === undefined) return hasSent;
      // Each time: the thread may have answered an older wish just now.
      // SYNC line.wanted: in front of the last look at the head.
      Atomics.store(this.#words, WANTED, 1);
      const written = this.#ring.write(first, 0);
      if (written === 0) return hasSent;
      hasSent = true;
      this.#backlogBytes -= written;
      if (written === first.length) this.#backlog.shift();
      else this.#backlog[0] = first.subarray(written);
      this.#bell.written();
    }
  }

  forget(): void {
    this.#backlog = [];
    this.#backlogBytes = 0;
  }
}
