/**
 * How threads wake the hub, by one word for all of them:
 *
 *   AWAKE      it will look at every ring before it sleeps
 *   LISTENING  its event loop sleeps, and it waits to be notified about this word
 *
 *   AWAKE      -> LISTENING  hub      before it looks for the last time
 *   LISTENING  -> AWAKE      thread   it has written something, or made room that is WANTED; it notifies
 *   any        -> AWAKE      hub      it begins to look
 *
 * Thread: store the tail, then load HUB_MODE. Hub: store HUB_MODE, then load the tails. One of them comes last (`hub.asleep`).
 *
 * A thread that is terminated between its exchange and its notify leaves the hub asleep and marked as awake, so that nobody else
 * rings either. Its lifeline ends in that moment, and the hub looks at everything when any lifeline ends.
 */

import { whenNotified } from './wait-async.js';

const AWAKE = 0;
const LISTENING = 1;

const HUB_MODE = 0;

export function newHubWords(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** A thread's end. */
export function ringHub(words: Int32Array): void {
  // SYNC hub.asleep: behind the store of a tail or of a head.
  if (Atomics.load(words, HUB_MODE) === AWAKE) return;
  if (Atomics.exchange(words, HUB_MODE, AWAKE) === LISTENING) Atomics.notify(words, HUB_MODE);
}

/** The hub's end. */
export class HubSleep {
  readonly #words: Int32Array;
  readonly #onRing: () => void;
  #isWaiting = false;

  constructor(words: Int32Array, onRing: () => void) {
    this.#words = words;
    this.#onRing = onRing;
  }

  /** The hub looks by itself, until `leave`. */
  enter(): void {
    Atomics.store(this.#words, HUB_MODE, AWAKE);
  }

  /** It is to be rung from now on. The caller looks once more afterwards, and if there is nothing, calls `sleep`. */
  leave(): void {
    // SYNC hub.asleep: in front of the last look.
    Atomics.store(this.#words, HUB_MODE, LISTENING);
  }

  sleep(): void {
    // From before, if it was something else that woke the event loop.
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    whenNotified(this.#words, HUB_MODE, LISTENING, () => {
      this.#isWaiting = false;
      this.#onRing();
    });
  }
}
