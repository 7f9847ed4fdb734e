import type { Readable } from 'node:stream';

import { InterprocError } from '../errors.js';
import { DeliveryFeed } from './delivery-feed.js';
import type { MessageSource } from './message-source.js';
import type { Returnable } from './returnable.js';

/**
 * What reads under a Node stream, which hands all of its own calls on. What it has taken and the stream has not handed out is held,
 * to be given back.
 */
export class ReadingHalf<T> {
  readonly #stream: Readable;
  readonly #feed: DeliveryFeed<T>;
  readonly #isObjectMode: boolean;
  /** In the stream's own buffer, in its order; one at most, for all that Node does today. */
  readonly #held: Returnable<T>[] = [];
  /** What its reader put back into that buffer, ahead of what is held. */
  #unshifted = 0;
  #isEnded = false;

  /** Not in object mode the stream joins and splits messages as it likes: they are its own when it has them. */
  constructor(stream: Readable, source: MessageSource<Returnable<T>>, isObjectMode = true) {
    this.#stream = stream;
    this.#isObjectMode = isObjectMode;
    this.#feed = new DeliveryFeed(source, {
      delivered: (message) => this.#deliver(message),
      ended: () => this.end(),
      failed: (error) => this.#stream.destroy(error as Error),
    });
  }

  /** For the stream's `_read`. */
  request(): void {
    if (!this.#isEnded) this.#feed.request();
  }

  /** Before the stream's `read`: whether it may hand out anything. Node would still hand out what has been given back. */
  mayRead(): boolean {
    if (this.#stream.destroyed) return false;
    if (this.#held.length === 0) return true;
    try {
      this.#feed.assertOpen();
    } catch (error) {
      this.#stream.destroy(error as Error);
      return false;
    }
    return true;
  }

  /** Before 'data': emitted once for each chunk, however it is read, before anybody sees it. That is when it is handed out. */
  handOut(): void {
    if (this.#unshifted > 0) this.#unshifted--;
    else this.#held.shift()?.ack();
  }

  /** Before the stream's `unshift`. */
  unshift(chunk: unknown): void {
    if (chunk !== null) this.#unshifted++;
  }

  /** Nothing more is taken; what the stream has, it may hand out. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#feed.stop();
    this.#held.length = 0;
    this.#stream.push(null);
  }

  /** Nothing more is taken, and what was not handed out goes back. For the stream's `_destroy`. */
  stop(): void {
    this.#isEnded = true;
    this.#feed.stop();
    for (const message of this.#held.splice(0).reverse()) message[Symbol.dispose]();
  }

  #deliver(message: Returnable<T>): void {
    if (!this.#isObjectMode) {
      this.#deliverBytes(message);
      return;
    }
    if (message.value === null) {
      message.nack();
      this.#stream.destroy(
        new InterprocError(
          'ERR_UNSUPPORTED',
          'A Node stream cannot carry the message null, which was given back; take it without a stream, or use toReadableStream()',
        ),
      );
      return;
    }
    this.#held.push(message);
    this.#stream.push(message.value);
  }

  #deliverBytes(message: Returnable<T>): void {
    message.ack();
    const { length } = message.value as Uint8Array;
    // Node takes an empty chunk for nothing, and would wait.
    if (length === 0) this.#feed.request();
    else this.#stream.push(message.value);
  }
}
