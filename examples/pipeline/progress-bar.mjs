// @ts-check

const WIDTH = 32;

/** A bar on a terminal; elsewhere nothing, so that logs stay readable. */
export class ProgressBar {
  #last = 0;

  /** @param {number} total */
  constructor(total) {
    this.total = total;
  }

  /**
   * @param {number} done
   * @param {string} note
   */
  show(done, note) {
    const now = performance.now();
    if (!process.stdout.isTTY || (now - this.#last < 50 && done < this.total)) return;
    this.#last = now;
    const filled = Math.round((WIDTH * done) / Math.max(this.total, 1));
    process.stdout.write(
      `\r  [${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${done}/${this.total} ${note}\x1b[K`,
    );
    if (done >= this.total) process.stdout.write('\n');
  }
}
