import { EOFError } from '../errors.js';
import type { Delivery } from './delivery.js';
import type { MessageSource } from './message-source.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';

/** A stream, as its feed sees it. */
export interface Fed<T> {
  /** The delivery that was asked for, on a handle that is open: to be acknowledged when it is handed out. */
  delivered(delivery: Delivery<T>): void;
  /** The queue was ended and drained. */
  ended(): void;
  failed(error: unknown): void;
}

/**
 * Gives a stream what it asks for, one delivery at a time, until it is stopped. Deliveries rather than plain
 * messages: what has been taken when the stream is stopped can be given back.
 */
export class DeliveryFeed<T> {
  readonly #source: MessageSource<Delivery<T>>;
  readonly #fed: Fed<T>;
  readonly #step: Operation<Delivery<T> | undefined>;
  #isStopped = false;

  constructor(source: MessageSource<Delivery<T>>, fed: Fed<T>) {
    this.#source = source;
    this.#fed = fed;
    this.#step = { attempt: () => source.take() };
  }

  /** Asks for one delivery; one of `Fed`'s methods answers, perhaps at once, unless the feed is stopped first. */
  request(): void {
    const { waits } = this.#source;
    let delivery: Delivery<T> | NotYet;
    try {
      delivery = this.#source.takeNow();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (delivery !== NOT_YET) {
      this.#arrived(delivery);
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
  #arrived(delivery: Delivery<T> | undefined): void {
    if (delivery === undefined) return;
    if (this.#isStopped) {
      delivery[Symbol.dispose]();
      return;
    }
    try {
      this.#source.assertOpen();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#fed.delivered(delivery);
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    if (error instanceof EOFError) this.#fed.ended();
    else this.#fed.failed(error);
  }
}
