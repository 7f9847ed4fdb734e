// @ts-check
import { percentile } from './statistics.mjs';

/** The durations of one run's repetitions, and what is said of them. */
export class TimedSamples {
  #milliseconds;
  #length = 0;

  /** @param {number} count how many there will be */
  constructor(count) {
    this.#milliseconds = new Float64Array(count);
  }

  /** @param {number} milliseconds */
  add(milliseconds) {
    this.#milliseconds[this.#length] = milliseconds;
    this.#length += 1;
  }

  get isComplete() {
    return this.#length === this.#milliseconds.length;
  }

  report() {
    if (!this.isComplete) {
      throw new Error(`${this.#length} of ${this.#milliseconds.length} repetitions were made`);
    }
    const sorted = this.#milliseconds.toSorted();
    const total = sorted.reduce((sum, duration) => sum + duration, 0);
    return {
      count: sorted.length,
      seconds: total / 1e3,
      meanUs: (total / sorted.length) * 1e3,
      p50Us: percentile(sorted, 50) * 1e3,
      p99Us: percentile(sorted, 99) * 1e3,
      verified: true,
    };
  }
}
