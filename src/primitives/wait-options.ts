import { InterprocError, invalidArgument } from '../errors.js';

/** How long a blocking call may block. */
export interface SyncWaitOptions {
  /**
   * Milliseconds from the call until it gives up with a TimeoutError; a finite number. 0 looks once, and so
   * does a negative one, as in Python.
   * @default undefined: for ever
   */
  readonly timeoutMs?: number | undefined;
}

/** How long an awaited call may wait. */
export interface WaitOptions extends SyncWaitOptions {
  /**
   * When aborted, the call rejects with the signal's reason (by default an AbortError with code `ABORT_ERR`)
   * and takes nothing.
   */
  readonly signal?: AbortSignal | undefined;
}

function checkObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', 'an object such as { timeoutMs: 100 }', options);
  }
}

/** Milliseconds; Infinity for ever. */
export function timeoutOf(options: SyncWaitOptions | undefined): number {
  if (options === undefined) return Infinity;
  checkObject(options);
  const { timeoutMs } = options;
  if (timeoutMs === undefined) return Infinity;
  if (typeof timeoutMs !== 'number' || !Number.isFinite(timeoutMs)) {
    throw invalidArgument(
      'timeoutMs',
      'a finite number of milliseconds (leave it out to wait for ever)',
      timeoutMs,
    );
  }
  return Math.max(timeoutMs, 0);
}

/** The same for a call that blocks its thread, which no signal can reach. */
export function syncTimeoutOf(options: SyncWaitOptions | undefined): number {
  if (options === undefined) return Infinity;
  const timeoutMs = timeoutOf(options);
  if ((options as WaitOptions).signal !== undefined) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      'A call that blocks its thread cannot be aborted; leave out signal, or await the call that does not end in Sync',
    );
  }
  return timeoutMs;
}

export function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  const signal = options?.signal;
  if (signal === undefined) return undefined;
  // By its shape: a signal may come from another realm or from a polyfill.
  const isSignal =
    typeof signal === 'object' &&
    signal !== null &&
    typeof signal.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function';
  if (!isSignal) throw invalidArgument('signal', 'an AbortSignal', signal);
  return signal;
}
