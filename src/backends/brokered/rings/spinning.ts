/**
 * Whether it is worth looking again and again before one sleeps. Where the other thread runs at the same time, it saves two wakes
 * of 40 us; where there is no processor for it, it takes away the one that the other waits for. So what came of it decides.
 */

/** So often in vain, one after the other, that it is given up. */
const STRIKES = 3;
/** Then it is tried once in so many times. */
const SELDOM = 32;

export class Spinning {
  #strikes = 0;
  #skipped = 0;

  isWorthTrying(): boolean {
    if (this.#strikes < STRIKES) return true;
    this.#skipped = (this.#skipped + 1) % SELDOM;
    return this.#skipped === 0;
  }

  tried(wasWorthIt: boolean): void {
    this.#strikes = wasWorthIt ? 0 : this.#strikes + 1;
  }
}
