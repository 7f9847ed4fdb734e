/**
 * How the hub wakes a thread. MODE says what the thread does, as far as it matters:
 *
 *   AWAKE      it will look at the ring before it sleeps or goes its way: nothing is to be done
 *   SLEEPING   it blocks until there is something to read
 *   FULL       it blocks until there is something to read or room to write
 *   LISTENING  it runs something else, or its event loop sleeps: a ring on BELL makes it look
 *
 *   from                 to         by       when
 *   AWAKE                SLEEPING   thread   before it looks for the last time and blocks on MODE; FULL likewise
 *   SLEEPING, FULL       AWAKE      hub      it has written (FULL: or read) something; it notifies MODE
 *   any                  AWAKE      thread   it begins to look
 *   any                  LISTENING  thread   it leaves; then it looks for the last time
 *   LISTENING            AWAKE      hub      it has written something; it notifies BELL
 *
 * Thread: store MODE, then load the ring's tail. Hub: store the tail, then load MODE. In the one order of all these accesses one
 * of them comes last, so the thread sees the bytes or the hub sees that it sleeps (`bell.asleep`).
 *
 * A ring on BELL that finds nobody waiting there is for a thread that is about to wait there anew, and reads afterwards. MODE is
 * LISTENING only while it waits there or its callback is due.
 */

import { BELL, MODE } from './line-memory.js';
import { whenNotified } from './wait-async.js';

const AWAKE = 0;
const SLEEPING = 1;
const FULL = 2;
const LISTENING = 3;

/** The hub's end. */
export class ThreadBell {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Something was written to the thread's ring. */
  written(): void {
    // SYNC bell.asleep: behind the store of the tail.
    const mode = Atomics.load(this.#words, MODE);
    if (mode === AWAKE) return;
    // Another value since then: the thread itself went on, and looks.
    if (Atomics.compareExchange(this.#words, MODE, mode, AWAKE) !== mode) return;
    if (mode === LISTENING) {
      Atomics.notify(this.#words, BELL);
    } else Atomics.notify(this.#words, MODE);
  }

  /** Something was read from the thread's ring. */
  read(): void {
    // SYNC bell.asleep: behind the store of the head.
    if (Atomics.load(this.#words, MODE) !== FULL) return;
    if (Atomics.compareExchange(this.#words, MODE, FULL, AWAKE) === FULL) {
      Atomics.notify(this.#words, MODE);
    }
  }
}

/** The thread's end. */
export class ThreadSleep {
  readonly #words: Int32Array;
  readonly #onBell: () => void;
  #isOver = false;

  /** `onBell` comes from the event loop; it is to look, and then to `leave`. */
  constructor(words: Int32Array, onBell: () => void) {
    this.#words = words;
    this.#onBell = onBell;
    this.#listen();
  }

  /** From now on this thread looks by itself, until `leave`. */
  enter(): void {
    Atomics.store(this.#words, MODE, AWAKE);
  }

  /** Blocks until something is there to be read, or also room to write, unless `isThere` says so already. */
  sleep(wantsRoom: boolean, timeoutMs: number, isThere: () => boolean): void {
    const mode = wantsRoom ? FULL : SLEEPING;
    // SYNC bell.asleep: in front of the last look.
    Atomics.store(this.#words, MODE, mode);
    if (!isThere()) Atomics.wait(this.#words, MODE, mode, timeoutMs);
    Atomics.store(this.#words, MODE, AWAKE);
  }

  /** The bell is to be rung again. The caller looks once more afterwards. */
  leave(): void {
    // SYNC bell.asleep: in front of the last look.
    Atomics.store(this.#words, MODE, LISTENING);
  }

  close(): void {
    this.#isOver = true;
    Atomics.notify(this.#words, BELL);
  }

  #listen(): void {
    whenNotified(this.#words, BELL, 0, () => {
      if (this.#isOver) return;
      this.enter();
      // Before anything is read: see above.
      this.#listen();
      this.#onBell();
    });
  }
}
