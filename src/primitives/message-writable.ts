import { addAbortSignal, Writable } from 'node:stream';

import type { MessageSink } from './message-sink.js';
import type { WritableOptions } from './stream-options.js';
import { WritingHalf } from './writing-half.js';
import type { WriteCallback } from './writing-half.js';

type Callback = (error?: Error | null) => void;

/** Messages from a Node stream. */
class WritableOfMessages<T> extends Writable {
  readonly #half: WritingHalf<T>;
  readonly #sink: MessageSink<T>;
  readonly #ends: boolean;

  constructor(
    sink: MessageSink<T>,
    { end = false, highWaterMark, signal, objectMode }: WritableOptions,
  ) {
    super({ objectMode, ...(highWaterMark === undefined ? {} : { highWaterMark }) });
    this.#half = new WritingHalf(sink);
    this.#sink = sink;
    this.#ends = end;
    // Not as an option of super(): it may destroy the stream at once, which needs the sink.
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  override write(
    chunk: T,
    encodingOrCallback?: BufferEncoding | WriteCallback,
    lastCallback?: WriteCallback,
  ): boolean {
    const isCallback = typeof encodingOrCallback === 'function';
    const encoding = isCallback ? undefined : encodingOrCallback;
    return this.#half.writing(isCallback ? encodingOrCallback : lastCallback, (callback) =>
      super.write(chunk, encoding as BufferEncoding, callback),
    );
  }

  override _write(chunk: T, _encoding: BufferEncoding, callback: Callback): void {
    this.#half.write(chunk, callback);
  }

  override _writev(entries: { readonly chunk: T }[], callback: Callback): void {
    this.#half.writeMany(entries, callback);
  }

  override _final(callback: Callback): void {
    try {
      if (this.#ends) this.#sink.end();
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#half.stop(error);
    callback(error);
  }
}

/** A Node stream into `sink`. */
export function writableOf<T>(sink: MessageSink<T>, options: WritableOptions): Writable {
  return new WritableOfMessages(sink, options);
}
