import { addAbortSignal, Duplex } from 'node:stream';

import type { MessageSink } from './message-sink.js';
import type { MessageSource } from './message-source.js';
import { ReadingHalf } from './reading-half.js';
import type { Returnable } from './returnable.js';
import type { WritableOptions } from './stream-options.js';
import { WritingHalf } from './writing-half.js';
import type { WriteCallback } from './writing-half.js';

type Callback = (error?: Error | null) => void;

/**
 * A Node stream of a connection's messages, both ways; see `Connection.toDuplex`. To the compiler `read()` returns anything, as that of
 * all streams that Node's types let be piped.
 */
export interface ConnectionDuplex<T> extends Duplex {
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<T>;
}

/** The connection, as its Duplex uses it. */
export interface DuplexTarget<T> {
  readonly source: MessageSource<Returnable<T>>;
  readonly sink: MessageSink<T>;
  close(): void;
}

/** Both halves are over, or the stream was destroyed: the connection is closed. */
class DuplexOfMessages<T> extends Duplex {
  readonly #reading: ReadingHalf<T>;
  readonly #writing: WritingHalf<T>;
  readonly #target: DuplexTarget<T>;
  readonly #ends: boolean;

  constructor(target: DuplexTarget<T>, options: WritableOptions) {
    const { end = false, highWaterMark, signal, objectMode } = options;
    super({
      objectMode,
      readableHighWaterMark: 0,
      ...(highWaterMark === undefined ? {} : { writableHighWaterMark: highWaterMark }),
      // The other end is gone then, and nothing can be written any more.
      allowHalfOpen: false,
    });
    this.#reading = new ReadingHalf(this, target.source, objectMode);
    this.#writing = new WritingHalf(target.sink);
    this.#target = target;
    this.#ends = end;
    // Not as an option of super(): it may destroy the stream at once, which needs the halves.
    if (signal !== undefined) addAbortSignal(signal, this);
  }

  // The same as in ReadableOfMessages and WritableOfMessages: Node has no class that both could be made of.

  override _read(): void {
    this.#reading.request();
  }

  override read(size?: number): T | null {
    return this.#reading.mayRead() ? (super.read(size) as T | null) : null;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === 'data') this.#reading.handOut();
    return super.emit(event as string, ...args);
  }

  override unshift(chunk: unknown, encoding?: BufferEncoding): void {
    this.#reading.unshift(chunk);
    super.unshift(chunk, encoding);
  }

  override write(
    chunk: T,
    encodingOrCallback?: BufferEncoding | WriteCallback,
    lastCallback?: WriteCallback,
  ): boolean {
    const isCallback = typeof encodingOrCallback === 'function';
    const encoding = isCallback ? undefined : encodingOrCallback;
    return this.#writing.writing(isCallback ? encodingOrCallback : lastCallback, (callback) =>
      super.write(chunk, encoding as BufferEncoding, callback),
    );
  }

  override _write(chunk: T, _encoding: BufferEncoding, callback: Callback): void {
    this.#writing.write(chunk, callback);
  }

  override _writev(entries: { readonly chunk: T }[], callback: Callback): void {
    this.#writing.writeMany(entries, callback);
  }

  override _final(callback: Callback): void {
    if (this.#ends) {
      this.#reading.end();
      this.#target.close();
    }
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#reading.stop();
    this.#writing.stop(error);
    this.#target.close();
    callback(error);
  }
}

/** A connection as a Node stream. */
export function duplexOf<T>(
  target: DuplexTarget<T>,
  options: WritableOptions,
): ConnectionDuplex<T> {
  return new DuplexOfMessages(target, options);
}
