/** What the package throws: one base class with a stable `code`, and the one table of codes. */

import { inspect } from 'node:util';

/** Every code and what it means. Codes are promises: programs branch on them. */
export const ERROR_CODES = Object.freeze({
  ERR_CLOSED: 'this handle was closed',
  ERR_MOVED: 'this end of a connection was sent to somebody else',
  ERR_TIMEOUT: 'the time given ran out (TimeoutError)',
  ERR_FULL: 'no room, and the call does not wait (QueueFull)',
  ERR_EMPTY: 'no message, and the call does not wait (QueueEmpty)',
  ERR_EOF:
    'the queue was ended, or the other end of the connection is gone, and everything has been read (EOFError)',
  ERR_ENDED: 'a put after end()',
  ERR_EXISTS: 'an object of this name is there already',
  ERR_NOT_FOUND: 'no object of this name is there',
  ERR_KIND: 'the object of this name is of another kind',
  ERR_MISMATCH: 'the options given disagree with what the object was created with',
  ERR_CORRUPT: 'the shared memory does not hold what it should',
  ERR_VERSION: 'the object was made by another version or build',
  ERR_PERMISSION: 'the system does not let this user have it',
  ERR_NO_SPACE: 'the shared memory file system is full',
  ERR_NO_SLOT: 'too many participants',
  ERR_TOO_LARGE: 'a message is larger than the queue or the buffer takes',
  ERR_NO_LEASE: 'this handle holds as many reserved slots and peeked messages as it may',
  ERR_UNACKED: 'this participant holds too many unacknowledged messages',
  ERR_ENCODE: 'the codec cannot carry the value',
  ERR_DECODE: 'the codec cannot read the message',
  ERR_PEER_DEAD: 'the other end is gone: it was closed, or its process has died',
  ERR_REQUEST: 'the handler of the other end threw (RequestError)',
  ERR_UNHANDLED: 'nobody handles requests at the other end',
  ERR_AUTH: 'the other end of a connection could not be authenticated (AuthenticationError)',
  ERR_NOT_OWNER: 'the caller does not hold, or no longer, what it uses or lets go of',
  ERR_DIRECTION: 'this end of a one-way connection only sends, or only receives',
  ERR_DEADLOCK: 'the wait could never end',
  ERR_OVER_RELEASE: 'a semaphore would have more permits than it may',
  ERR_BROKEN: 'a barrier that one of its parties gave up on',
  ERR_BROKER:
    'the broker that held it is gone, with all it held; close it and open or create it again',
  ERR_BACKEND: 'another backend has an object of this name',
  ERR_UNSUPPORTED: 'this backend, codec, stream or machine cannot do it',
  ERR_INVALID_ARG: 'an argument is not what the call takes',
  ERR_SYSTEM: 'the operating system refused, in a way nobody expected; see errno and syscall',
} as const);

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  readonly errno?: number | undefined;
  readonly syscall?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The base class of everything this package throws, except the reason of an aborted signal.
 *
 * @example
 * ```ts
 * import { InterprocError, Queue } from 'interproc';
 *
 * let q;
 * try {
 *   q = Queue.open('jobs');
 * } catch (error) {
 *   if (!(error instanceof InterprocError) || error.code !== 'ERR_NOT_FOUND') throw error;
 * }
 * q === undefined; // => true
 * ```
 */
export class InterprocError extends Error {
  /** One of `ERROR_CODES`; stable from release to release, unlike the message. */
  readonly code: ErrorCode;
  /** The system's error number, where the system refused. */
  declare readonly errno?: number;
  /** The system call that refused. */
  declare readonly syscall?: string;
  /** Of a `putMany` or `sendMany` that failed after some of its values went in: how many, from the first. */
  declare accepted?: number;
  /**
   * Of a batch of which one message could not be decoded or was lost: the values of the others, which are no longer
   * in the queue.
   */
  declare values?: readonly unknown[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    if (details.errno !== undefined) this.errno = details.errno;
    if (details.syscall !== undefined) this.syscall = details.syscall;
  }

  static {
    // On the prototype, so that a printed error does not list it among the details.
    this.prototype.name = 'InterprocError';
  }
}

