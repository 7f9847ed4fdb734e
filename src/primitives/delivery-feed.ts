import { EOFError } from '../errors.js';
import type { MessageSource } from './message-source.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';
import type { Returnable } from './returnable.js';

/** A stream, as its feed sees it. */
export interface Fed<T> {
  /** The message that was asked for, on a handle that is open: to be acknowledged when it is handed out. */
  delivered(message: Returnable<T>): void;
  /** There will be none any more. */
  ended(): void;
  failed(error: unknown): void;
}

/**
 * Gives a stream what it asks for, one message at a time, until it is stopped. Returnable ones: what has been taken when the stream is
 * stopped can be given back.
 */
export class DeliveryFeed<T> {
  readonly #source: MessageSource<Returnable<T>>;
  readonly #fed: Fed<T>;
  readonly #step: Operation<Returnable<T> | undefined>;
  #isStopped = false;

  constructor(source: MessageSource<Returnable<T>>, fed: Fed<T>) {
    this.#source = source;
    this.#fed = fed;
    this.#step = { attempt: () => source.take() };
  }

  /** Asks for one message; one of `Fed`'s methods answers, perhaps at once, unless the feed is stopped first. */
  request(): void {
    const { waits } = this.#source;
    let message: Returnable<T> | NotYet;
    try {
      message = this.#source.takeNow();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (message !== NOT_YET) {
      this.#arrived(message);
      return;
    }
    const pending = waits.add(this.#step, Infinity, undefined, this.#source.isTurnDue());
    pending.then(
      (taken) => this.#arrived(taken),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Takes nothing any more, and gives back what is on its way to the stream. */
  stop(): void {
    this.#isStopped = true;
    this.#source.waits.finish(this.#step, undefined);
  }

  /** @throws ERR_CLOSED: what the stream holds has been given back by the handle */
  assertOpen(): void {
    this.#source.assertOpen();
  }

  /** Since the message was taken, the stream may have been stopped, or the handle closed: by a codec that decoded it, too. */
  #arrived(message: Returnable<T> | undefined): void {
    if (message === undefined) return;
    if (this.#isStopped) {
      message[Symbol.dispose]();
      return;
    }
    try {
      this.#source.assertOpen();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#fed.delivered(message);
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    if (error instanceof EOFError) this.#fed.ended();
    else this.#fed.failed(error);
  }
}
