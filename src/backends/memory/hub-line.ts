/** The hub's end of a line through shared memory. It never blocks: what does not fit waits in its memory. */

import type { Hub } from '../brokered/hub/hub.js';
import type { Session } from '../brokered/hub/session.js';
import type { Outlet } from '../brokered/line.js';
import { RingReader, RingWriter } from './byte-ring.js';
import { holdLifeline } from './lifeline.js';
import {
  ACCEPTED,
  OVER,
  RING_BYTES,
  STATE,
  TO_HUB_HEAD,
  TO_HUB_TAIL,
  TO_THREAD_HEAD,
  TO_THREAD_TAIL,
  WANTED,
} from './line-memory.js';
import type { LineMemory } from './line-memory.js';
import { ThreadBell } from './thread-bell.js';

/** Of output that a thread has not read: with more of it, nothing it says is read either. */
const MAX_BACKLOG_BYTES = 2 ** 20;

/** Of all lines: what is in it is done with before the next is read. */
const chunk = Buffer.allocUnsafeSlow(RING_BYTES);

/** What serves the lines. */
export interface LineThread {
  /** Calls `then` when every line has been looked at since. */
  catchUp(then: () => void): void;
  /** The thread of this line has ended, or the line has, and all that it said has been heard. */
  lost(): void;
}

export class HubLine implements Outlet {
  readonly #words: Int32Array;
  readonly #in: RingReader;
  readonly #out: RingWriter;
  readonly #bell: ThreadBell;
  readonly #session: Session;
  readonly #thread: LineThread;
  readonly #endLifeline: () => void;
  #backlog: Buffer[] = [];
  #backlogBytes = 0;
  /** The session was told to serve nothing until some of it is read. */
  #isClogged = false;
  #isOver = false;

  constructor(hub: Hub, memory: LineMemory, lifeline: string, thread: LineThread) {
    const { words, toHub, toThread } = memory;
    this.#words = words;
    this.#in = new RingReader(words, TO_HUB_TAIL, TO_HUB_HEAD, toHub);
    this.#out = new RingWriter(words, TO_THREAD_TAIL, TO_THREAD_HEAD, toThread);
    this.#bell = new ThreadBell(words);
    this.#thread = thread;
    this.#session = hub.connect(this);
    this.#endLifeline = holdLifeline(lifeline, () => this.#lost());
  }

  /** The thread may begin. */
  accept(): void {
    Atomics.store(this.#words, STATE, ACCEPTED);
    Atomics.notify(this.#words, STATE);
  }

  /** Reads and writes once. Whether there was anything to do. */
  serve(): boolean {
    if (this.#isOver) return false;
    const hasSent = this.#sendBacklog();
    if (this.#backlogBytes > MAX_BACKLOG_BYTES) return hasSent;
    if (this.#isClogged) {
      this.#isClogged = false;
      this.#session.resume();
    }
    return this.#read() || hasSent;
  }

  catchUp(then: () => void): void {
    this.#thread.catchUp(then);
  }

  write(bytes: Buffer): boolean {
    if (this.#isOver) return true;
    const written = this.#backlog.length === 0 ? this.#out.write(bytes, 0) : 0;
    if (written > 0) this.#bell.written();
    if (written < bytes.length) {
      this.#backlog.push(bytes.subarray(written));
      this.#backlogBytes += bytes.length - written;
      this.#isClogged = this.#backlogBytes > MAX_BACKLOG_BYTES;
    }
    return !this.#isClogged;
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#backlog = [];
    Atomics.store(this.#words, STATE, OVER);
    this.#bell.written();
    this.#endLifeline();
  }

  #read(): boolean {
    let length;
    try {
      length = this.#in.read(chunk);
    } catch {
      // It says what cannot be.
      this.close();
      return false;
    }
    if (length === 0) return false;
    this.#bell.read();
    this.#session.receive(chunk.subarray(0, length));
    return true;
  }

  /** The hub serves every line once more before it sleeps, so that nothing of it waits while there is room. */
  #sendBacklog(): boolean {
    let hasSent = false;
    for (;;) {
      const [first] = this.#backlog;
      if (first === undefined) return hasSent;
      // Each time: the thread may have answered an older wish just now.
      // SYNC line.wanted: in front of the last look at the head.
      Atomics.store(this.#words, WANTED, 1);
      const written = this.#out.write(first, 0);
      if (written === 0) return hasSent;
      hasSent = true;
      this.#backlogBytes -= written;
      if (written === first.length) this.#backlog.shift();
      else this.#backlog[0] = first.subarray(written);
      this.#bell.written();
    }
  }

  /** Half a frame is never parsed; what was said whole counts, as if the thread had lived on. */
  #lost(): void {
    this.#backlog = [];
    this.#backlogBytes = 0;
    while (!this.#isOver && this.#read());
    this.#isOver = true;
    Atomics.store(this.#words, STATE, OVER);
    this.#session.lost();
    this.#thread.lost();
  }
}
