// What setTimeout can count to; beyond it, it would fire at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls back once when the time is up, and never before. Does not keep the process alive: what is waited for does. */
export class DeadlineTimer {
  readonly #deadline: number;
  readonly #callback: () => void;
  #timer: NodeJS.Timeout;

  constructor(timeoutMs: number, callback: () => void) {
    this.#deadline = performance.now() + timeoutMs;
    this.#callback = callback;
    this.#timer = this.#start(timeoutMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #start(leftMs: number): NodeJS.Timeout {
    const delay = Math.min(Math.max(Math.ceil(leftMs), 0), LONGEST_TIMER_MS);
    return setTimeout(() => this.#fired(), delay).unref();
  }

  /** Timers may fire a little early, and the longest ones are counted in parts. */
  #fired(): void {
    const left = this.#deadline - performance.now();
    if (left > 0) this.#timer = this.#start(left);
    else this.#callback();
  }
}
