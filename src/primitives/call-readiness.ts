import type { PendingWaits } from './pending-waits.js';
import type { Readiness, Watcher } from './waitable.js';

/** Of an object whose pending calls are `waits`: it is ready when one of them would not have to wait. */
export class CallReadiness implements Readiness {
  readonly #waits: PendingWaits;
  readonly #look: () => boolean;

  /** `look`: as `Readiness.isReady`. */
  constructor(waits: PendingWaits, look: () => boolean) {
    this.#waits = waits;
    this.#look = look;
  }

  isReady(): boolean {
    return this.#look();
  }

  watch(watcher: Watcher): void {
    this.#waits.watch(watcher);
  }

  unwatch(watcher: Watcher): void {
    this.#waits.unwatch(watcher);
  }
}
