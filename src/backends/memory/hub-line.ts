/** The hub's end of a line through shared memory. It never blocks: what does not fit waits in its memory. */

import type { Hub } from '../brokered/hub/hub.js';
import type { Session } from '../brokered/hub/session.js';
import type { Outlet } from '../brokered/line.js';
import { RingReader } from '../brokered/rings/byte-ring.js';
import { holdLifeline } from './lifeline.js';
import {
  ACCEPTED,
  OVER,
  RING_BYTES,
  STATE,
  TO_HUB_HEAD,
  TO_HUB_TAIL,
} from '../brokered/rings/line-memory.js';
import type { LineMemory } from '../brokered/rings/line-memory.js';
import { RingOutput } from '../brokered/rings/ring-output.js';
import { ThreadBell } from '../brokered/rings/thread-bell.js';

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
  readonly #out: RingOutput;
  readonly #bell: ThreadBell;
  readonly #session: Session;
  readonly #thread: LineThread;
  readonly #endLifeline: () => void;
  /** The session was told to serve nothing until some of it is read. */
  #isClogged = false;
  #isOver = false;

  constructor(hub: Hub, memory: LineMemory, lifeline: string, thread: LineThread) {
    const { words, toHub } = memory;
    this.#words = words;
    this.#in = new RingReader(words, TO_HUB_TAIL, TO_HUB_HEAD, toHub);
    this.#bell = new ThreadBell(words);
    this.#out = new RingOutput(memory, this.#bell);
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
    const hasSent = this.#out.sendBacklog();
    if (this.#out.backlogBytes > MAX_BACKLOG_BYTES) return hasSent;
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
    this.#out.write(bytes);
    if (this.#out.backlogBytes > MAX_BACKLOG_BYTES) this.#isClogged = true;
    return !this.#isClogged;
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#out.forget();
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

  /** Half a frame is never parsed; what was said whole counts, as if the thread had lived on. */
  #lost(): void {
    this.#out.forget();
    while (!this.#isOver && this.#read());
    this.#isOver = true;
    Atomics.store(this.#words, STATE, OVER);
    this.#session.lost();
    this.#thread.lost();
  }
}
