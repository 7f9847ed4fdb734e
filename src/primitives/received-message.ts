import type { Returnable } from './returnable.js';

/** A message of a connection, in hands that may give it back to be the next one again. */
export class ReceivedMessage<T> implements Returnable<T> {
  readonly value: T;
  readonly #settled: (isGivenBack: boolean) => void;
  #isSettled = false;

  constructor(value: T, settled: (isGivenBack: boolean) => void) {
    this.value = value;
    this.#settled = settled;
  }

  ack(): void {
    this.#settle(false);
  }

  nack(): void {
    this.#settle(true);
  }

  [Symbol.dispose](): void {
    this.#settle(true);
  }

  #settle(isGivenBack: boolean): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settled(isGivenBack);
  }
}
