/** A thread's end of a line through shared memory. */

import { EarlyBytes } from '../early-bytes.js';
import type { Line } from '../line.js';
import { RingReader, RingWriter } from './byte-ring.js';
import { ringHub } from './hub-bell.js';
import {
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
import type { Partner } from './partner.js';
import { Spinning } from './spinning.js';
import { ThreadSleep } from './thread-bell.js';

/** Looks in vain before a sleep, some 10 us. A hub that is awake answers within 2. */
const SPINS = 2000;
/** Of one sleep, so that V8 can end the thread in between. */
const SLICE_MS = 50;
/** After so much sleep in vain it looks whether the hub is still there, for the first time and then again. */
const FIRST_PROBE_MS = 2 * SLICE_MS;
const PROBE_MS = 1000;

export interface ThreadLineOptions {
  /**
   * Whether `write` returns only when the other end has read what was written.
   * @default false: it is in the ring, and outlives this thread as long as the process does
   */
  readonly isConfirmed?: boolean;
  /**
   * An other end that reads nothing for so long is given up.
   * @default Infinity
   */
  readonly patienceMs?: number;
}

export class ThreadLine implements Line {
  onBytes: (bytes: Buffer) => void = () => {};
  onLost: (cause: Error) => void = () => {};
  readonly #words: Int32Array;
  readonly #hubWords: Int32Array;
  readonly #partner: Partner;
  /** What is written is to have been read before `write` returns. */
  readonly #isConfirmed: boolean;
  readonly #patienceMs: number;
  readonly #in: RingReader;
  readonly #out: RingWriter;
  readonly #sleep: ThreadSleep;
  readonly #spinning = new Spinning();
  readonly #confirming = new Spinning();
  readonly #chunk = Buffer.allocUnsafeSlow(RING_BYTES);
  readonly #early = new EarlyBytes((bytes) => this.onBytes(bytes));
  #willLook = false;
  /** How much sleep in vain there may be until the next probe. */
  #untilProbeMs = FIRST_PROBE_MS;
  #isOver = false;

  /** Of memory that the hub has accepted. */
  constructor(
    { words, toHub, toThread }: LineMemory,
    hubWords: Int32Array,
    partner: Partner,
    { isConfirmed = false, patienceMs = Infinity }: ThreadLineOptions = {},
  ) {
    this.#words = words;
    this.#hubWords = hubWords;
    this.#partner = partner;
    this.#isConfirmed = isConfirmed;
    this.#patienceMs = patienceMs;
    this.#out = new RingWriter(words, TO_HUB_TAIL, TO_HUB_HEAD, toHub);
    this.#in = new RingReader(words, TO_THREAD_TAIL, TO_THREAD_HEAD, toThread);
    this.#sleep = new ThreadSleep(words, () => this.#look());
    partner.onEnd = () => {
      // What it said last comes first.
      this.#early.deliver();
      while (this.#deliver());
      this.#end(new Error(this.#partner.cause));
    };
    this.#leave();
  }

  write(bytes: Uint8Array): void {
    this.#assertThere();
    const written = this.#out.write(bytes, 0);
    ringHub(this.#hubWords);
    if (written < bytes.length || (this.#isConfirmed && !this.#isConfirmedSoon())) {
      this.#writeRest(bytes, written);
    }
  }

  #writeRest(bytes: Uint8Array, from: number): void {
    let at = from;
    let deadline = Infinity;
    const isThrough = () => at === bytes.length && (!this.#isConfirmed || this.#out.isRead());
    const canGoOn = () => (at < bytes.length ? this.#out.hasRoom() : isThrough());
    this.#sleep.enter();
    try {
      for (;;) {
        const written = this.#out.write(bytes, at);
        at += written;
        if (written > 0) ringHub(this.#hubWords);
        if (isThrough()) return;
        // The hub may wait for this thread to read before it reads on.
        const hasRead = this.#readEarly();
        if (written > 0 || hasRead) {
          this.#untilProbeMs = FIRST_PROBE_MS;
          deadline = Infinity;
        } else {
          if (deadline === Infinity) deadline = performance.now() + this.#patienceMs;
          else if (performance.now() > deadline) {
            throw new Error(`it has taken nothing for ${this.#patienceMs / 1000} s`);
          }
          this.#sleep.sleep(true, SLICE_MS, () => canGoOn() || this.#in.hasBytes());
          this.#probe(SLICE_MS);
        }
        this.#assertThere();
      }
    } finally {
      this.#leave();
    }
  }

  /** A partner that runs has read it by then, as a rule. */
  #isConfirmedSoon(): boolean {
    if (!this.#confirming.isWorthTrying()) return this.#out.isRead();
    let spins = 0;
    while (spins < SPINS && !this.#out.isRead()) spins++;
    this.#confirming.tried(spins < SPINS);
    return spins < SPINS;
  }

  wait(timeoutMs: number): boolean {
    if (this.#isOver) return false;
    this.#sleep.enter();
    try {
      if (this.#early.deliver()) return true;
      if (timeoutMs <= 0) return this.#deliver();
      if (this.#isThereSoon()) return this.#deliver();
      const ms = Math.min(timeoutMs, SLICE_MS);
      this.#sleep.sleep(false, ms, () => this.#in.hasBytes());
      if (this.#deliver()) return true;
      this.#probe(ms);
      return false;
    } finally {
      this.#leave();
    }
  }

  #isThereSoon(): boolean {
    if (this.#in.hasBytes()) return true;
    if (!this.#spinning.isWorthTrying()) return false;
    let spins = 0;
    while (spins < SPINS && !this.#in.hasBytes()) spins++;
    this.#spinning.tried(spins < SPINS);
    return spins < SPINS;
  }

  ref(): void {
    this.#partner.ref();
  }

  unref(): void {
    this.#partner.unref();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#early.drop();
    this.#sleep.close();
    this.#partner.close();
  }

  /** From the event loop. */
  #look(): void {
    this.#willLook = false;
    if (this.#isOver) return;
    this.#sleep.enter();
    try {
      if (!this.#early.deliver()) this.#deliver();
      this.#assertState();
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#sleep.leave();
    if (this.#in.hasBytes() || !this.#early.isEmpty) this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#willLook || this.#isOver) return;
    this.#willLook = true;
    setImmediate(() => this.#look());
  }

  /** Reads once, and hands on what came. */
  #deliver(): boolean {
    const length = this.#in.read(this.#chunk);
    if (length === 0 || this.#isOver) return false;
    this.#untilProbeMs = FIRST_PROBE_MS;
    this.#tellOfRoom();
    this.onBytes(this.#chunk.subarray(0, length));
    return true;
  }

  /** Reads without telling anybody: this may be the middle of a call. */
  #readEarly(): boolean {
    const bytes = Buffer.allocUnsafeSlow(RING_BYTES);
    const length = this.#in.read(bytes);
    if (length === 0) return false;
    this.#tellOfRoom();
    this.#early.add(bytes.subarray(0, length));
    return true;
  }

  #tellOfRoom(): void {
    // SYNC line.wanted: behind the store of the head.
    if (Atomics.load(this.#words, WANTED) === 0) return;
    Atomics.store(this.#words, WANTED, 0);
    ringHub(this.#hubWords);
  }

  /** After so many milliseconds in which nothing came. */
  #probe(ms: number): void {
    this.#assertState();
    this.#untilProbeMs -= ms;
    if (this.#untilProbeMs > 0) return;
    this.#untilProbeMs = PROBE_MS;
    if (this.#partner.hasEnded()) this.#end(new Error(this.#partner.cause));
  }

  #assertState(): void {
    if (Atomics.load(this.#words, STATE) === OVER && !this.#in.hasBytes()) {
      this.#end(new Error('it ended the session'));
    }
  }

  #assertThere(): void {
    if (this.#isOver) throw new Error('it is gone');
  }

  #end(cause: Error): void {
    if (this.#isOver) return;
    this.close();
    this.onLost(cause);
  }
}
