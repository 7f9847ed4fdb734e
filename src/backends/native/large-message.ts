import { InterprocError } from '../../errors.js';
import { LARGE } from '../../contract/channel.js';
import type { Addon } from './addon.js';

/** The way of a message that is larger than the inbox: into an array of its own, which then is the reader's. */
export class LargeMessage {
  readonly #addon: Addon;
  #bytes: Uint8Array | undefined;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  /**
   * After a call that said how much room the next message wants. `take` is made again, with an array to take it
   * into, as long as that is what it says: others may have taken the one before.
   * @returns LARGE, or what else `take` said
   */
  fetch(name: string, take: (into: Uint8Array) => number): number {
    const { constants, results } = this.#addon;
    for (;;) {
      const into = arrayOf(results[constants.wanted] as number, name);
      const result = take(into);
      if (result === -constants.tooLarge) continue;
      if (result < 0) return result;
      this.#bytes = result === into.length ? into : into.slice(0, result);
      return LARGE;
    }
  }

  handOver(): Uint8Array {
    const bytes = this.#bytes;
    if (bytes === undefined) throw new Error('no large message was taken');
    this.#bytes = undefined;
    return bytes;
  }
}

/** Not zeroed: every byte is written before anybody sees it. */
export function arrayOf(length: number, name: string): Uint8Array {
  try {
    return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  } catch (cause) {
    throw new InterprocError(
      'ERR_TOO_LARGE',
      `${name}: this process has no memory for the next message, of ${length} bytes; the message stays where it is`,
      { cause },
    );
  }
}
