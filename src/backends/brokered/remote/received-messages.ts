/** Messages of a pipe that the hub has handed over, and that nobody has got yet. */

import { packedAt } from '../packed-messages.js';
import type { PackedMessage } from '../packed-messages.js';

export class ReceivedMessages {
  /** None of them is empty. In memory of their own, as what is handed out of them may be kept. */
  readonly #chunks: Buffer[] = [];
  /** The first one, as whoever receives wants it. */
  #bytes: Uint8Array | undefined;
  #at = 0;
  #front: PackedMessage | undefined;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Copies them. */
  push(packed: Uint8Array): void {
    if (packed.length === 0) return;
    const chunk = Buffer.allocUnsafeSlow(packed.length);
    chunk.set(packed);
    this.#chunks.push(chunk);
  }

  /** The next one, which stands in `bytes`. */
  get front(): PackedMessage | undefined {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return undefined;
    return (this.#front ??= packedAt(chunk, this.#at));
  }

  /** Where the next one stands. It stays as it is, whatever becomes of the message. */
  get bytes(): Uint8Array {
    return (this.#bytes ??= new Uint8Array((this.#chunks[0] as Buffer).buffer));
  }

  /** Removes the next one. Returns how much it took. */
  shift(): number {
    const { end } = this.front as PackedMessage;
    const taken = end - this.#at;
    this.#at = end;
    this.#front = undefined;
    if (end === this.#chunks[0]?.length) {
      this.#chunks.shift();
      this.#at = 0;
      this.#bytes = undefined;
    }
    return taken;
  }

  /** All of them, packed. */
  get packed(): Buffer {
    const [first, ...others] = this.#chunks;
    return first === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([first.subarray(this.#at), ...others]);
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#at = 0;
    this.#bytes = undefined;
    this.#front = undefined;
  }
}
