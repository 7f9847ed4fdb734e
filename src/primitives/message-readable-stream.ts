import { abortReason } from '../errors.js';
import { DeliveryFeed } from './delivery-feed.js';
import type { MessageSource } from './message-source.js';
import type { Returnable } from './returnable.js';
import type { ReadableStreamOptions } from './stream-options.js';

/** Messages as what is under a web stream: `pull` takes one for a read that is waiting, and `cancel` gives back. */
class MessagePulling<T> {
  readonly #feed: DeliveryFeed<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#abort();
  readonly #onOver: () => void;
  #stream!: ReadableStream<T>;
  #controller!: ReadableStreamDefaultController<T>;
  /**
   * Kept by the stream for a later read: whether that has come, and got it, is only known when the next one
   * finds the stream empty.
   */
  #kept: Returnable<T> | undefined;
  #pulled: (() => void) | undefined;

  constructor(
    source: MessageSource<Returnable<T>>,
    signal: AbortSignal | undefined,
    onOver: () => void,
  ) {
    this.#signal = signal;
    this.#onOver = onOver;
    this.#feed = new DeliveryFeed(source, {
      delivered: (message) => this.#deliver(message),
      ended: () => this.#over(() => this.#controller.close()),
      failed: (error) => this.#over(() => this.#controller.error(error)),
    });
  }

  stream(): ReadableStream<T> {
    // Without a buffer of its own (highWaterMark 0) it pulls only while a read waits.
    this.#stream = new ReadableStream<T>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#over(() => {}),
      },
      { highWaterMark: 0 },
    );
    if (this.#signal?.aborted === true) this.#abort();
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    return this.#stream;
  }

  #pull(): Promise<void> {
    this.#kept?.ack();
    this.#kept = undefined;
    return new Promise((resolve) => {
      this.#pulled = resolve;
      this.#feed.request();
    });
  }

  #deliver(message: Returnable<T>): void {
    if (this.#stream.locked) {
      const { value } = message;
      this.#controller.enqueue(value);
      if (this.#controller.desiredSize === 0) message.ack();
      else this.#kept = message;
    } else {
      // Its reader let go of the stream while it waited; who reads next asks again.
      message.nack();
    }
    this.#answered();
  }

  #abort(): void {
    const signal = this.#signal as AbortSignal;
    this.#over(() => this.#controller.error(abortReason(signal)));
  }

  #over(say: () => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#feed.stop();
    this.#kept?.[Symbol.dispose]();
    this.#kept = undefined;
    say();
    this.#answered();
    this.#onOver();
  }

  #answered(): void {
    this.#pulled?.();
    this.#pulled = undefined;
  }
}

/** The messages of `source` as a web stream. `onOver`: to be called when it hands out nothing more. */
export function readableStreamOf<T>(
  source: MessageSource<Returnable<T>>,
  { signal }: ReadableStreamOptions,
  onOver: () => void = () => {},
): ReadableStream<T> {
  return new MessagePulling(source, signal, onOver).stream();
}
