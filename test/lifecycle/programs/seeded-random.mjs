// @ts-check
/** Random numbers that a seed brings back: mulberry32. */
export class SeededRandom {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A number of [0, 1). */
  fraction() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /**
   * A whole number of [0, below).
   * @param {number} below
   */
  below(below) {
    return Math.floor(this.fraction() * below);
  }

  /**
   * @template T
   * @param {readonly T[]} choices
   * @returns {T}
   */
  oneOf(choices) {
    return /** @type {T} */ (choices[this.below(choices.length)]);
  }
}
