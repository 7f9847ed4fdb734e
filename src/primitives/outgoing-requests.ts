import { abortReason, InterprocError, RequestError, TimeoutError } from '../errors.js';
import { DeadlineTimer } from './deadline-timer.js';
import { CANCEL, HEADER_BYTES, REQUEST, UNHANDLED } from './exchange-frame.js';
import type { ExchangePort } from './exchange-port.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { decodeThrown } from './remote-error.js';

/**
 * How many requests, and bytes of them, may be unanswered at the other end; one always may. The rest waits here: so the other end
 * never has to stop receiving, and responses always get through.
 */
export const MOST_UNANSWERED = 1024;
const MOST_UNANSWERED_BYTES = 4 * 2 ** 20;

const NOTHING = new Uint8Array();

class Request {
  timer: DeadlineTimer | undefined;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  isStarted = false;

  constructor(
    readonly id: number,
    readonly message: OutgoingMessage,
    readonly resolve: (value: unknown) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

/** What the thrown thing says for itself, in an error of this side. */
function requestError(cause: unknown): RequestError {
  const what = cause instanceof Error ? `${cause.name}: ${cause.message}` : 'something';
  return new RequestError(`The handler of the other end threw ${what}`, { cause });
}

function unhandledError(): InterprocError {
  return new InterprocError(
    'ERR_UNHANDLED',
    'Nobody handles requests at the other end of this connection; have it call onRequest',
  );
}

/** The requests of a connection that wait for their responses. */
export class OutgoingRequests<T> {
  readonly #port: ExchangePort<T>;
  /** Called when there may be none left. */
  readonly #settled: () => void;
  readonly #requests = new Map<number, Request>();
  /** Of these, those that wait for the other end to have answered others. */
  readonly #waiting = new Set<Request>();
  #unanswered = 0;
  #unansweredBytes = 0;
  // Somewhere: a response to a request of an owner whom the connection has left is not taken for one of ours.
  #lastId = Math.floor(Math.random() * 2 ** 32);

  constructor(port: ExchangePort<T>, settled: () => void) {
    this.#port = port;
    this.#settled = settled;
  }

  get isIdle(): boolean {
    return this.#requests.size === 0;
  }

  /** `assertOpen`: encoding may have run code of the caller's that closed the connection. */
  request(
    value: T,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    assertOpen: () => void,
  ): Promise<unknown> {
    const id = this.#nextId();
    const message = this.#port.valueMessage({ kind: REQUEST, detail: 0, id }, value);
    try {
      assertOpen();
      if (signal?.aborted === true) throw abortReason(signal);
      if (timeoutMs === 0) throw timeoutError(0);
    } catch (error) {
      throw message.failed(error);
    }
    return new Promise((resolve, reject) => {
      const request = new Request(id, message, resolve, reject);
      this.#requests.set(id, request);
      if (timeoutMs !== Infinity) {
        const onTime = () => this.#giveUp(request, timeoutError(timeoutMs));
        request.timer = new DeadlineTimer(timeoutMs, onTime);
      }
      if (signal !== undefined) {
        request.signal = signal;
        request.onAbort = () => this.#giveUp(request, abortReason(signal));
        signal.addEventListener('abort', request.onAbort, { once: true });
      }
      this.#waiting.add(request);
      this.#startWaiting();
    });
  }

  /** A response came. Nothing if nobody waits for it any more. */
  answer(id: number, message: Uint8Array): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    let value: T;
    try {
      value = this.#port.valueIn(message);
    } catch (error) {
      this.#end(request, () => request.reject(error));
      return;
    }
    this.#end(request, () => request.resolve(value));
  }

  /** The request came to nothing there. */
  fail(id: number, detail: number, message: Uint8Array): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    let error: unknown;
    try {
      const isUnhandled = detail === UNHANDLED;
      error = isUnhandled
        ? unhandledError()
        : requestError(decodeThrown(message.subarray(HEADER_BYTES)));
    } catch (cause) {
      error = new RequestError(
        'The handler of the other end threw something that cannot be read here',
        { cause },
      );
    }
    this.#end(request, () => request.reject(error));
  }

  /** Each with an error of its own. */
  rejectAll(errorOf: () => unknown): void {
    // What waits does not start when one of the others has ended.
    this.#waiting.clear();
    for (const request of this.#requests.values()) {
      if (!request.message.isSent) this.#port.withdraw(request.message);
      this.#end(request, () => request.reject(errorOf()));
    }
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#requests.has(this.#lastId));
    return this.#lastId;
  }

  /** As many as the other end may have. */
  #startWaiting(): void {
    for (const request of this.#waiting) {
      const bytes = this.#unansweredBytes + request.message.length;
      const isTooMuch = this.#unanswered >= MOST_UNANSWERED || bytes > MOST_UNANSWERED_BYTES;
      if (isTooMuch && this.#unanswered > 0) return;
      this.#waiting.delete(request);
      request.isStarted = true;
      this.#unanswered++;
      this.#unansweredBytes = bytes;
      void this.#send(request);
    }
  }

  async #send(request: Request): Promise<void> {
    try {
      await this.#port.send(request.message);
    } catch (error) {
      this.#end(request, () => request.reject(error));
    }
  }

  /** The other end is told, if it knows of the request: its handler works in vain. */
  #giveUp(request: Request, error: unknown): void {
    const { id, message } = request;
    if (message.isSent) void this.#cancel(id);
    else this.#port.withdraw(message);
    this.#end(request, () => request.reject(error));
  }

  async #cancel(id: number): Promise<void> {
    try {
      const header = { kind: CANCEL, detail: 0, id } as const;
      await this.#port.send(this.#port.bytesMessage(header, NOTHING));
    } catch {
      // It is gone, and so is its handler.
    }
  }

  #end(request: Request, settle: () => void): void {
    if (!this.#requests.delete(request.id)) return;
    this.#waiting.delete(request);
    request.timer?.clear();
    if (request.signal !== undefined && request.onAbort !== undefined) {
      request.signal.removeEventListener('abort', request.onAbort);
    }
    if (request.isStarted) {
      this.#unanswered--;
      this.#unansweredBytes -= request.message.length;
    }
    settle();
    this.#startWaiting();
    this.#settled();
  }
}

function timeoutError(timeoutMs: number): TimeoutError {
  return new TimeoutError(`No response came over the connection within ${timeoutMs} ms`);
}
