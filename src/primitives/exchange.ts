import { EOFError, InterprocError } from '../errors.js';
import { CANCEL, FAILURE, readHeader, REQUEST, RESPONSE } from './exchange-frame.js';
import type { ExchangePort } from './exchange-port.js';
import { OutgoingRequests } from './outgoing-requests.js';
import type { PendingWaits, Taker } from './pending-waits.js';
import type { PipeReader } from './pipe-reader.js';
import { RequestHandling } from './request-handling.js';
import type { RequestHandler } from './request-handling.js';

/** Messages taken at a time, before others who wait in this thread have their turn. */
const TAKEN_AT_ONCE = 256;

/** Until it stops, requests of the other end are handled; `using` stops it at the end of the block. */
export interface RequestSubscription {
  /**
   * Requests that come from now on, and those that wait, fail with ERR_UNHANDLED; what is being handled is answered. Again is no
   * error.
   */
  stop(): void;
  [Symbol.dispose](): void;
}

/**
 * The requests and responses of one end of a connection, both ways. While there are any, or some may come, it takes what no call of
 * the connection is pending for; what is not for it is set aside for those.
 */
export class Exchange<T> implements Taker {
  readonly #requests: OutgoingRequests<T>;
  readonly #handling: RequestHandling<T>;
  readonly #reader: PipeReader<T>;
  readonly #receives: PendingWaits;
  #isTaking = false;
  /** Nothing more can be received. */
  #isOver = false;

  constructor(port: ExchangePort<T>, reader: PipeReader<T>, receives: PendingWaits) {
    const settled = () => this.#update();
    this.#requests = new OutgoingRequests(port, settled);
    this.#handling = new RequestHandling(port, settled);
    this.#reader = reader;
    this.#receives = receives;
  }

  /** Whether something would be lost if the connection moved. */
  get isActive(): boolean {
    const { handling, isIdle } = this.#handling;
    return handling !== undefined || !isIdle || !this.#requests.isIdle;
  }

  request(
    value: T,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    assertOpen: () => void,
  ): Promise<unknown> {
    const response = this.#requests.request(value, timeoutMs, signal, assertOpen);
    // If it is over, sending fails; if something was wrong with what was received, it may be better now.
    this.#isOver = false;
    this.#update();
    return response;
  }

  /** @throws ERR_INVALID_ARG if there is a handler */
  handle(handler: RequestHandler<T>, maxConcurrent: number): RequestSubscription {
    if (this.#handling.handling !== undefined) {
      throw new InterprocError(
        'ERR_INVALID_ARG',
        'Requests of this connection have a handler; stop() that one first',
      );
    }
    const handling = { handle: handler, maxConcurrent };
    this.#handling.handling = handling;
    this.#update();
    const stop = () => {
      if (this.#handling.handling !== handling) return;
      this.#handling.handling = undefined;
      this.#update();
    };
    return { stop, [Symbol.dispose]: stop };
  }

  /** A message of an exchange was received. */
  accept(message: Uint8Array): void {
    const header = readHeader(message);
    if (header === undefined) {
      this.#spoilt();
      return;
    }
    const { kind, detail, id } = header;
    switch (kind) {
      case REQUEST:
        if (!this.#handling.accept(id, message)) this.#spoilt();
        break;
      case RESPONSE:
        this.#requests.answer(id, message);
        break;
      case FAILURE:
        this.#requests.fail(id, detail, message);
        break;
      case CANCEL:
        this.#handling.cancel(id);
    }
  }

  /** No call is pending, and it is worth a look. */
  take(): void {
    try {
      if (this.#reader.takeForOthers(TAKEN_AT_ONCE)) return;
      this.#stopTaking();
      this.#reader.onRoom = () => this.#update();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Nothing more can be received, for this reason. */
  failed(error: unknown): void {
    this.#isOver = true;
    this.#stopTaking();
    const reason = () => (error instanceof EOFError ? endedError() : error);
    this.#requests.rejectAll(reason);
    this.#handling.abortAll(reason);
  }

  close(errorOf: () => unknown): void {
    this.#isOver = true;
    this.#stopTaking();
    this.#handling.abortAll(errorOf);
    this.#handling.handling = undefined;
    this.#requests.rejectAll(errorOf);
  }

  /** A message that nobody understands may have been a response to any of the requests. */
  #spoilt(): void {
    this.#requests.rejectAll(
      () =>
        new InterprocError(
          'ERR_CORRUPT',
          'A message of an exchange came that is none, so that it may have been this response; the other end is of another version, or broken',
        ),
    );
  }

  /** Takes as long as there is something to wait for, and room aside. */
  #update(): void {
    const isToTake = this.isActive && !this.#isOver && this.#reader.onRoom === undefined;
    if (isToTake === this.#isTaking) return;
    this.#isTaking = isToTake;
    this.#receives.setTaker(isToTake ? this : undefined);
  }

  #stopTaking(): void {
    if (!this.#isTaking) return;
    this.#isTaking = false;
    this.#receives.setTaker(undefined);
  }
}

function endedError(): EOFError {
  return new EOFError(
    'The other end of this connection is gone, and has not answered this request',
  );
}
