import { addAbortSignal, Readable } from 'node:stream';

import type { MessageSource } from './message-source.js';
import { ReadingHalf } from './reading-half.js';
import type { Returnable } from './returnable.js';
import type { ReadableOptions } from './stream-options.js';

/**
 * A Node stream of the messages of a queue or a connection; see `Queue.toReadable`. To the compiler `read()` returns anything, as that
 * of all streams that Node's types let be piped.
 */
export interface MessageReadable<T> extends Readable {
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<T>;
}

/** Messages as a Node stream. */
class ReadableOfMessages<T> extends Readable {
  readonly #half: ReadingHalf<T>;

  constructor(source: MessageSource<Returnable<T>>, { signal, objectMode }: ReadableOptions) {
    super({ objectMode, highWaterMark: 0 });
    this.#half = new ReadingHalf(this, source, objectMode);
    // Not as an option of super(): it may destroy the stream at once, which needs the half.
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  override _read(): void {
    this.#half.request();
  }

  /** All ways of reading come through here, but for a chunk that is emitted as soon as it is pushed. */
  override read(size?: number): T | null {
    return this.#half.mayRead() ? (super.read(size) as T | null) : null;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'data') this.#half.handOut();
    return super.emit(event, ...args);
  }

  override unshift(chunk: unknown, encoding?: BufferEncoding): void {
    this.#half.unshift(chunk);
    super.unshift(chunk, encoding);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#half.stop();
    callback(error);
  }
}

/** The messages of `source` as a Node stream. */
export function readableOf<T>(
  source: MessageSource<Returnable<T>>,
  options: ReadableOptions,
): MessageReadable<T> {
  return new ReadableOfMessages(source, options);
}
