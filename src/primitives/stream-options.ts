import { InterprocError, invalidArgument } from '../errors.js';
import { signalOf } from './wait-options.js';

/** How a queue is read as a stream. */
export interface QueueReadableOptions {
  /**
   * When aborted, the stream is destroyed, a Node stream with an AbortError (`ABORT_ERR`) whose `cause` is
   * the signal's reason, a web stream with the reason itself. No message is lost.
   */
  readonly signal?: AbortSignal | undefined;
}

/** How a queue is written as a stream. */
export interface QueueWritableOptions {
  /**
   * Whether the queue is ended when the stream has been written to its end. For the only producer.
   * @default false: others may go on putting
   */
  readonly end?: boolean | undefined;
  /**
   * Chunks the stream holds, besides what is in the queue, before it asks its writer to wait: 0 or more.
   * @default 16 for a Node stream, 1 for a web stream, as they have it
   */
  readonly highWaterMark?: number | undefined;
  /**
   * When aborted, the stream is destroyed, a Node stream with an AbortError (`ABORT_ERR`) whose `cause` is
   * the signal's reason, a web stream with the reason itself; a put that is pending is withdrawn.
   */
  readonly signal?: AbortSignal | undefined;
}

const READABLE_OPTIONS: readonly string[] = ['signal'] satisfies (keyof QueueReadableOptions)[];
const WRITABLE_OPTIONS: readonly string[] = [
  'end',
  'highWaterMark',
  'signal',
] satisfies (keyof QueueWritableOptions)[];

function checkNames(call: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument(`${call}: options`, `an object with ${known.join(', ')}`, options);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  // The one option that is missed: what it would be for is done otherwise.
  const why =
    unknown === 'highWaterMark'
      ? '; it takes no message before it is asked for, so that none is lost'
      : '';
  throw new InterprocError(
    'ERR_INVALID_ARG',
    `${call} has no option '${unknown}', but ${known.join(', ')}${why}`,
  );
}

/** The options, checked. @throws ERR_INVALID_ARG */
export function readableOptionsOf(
  call: string,
  options: QueueReadableOptions = {},
): QueueReadableOptions {
  checkNames(call, options, READABLE_OPTIONS);
  return { signal: signalOf(options) };
}

/** The options, checked. @throws ERR_INVALID_ARG */
export function writableOptionsOf(
  call: string,
  options: QueueWritableOptions = {},
): QueueWritableOptions {
  checkNames(call, options, WRITABLE_OPTIONS);
  const { end, highWaterMark } = options;
  if (end !== undefined && typeof end !== 'boolean') {
    throw invalidArgument('end', 'true or false', end);
  }
  if (highWaterMark !== undefined && !(Number.isSafeInteger(highWaterMark) && highWaterMark >= 0)) {
    throw invalidArgument('highWaterMark', 'a whole number of chunks, 0 or more', highWaterMark);
  }
  return { end, highWaterMark, signal: signalOf(options) };
}
