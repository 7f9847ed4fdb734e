import type { Handle } from './passengers.js';

/** Messages, and bytes of them, of which one more is not set aside. */
const MOST_MESSAGES = 1024;
const MOST_BYTES = 2 ** 20;

/** What a message came to when it was decoded. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** A message that was received and has not been handed out. */
export class AsideMessage<T> {
  readonly bytes: Uint8Array;
  /** Undefined: not decoded yet. One with handles in it always is. */
  readonly outcome: Outcome<T> | undefined;
  readonly #handles: readonly Handle[];

  constructor(bytes: Uint8Array, outcome: Outcome<T> | undefined, handles: readonly Handle[] = []) {
    this.bytes = bytes;
    this.outcome = outcome;
    this.#handles = handles;
  }

  /** The handles in it will not be handed out. */
  drop(): void {
    for (const handle of this.#handles) handle.close();
  }
}

/** The messages of a connection that come before those in its pipe. */
export class SetAside<T> {
  readonly #messages: AsideMessage<T>[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  get isFull(): boolean {
    return this.#messages.length >= MOST_MESSAGES || this.#bytes >= MOST_BYTES;
  }

  /** Whether it is worth it to go on setting messages aside. */
  get isHalfEmpty(): boolean {
    return this.#messages.length <= MOST_MESSAGES / 2 && this.#bytes <= MOST_BYTES / 2;
  }

  /** Of one that is not empty. */
  get first(): AsideMessage<T> {
    return this.#messages[0] as AsideMessage<T>;
  }

  push(message: AsideMessage<T>): void {
    this.#messages.push(message);
    this.#bytes += message.bytes.length;
  }

  putBack(message: AsideMessage<T>): void {
    this.#messages.unshift(message);
    this.#bytes += message.bytes.length;
  }

  /** Of one that is not empty. */
  shift(): AsideMessage<T> {
    const message = this.#messages.shift() as AsideMessage<T>;
    this.#bytes -= message.bytes.length;
    return message;
  }

  /** Nobody will receive them. */
  drop(): void {
    for (const message of this.#messages.splice(0)) message.drop();
    this.#bytes = 0;
  }
}
