import { addAbortSignal, Readable } from 'node:stream';

import { InterprocError } from '../errors.js';
import type { Delivery } from './delivery.js';
import { DeliveryFeed } from './delivery-feed.js';
import type { MessageSource } from './message-source.js';
import type { QueueReadableOptions } from './stream-options.js';

/**
 * A Node stream in object mode of a queue's messages; see `Queue.toReadable`. To the compiler `read()` returns
 * anything, as that of all streams that Node's types let be piped.
 */
export interface QueueReadable<T> extends Readable {
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<T>;
}

/** Messages as a Node stream. What it has taken and not handed out is held as deliveries, to be given back. */
class MessageReadable<T> extends Readable {
  readonly #feed: DeliveryFeed<T>;
  /** In the stream's own buffer, in its order; one at most, for all that Node does today. */
  readonly #held: Delivery<T>[] = [];
  /** What its reader put back into that buffer, ahead of what is held. */
  #unshifted = 0;

  constructor(source: MessageSource<Delivery<T>>, signal: AbortSignal | undefined) {
    super({ objectMode: true, highWaterMark: 0 });
    this.#feed = new DeliveryFeed(source, {
      delivered: (delivery) => this.#hold(delivery),
      ended: () => this.push(null),
      failed: (error) => this.destroy(error as Error),
    });
    // Not as an option of super(): it may destroy the stream at once, which needs the feed.
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  override _read(): void {
    this.#feed.request();
  }

  /** All ways of reading come through here, but for a chunk that is emitted as soon as it is pushed. */
  override read(size?: number): T | null {
    // Node would still hand out what has been given back.
    if (this.destroyed) return null;
    if (this.#held.length > 0) {
      try {
        this.#feed.assertOpen();
      } catch (error) {
        this.destroy(error as Error);
        return null;
      }
    }
    return super.read(size) as T | null;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    // Emitted once for each chunk, however it is read, before anybody sees it: that is when it is handed out.
    if (event === 'data') this.#handOut();
    return super.emit(event, ...args);
  }

  override unshift(chunk: unknown, encoding?: BufferEncoding): void {
    if (chunk !== null) this.#unshifted++;
    super.unshift(chunk, encoding);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#feed.stop();
    for (const delivery of this.#held.splice(0)) delivery[Symbol.dispose]();
    callback(error);
  }

  #hold(delivery: Delivery<T>): void {
    if (delivery.value === null) {
      delivery.nack();
      this.destroy(
        new InterprocError(
          'ERR_UNSUPPORTED',
          'A Node stream cannot carry the message null, which was given back to the queue; take it with get(), or use toReadableStream()',
        ),
      );
      return;
    }
    this.#held.push(delivery);
    this.push(delivery.value);
  }

  #handOut(): void {
    if (this.#unshifted > 0) this.#unshifted--;
    else this.#held.shift()?.ack();
  }
}

/** The messages of `source` as a Node stream. */
export function readableOf<T>(
  source: MessageSource<Delivery<T>>,
  { signal }: QueueReadableOptions,
): QueueReadable<T> {
  return new MessageReadable(source, signal);
}
