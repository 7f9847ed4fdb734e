import type { Partner } from '../brokered/rings/partner.js';
import type { Lifeline } from './lifeline.js';
import { hasStopped } from './pulse.js';

/** What a thread knows of the life of its hub: by the lifeline, and while it is blocked by the pulse. */
export class HubLife implements Partner {
  onEnd: () => void = () => {};
  readonly cause =
    'the thread that started it has ended; let the main thread be the first to use this backend';
  readonly #lifeline: Lifeline;
  readonly #pulse: string;

  constructor(lifeline: Lifeline, pulse: string) {
    this.#lifeline = lifeline;
    this.#pulse = pulse;
    lifeline.onLost = () => this.onEnd();
  }

  hasEnded(): boolean {
    return hasStopped(this.#pulse);
  }

  ref(): void {
    this.#lifeline.ref();
  }

  unref(): void {
    this.#lifeline.unref();
  }

  close(): void {
    this.#lifeline.close();
  }
}
