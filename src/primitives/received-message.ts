import type { Returnable } from './returnable.js';

/** A message of a connection, in hands that may give it back to be the next one again. */
export class ReceivedMessage<T> implements Returnable<T> {
  readonly value: T;
  readonly #putBack: () => void;
  #isSettled = false;

  /** `putBack`: nothing once the connection is closed. */
  constructor(value: T, putBack: () => void) {
    this.value = value;
    this.#putBack = putBack;
  }

  ack(): void {
    this.#isSettled = true;
  }

  nack(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#putBack();
  }

  [Symbol.dispose](): void {
    this.nack();
  }
}
