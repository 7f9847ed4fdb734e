// @ts-check
import { MessageCheck } from './verified-message.mjs';

/** @typedef {import('./contender.mjs').Report} Report */

/**
 * Checks messages that come as events, run after run. A run's messages may come before anybody asks for its report.
 */
export class Arrivals {
  #parameters;
  #check;
  /** @type {Report[]} of runs that have ended and were not asked for */
  #reports = [];
  /** @type {unknown} */
  #error;
  /** Wakes the one who asked. */
  #changed = () => {};

  /** @param {import('./verified-message.mjs').MessageParameters} parameters */
  constructor(parameters) {
    this.#parameters = parameters;
    this.#check = new MessageCheck(parameters);
  }

  /** @param {Uint8Array} bytes one message, all of it */
  accept(bytes) {
    try {
      if (this.#check.accept(bytes)) return;
      this.#reports.push(this.#check.report());
      this.#check = new MessageCheck(this.#parameters);
      this.#changed();
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.#error ??= error;
    this.#changed();
  }

  /** Of the first run that was not reported yet. */
  async nextReport() {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const report = this.#reports.shift();
      if (report) return report;
      await /** @type {Promise<void>} */ (
        new Promise((resolve) => {
          this.#changed = resolve;
        })
      );
    }
  }
}
