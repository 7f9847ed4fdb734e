// @ts-check
import { MessageCheck } from './verified-message.mjs';

/** @typedef {import('./contender.mjs').Report} Report */

/**
 * Checks messages that come as events, run after run: those of a run may come before anybody asks for its report.
 */
export class Arrivals {
  #parameters;
  #check;
  /** @type {PromiseWithResolvers<Report>[]} the last one is of the run under way */
  #runs = [];
  #asked = 0;

  /** @param {import('./verified-message.mjs').MessageParameters} parameters */
  constructor(parameters) {
    this.#parameters = parameters;
    this.#check = this.#begin();
  }

  /**
   * @param {Uint8Array} bytes one message
   */
  accept(bytes) {
    try {
      if (this.#check.accept(bytes)) return;
      this.#runs.at(-1)?.resolve(this.#check.report());
      this.#check = this.#begin();
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.#runs.at(-1)?.reject(error);
  }

  /** The report of the first run, then of the second, and so on. */
  async nextReport() {
    const run = this.#runs[this.#asked];
    if (!run) throw new Error('the run before has not ended');
    this.#asked += 1;
    return run.promise;
  }

  #begin() {
    /** @type {PromiseWithResolvers<Report>} */
    const run = withResolvers();
    run.promise.catch(() => {});
    this.#runs.push(run);
    return new MessageCheck(this.#parameters);
  }
}
