// @ts-check
/** @typedef {import('./contender.mjs').Report} Report */

/**
 * Checks the messages of one run.
 * @template Message
 * @typedef {object} Check
 * @property {(message: Message) => boolean} accept false at the one that ends the run
 * @property {() => Report} report
 */

/**
 * Checks messages that come as events, run after run. A run's messages may come before anybody asks for its report.
 * @template Message
 */
export class Arrivals {
  #createCheck;
  #check;
  /** @type {Report[]} of runs that have ended and were not asked for */
  #reports = [];
  /** @type {unknown} */
  #error;
  /** Wakes the one who asked. */
  #changed = () => {};

  /** @param {() => Check<Message>} createCheck for one run */
  constructor(createCheck) {
    this.#createCheck = createCheck;
    this.#check = createCheck();
  }

  /** @param {Message} message all of it */
  accept(message) {
    try {
      if (this.#check.accept(message)) return;
      this.#reports.push(this.#check.report());
      this.#check = this.#createCheck();
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
