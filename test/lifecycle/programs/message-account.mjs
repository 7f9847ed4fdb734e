// @ts-check
/**
 * What became of every message, written down by the threads of one process as it happens: a thread that is terminated has
 * written all it did up to its last step.
 */

const ACCEPTED = 1; // the put has returned
const ACKING = 2; // its ack is about to be called
const DONE = 4; // a get has returned it, or its ack has returned
const REMAINED = 8; // found at the end

/** Messages that one account can tell apart. */
const CAPACITY = 16_000_000;
const MAX_THREADS = 64;

export class MessageAccount {
  static createBuffer() {
    return new SharedArrayBuffer(4 + 4 * MAX_THREADS * 2 + CAPACITY);
  }

  #next;
  #inHand;
  #waiting;
  #states;

  /** @param {SharedArrayBuffer} buffer */
  constructor(buffer) {
    this.#next = new Int32Array(buffer, 0, 1);
    this.#inHand = new Int32Array(buffer, 4, MAX_THREADS);
    this.#waiting = new Int32Array(buffer, 4 + 4 * MAX_THREADS, MAX_THREADS);
    this.#states = new Uint8Array(buffer, 4 + 4 * MAX_THREADS * 2);
  }

  /** A number for a new message; -1 when no more are to be made. */
  create() {
    const id = Atomics.add(this.#next, 0, 1);
    return id < CAPACITY ? id : -1;
  }

  get created() {
    return Math.min(Atomics.load(this.#next, 0), CAPACITY);
  }

  /** @param {number} id */
  accept(id) {
    Atomics.or(this.#states, id, ACCEPTED);
  }

  /** @param {number} id */
  acking(id) {
    Atomics.or(this.#states, id, ACKING);
  }

  /** @param {number} id */
  done(id) {
    this.#once(id, DONE);
  }

  /** @param {number} id */
  remained(id) {
    this.#once(id, REMAINED);
  }

  /**
   * @param {number} id
   * @param {number} how
   */
  #once(id, how) {
    if (id >= this.created) throw new Error(`message ${id} was never made`);
    const before = Atomics.or(this.#states, id, how);
    if ((before & (DONE | REMAINED)) !== 0) throw new Error(`message ${id} came twice (${before})`);
  }

  /**
   * Before a get: so many messages may be in the hands of this thread and nowhere else until it is back to 0.
   * @param {number} thread
   * @param {number} count
   */
  mayHold(thread, count) {
    Atomics.store(this.#inHand, thread, count);
  }

  /** @param {number} thread */
  inHand(thread) {
    return Atomics.load(this.#inHand, thread);
  }

  /**
   * Said around calls that are meant to wait.
   * @param {number} thread
   * @param {boolean} is
   */
  waits(thread, is) {
    Atomics.store(this.#waiting, thread, is ? 1 : 0);
  }

  /** @param {number} thread */
  isWaiting(thread) {
    return Atomics.load(this.#waiting, thread) === 1;
  }

  /** Accepted, and then neither got, nor acknowledged, nor there at the end. */
  lost() {
    const lost = [];
    for (let id = 0; id < this.created; id += 1) {
      if (this.#states[id] === ACCEPTED) lost.push(id);
    }
    return lost;
  }
}
