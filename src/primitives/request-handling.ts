import { AbortError, InterprocError, invalidArgument } from '../errors.js';
import { checkCount } from './count.js';
import { FAILURE, RESPONSE, THROWN, UNHANDLED } from './exchange-frame.js';
import type { ExchangePort } from './exchange-port.js';
import { MOST_UNANSWERED } from './outgoing-requests.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { encodeThrown } from './remote-error.js';

const NOTHING = new Uint8Array();

/** What a handler gets beside the request. */
export interface RequestContext {
  /** Aborted when nobody waits for the response any more: a time-out, an abort, the end of the other end or of this one. */
  readonly signal: AbortSignal;
}

/** Answers requests: what it returns, or resolves with, is the response. */
export type RequestHandler<T> = (value: T, context: RequestContext) => T | Promise<T>;

/** How requests are handled. */
export interface RequestHandlingOptions {
  /**
   * Requests whose handlers are at work at once, 1 to 65536; others wait. A handler that waits for the other end to make a request
   * here takes up its place meanwhile.
   * @default 64
   */
  readonly maxConcurrent?: number | undefined;
}

const MOST_CONCURRENT = 65_536;
const DEFAULT_CONCURRENT = 64;

/** `maxConcurrent`, checked. @throws ERR_INVALID_ARG */
export function concurrencyOf(options: RequestHandlingOptions = {}): number {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', 'an object such as { maxConcurrent: 64 }', options);
  }
  const unknown = Object.keys(options).find((name) => name !== 'maxConcurrent');
  if (unknown !== undefined) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `onRequest has no option '${unknown}', but maxConcurrent`,
    );
  }
  return checkCount('maxConcurrent', options.maxConcurrent, MOST_CONCURRENT) ?? DEFAULT_CONCURRENT;
}

/** A request whose handler is at work. */
class Running implements RequestContext {
  #controller: AbortController | undefined;
  #reason: unknown;
  isAborted = false;

  /** Made when the handler looks at it: most do not. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.isAborted) return;
    this.isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

interface Handling<T> {
  handle(value: T, context: RequestContext): T | Promise<T>;
  readonly maxConcurrent: number;
}

/** The requests of the other end. */
export class RequestHandling<T> {
  readonly #port: ExchangePort<T>;
  /** Called when there may be none left. */
  readonly #settled: () => void;
  readonly #running = new Map<number, Running>();
  /** Those that wait for others to be done. The other end sees to it that they are not too many. */
  readonly #waiting = new Map<number, T>();
  #handling: Handling<T> | undefined;
  #isStarting = false;

  constructor(port: ExchangePort<T>, settled: () => void) {
    this.#port = port;
    this.#settled = settled;
  }

  /** Undefined: what comes from now on, and what waits, is not handled. */
  set handling(handling: Handling<T> | undefined) {
    this.#handling = handling;
    if (handling !== undefined) return;
    const waiting = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const id of waiting) this.#refuse(id);
  }

  get handling(): Handling<T> | undefined {
    return this.#handling;
  }

  get isIdle(): boolean {
    return this.#running.size === 0 && this.#waiting.size === 0;
  }

  /** A request came. False if it is none that this connection's other end would make. */
  accept(id: number, message: Uint8Array): boolean {
    if (this.#handling === undefined) {
      this.#refuse(id);
      return true;
    }
    if (this.#running.has(id) || this.#waiting.has(id)) return false;
    if (this.#waiting.size >= MOST_UNANSWERED) return false;
    try {
      this.#waiting.set(id, this.#port.valueIn(message));
    } catch (error) {
      this.#throw(id, error);
      return true;
    }
    this.#startSoon();
    return true;
  }

  /** The other end does not wait for this one any more. */
  cancel(id: number): void {
    this.#waiting.delete(id);
    this.#running.get(id)?.abort(new AbortError('The other end gave this request up'));
    this.#settled();
  }

  /** There is nobody to answer. */
  abortAll(reasonOf: () => unknown): void {
    this.#waiting.clear();
    for (const running of this.#running.values()) running.abort(reasonOf());
  }

  /** Not within the look that met them: handlers may do anything, and that look may be a call that blocks. */
  #startSoon(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    queueMicrotask(() => {
      this.#isStarting = false;
      this.#start();
    });
  }

  #start(): void {
    for (const [id, value] of this.#waiting) {
      if (this.#handling === undefined) return;
      if (this.#running.size >= this.#handling.maxConcurrent) return;
      this.#waiting.delete(id);
      void this.#run(id, value, this.#handling);
    }
  }

  async #run(id: number, value: T, handling: Handling<T>): Promise<void> {
    const running = new Running();
    this.#running.set(id, running);
    let message: OutgoingMessage | undefined;
    try {
      const response = await handling.handle(value, running);
      if (!running.isAborted) {
        message = this.#port.valueMessage({ kind: RESPONSE, detail: 0, id }, response);
      }
    } catch (error) {
      if (!running.isAborted) message = this.#thrown(id, error);
    }
    this.#running.delete(id);
    if (message !== undefined) void this.#send(message);
    this.#start();
    this.#settled();
  }

  #thrown(id: number, error: unknown): OutgoingMessage {
    const header = { kind: FAILURE, detail: THROWN, id } as const;
    try {
      return this.#port.bytesMessage(header, encodeThrown(error));
    } catch {
      // Too large for the connection. A header is not: that of the request has come.
      return this.#port.bytesMessage(header, NOTHING);
    }
  }

  #throw(id: number, error: unknown): void {
    void this.#send(this.#thrown(id, error));
  }

  #refuse(id: number): void {
    const header = { kind: FAILURE, detail: UNHANDLED, id } as const;
    void this.#send(this.#port.bytesMessage(header, NOTHING));
  }

  async #send(message: OutgoingMessage): Promise<void> {
    try {
      await this.#port.send(message);
    } catch {
      // Nobody is there any more to get it.
    }
  }
}
