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

/** How a connection is read as a web stream. */
export interface ConnectionReadableStreamOptions extends QueueReadableOptions {}

/** How a connection is read as a Node stream. */
export interface ConnectionReadableOptions extends ConnectionReadableStreamOptions {
  /**
   * Whether each chunk is a message. If not, the stream is one of bytes, which knows no messages: only of a connection with codec
   * `'raw'`.
   * @default true
   */
  readonly objectMode?: boolean | undefined;
}

/** How a connection is written as a web stream. */
export interface ConnectionWritableStreamOptions {
  /**
   * Whether the connection is closed when the stream has been written to its end, so that the other end gets EOFError after what
   * was written.
   * @default false
   */
  readonly end?: boolean | undefined;
  /**
   * Chunks, in a stream of bytes bytes, that the stream holds before it asks its writer to wait: 0 or more.
   * @default as Node has it: 16 chunks for a Node stream, 1 for a web stream
   */
  readonly highWaterMark?: number | undefined;
  /** When aborted, the stream is destroyed, as by the signal of a queue's stream; a send that is pending is withdrawn. */
  readonly signal?: AbortSignal | undefined;
}

/** How a connection is written as a Node stream. */
export interface ConnectionWritableOptions extends ConnectionWritableStreamOptions {
  /** As for reading. Each chunk written becomes a message. @default true */
  readonly objectMode?: boolean | undefined;
}

/** How a connection becomes a Duplex. */
export type ConnectionDuplexOptions = ConnectionWritableOptions;

/** How a connection becomes two web streams. */
export type ConnectionStreamsOptions = Omit<ConnectionWritableStreamOptions, 'end'>;

/** As streams take them, whatever they read or write. */
export interface ReadableStreamOptions {
  readonly signal?: AbortSignal | undefined;
}
export interface WritableStreamOptions extends ReadableStreamOptions {
  readonly end?: boolean | undefined;
  readonly highWaterMark?: number | undefined;
}
export interface ReadableOptions extends ReadableStreamOptions {
  readonly objectMode: boolean;
}
export interface WritableOptions extends WritableStreamOptions {
  readonly objectMode: boolean;
}

const READABLE_OPTIONS = ['signal'] as const;
const WRITABLE_OPTIONS = ['end', 'highWaterMark', 'signal'] as const;
const STREAMS_OPTIONS = ['highWaterMark', 'signal'] as const;

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

function flagOf(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalidArgument(name, 'true or false', value);
}

function checkedReading(options: ReadableStreamOptions): ReadableStreamOptions {
  return { signal: signalOf(options) };
}

function checkedWriting(options: WritableStreamOptions): WritableStreamOptions {
  const { highWaterMark } = options;
  const end = flagOf('end', options.end);
  if (highWaterMark !== undefined && !(Number.isSafeInteger(highWaterMark) && highWaterMark >= 0)) {
    throw invalidArgument('highWaterMark', 'a whole number of chunks, 0 or more', highWaterMark);
  }
  return { end, highWaterMark, signal: signalOf(options) };
}

/** The options of a stream that reads, checked. @throws ERR_INVALID_ARG */
export function readableOptionsOf(
  call: string,
  options: QueueReadableOptions = {},
): ReadableOptions {
  checkNames(call, options, READABLE_OPTIONS);
  return { ...checkedReading(options), objectMode: true };
}

/** The options of a stream that writes, checked. @throws ERR_INVALID_ARG */
export function writableOptionsOf(
  call: string,
  options: QueueWritableOptions = {},
): WritableOptions {
  checkNames(call, options, WRITABLE_OPTIONS);
  return { ...checkedWriting(options), objectMode: true };
}

/** The same, of a connection's Node stream. @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for bytes of what is no bytes */
export function connectionReadableOptionsOf(
  call: string,
  options: ConnectionReadableOptions = {},
  codec: string,
): ReadableOptions {
  checkNames(call, options, [...READABLE_OPTIONS, 'objectMode']);
  return { ...checkedReading(options), objectMode: modeOf(call, options.objectMode, codec) };
}

/** @throws ERR_INVALID_ARG; ERR_UNSUPPORTED for bytes of what is no bytes */
export function connectionWritableOptionsOf(
  call: string,
  options: ConnectionWritableOptions = {},
  codec: string,
): WritableOptions {
  checkNames(call, options, [...WRITABLE_OPTIONS, 'objectMode']);
  return { ...checkedWriting(options), objectMode: modeOf(call, options.objectMode, codec) };
}

/** @throws ERR_INVALID_ARG */
export function streamsOptionsOf(
  call: string,
  options: ConnectionStreamsOptions = {},
): WritableStreamOptions {
  checkNames(call, options, STREAMS_OPTIONS);
  return checkedWriting(options);
}

function modeOf(call: string, objectMode: unknown, codec: string): boolean {
  const isObjectMode = flagOf('objectMode', objectMode) ?? true;
  if (isObjectMode || codec === 'raw') return isObjectMode;
  throw new InterprocError(
    'ERR_UNSUPPORTED',
    `${call} makes a stream of bytes of a connection with codec 'raw' only, and this one has '${codec}'; leave out objectMode`,
  );
}