/** `ERR_TIMEOUT`: the call's `timeoutMs` ran out. It took nothing; of a `putMany`, `accepted` values went in. */
export class TimeoutError extends InterprocError {
  constructor(message: string, details?: ErrorDetails) {
    super('ERR_TIMEOUT', message, details);
  }

  static {
    this.prototype.name = 'TimeoutError';
  }
}

/** `ERR_FULL`: from `putNowait` and `reserve`, and from a get that could not move a message to a full dead-letter queue. */
export class QueueFull extends InterprocError {
  constructor(message: string, details?: ErrorDetails) {
    super('ERR_FULL', message, details);
  }

  static {
    this.prototype.name = 'QueueFull';
  }
}

/** `ERR_EMPTY`: from `getNowait` and `peek`. */
export class QueueEmpty extends InterprocError {
  constructor(message: string, details?: ErrorDetails) {
    super('ERR_EMPTY', message, details);
  }

  static {
    this.prototype.name = 'QueueEmpty';
  }
}

/**
 * `ERR_EOF`: the queue was ended, or the other end of the connection was closed or its process died, and everything has
 * been read; there will be nothing more.
 */
export class EOFError extends InterprocError {
  constructor(message: string, details?: ErrorDetails) {
    super('ERR_EOF', message, details);
  }

  static {
    this.prototype.name = 'EOFError';
  }
}

/**
 * `ERR_TOO_LARGE`: from `recvBytesInto`, when the message does not fit into the buffer. It is in `bytes`, whole, and the
 * connection no longer has it.
 */
export class BufferTooShort extends InterprocError {
  /** The message. */
  readonly bytes: Uint8Array;

  constructor(message: string, bytes: Uint8Array, details?: ErrorDetails) {
    super('ERR_TOO_LARGE', message, details);
    // Not listed when the error is printed: it may be large.
    Object.defineProperty(this, 'bytes', { enumerable: false });
    this.bytes = bytes;
  }

  static {
    this.prototype.name = 'BufferTooShort';
  }
}

/** `ERR_REQUEST`: from `request`, when the handler of the other end threw or rejected; `cause` is what it threw. */
export class RequestError extends InterprocError {
  constructor(message: string, details?: ErrorDetails) {
    super('ERR_REQUEST', message, details);
  }

  static {
    this.prototype.name = 'RequestError';
  }
}

/**
 * `ERR_AUTH`: from `Pipe.connect`, and told to `onRejected` of a listener, when the two have different `authkey`s, only one of
 * them has one, or the other one does not keep to the handshake.
 */
export class AuthenticationError extends InterprocError {
  constructor(message: string, details?: ErrorDetails) {
    super('ERR_AUTH', message, details);
  }

  static {
    this.prototype.name = 'AuthenticationError';
  }
}

/** What an aborted call rejects with when its signal was aborted without a reason, as in Node's own modules. */
export class AbortError extends Error {
  readonly code = 'ABORT_ERR';
  /** Of an aborted `putMany`: how many values went in. */
  declare accepted?: number;

  constructor(cause?: unknown) {
    super('The operation was aborted', { cause });
  }

  static {
    this.prototype.name = 'AbortError';
  }
}

/** The reason of an aborted signal: what was given to `abort()`, else an `AbortError` with code `ABORT_ERR`. */
export function abortReason(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  const isDefault = reason instanceof DOMException && reason.name === 'AbortError';
  return isDefault || reason === undefined ? new AbortError(reason) : reason;
}

const SHOWN_CHARACTERS = 80;

/** A received value as messages show it: in one line, and not all of something long. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = inspect(value, {
      depth: 0,
      breakLength: Infinity,
      maxArrayLength: 4,
      maxStringLength: 48,
      // A getter or an inspector of the caller's must not run, nor throw, while an error is being made.
      customInspect: false,
      getters: false,
    });
  } catch {
    text = typeof value;
  }
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;
}

/** `ERR_INVALID_ARG`: what is wrong with which argument, what came, and what it takes. */
export function invalidArgument(what: string, takes: string, received: unknown): InterprocError {
  return new InterprocError(
    'ERR_INVALID_ARG',
    `${what} takes ${takes}; received ${shown(received)}`,
  );
}
