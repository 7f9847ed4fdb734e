/** What a codec promises to the primitives: values in, bytes out, and back. No I/O, and no memory of earlier values. */
export interface Codec<T> {
  /** Written into the object when it is created; who opens it with another codec gets ERR_MISMATCH. */
  readonly name: string;

  /**
   * Writes `value` to the start of `outbox` and returns its length; or returns bytes of its own, where it
   * does not fit or that is cheaper. Such bytes may be the caller's: copy what is kept beyond the call that
   * encodes.
   *
   * The outbox is shared by all queues of a thread: what runs code of the caller's (`toJSON`, getters, a
   * custom codec) must have run it before the first byte is written.
   * @throws ERR_ENCODE, ERR_INVALID_ARG
   */
  encode(value: T, outbox: Uint8Array): number | Uint8Array;

  /** What makes this codec in a process that does not know it: a struct's, one line of ASCII. Others have none. */
  readonly schema?: string;

  /** Whether an array that `encode` returns was made for that message alone, so that it need not be copied to be kept. */
  readonly encodesAnew?: boolean;

  /** Whether objects may travel in its messages in ways of their own: handles, which need to know the queue they travel by. */
  readonly carriesHandles?: boolean;

  /**
   * Where values are bytes already: those bytes, uncopied, after the checks that `encode` makes.
   * @throws ERR_INVALID_ARG
   */
  bytesOf?(value: T): Uint8Array;

  /** Whether `decode` runs code of the caller's, which may use other queues of the thread, and with them the inbox. */
  readonly decodesByCaller?: boolean;

  /**
   * The value whose bytes are `inbox[offset, offset + length)`. They are valid during the call only: the
   * value shares no memory with them.
   * @throws ERR_DECODE
   */
  decode(inbox: Uint8Array, offset: number, length: number): T;

  /**
   * The value of a message that stands in an array of its own: as `decode`, but the value may keep the array.
   * @throws ERR_DECODE
   */
  decodeOwn(bytes: Uint8Array): T;
}

export type BuiltInCodecName = 'structured' | 'json' | 'string' | 'raw';

/**
 * How to carry values that the built-in codecs do not.
 *
 * @example
 * ```ts
 * import { Queue } from 'interproc';
 * import type { CustomCodec } from 'interproc';
 *
 * const urls: CustomCodec<URL> = {
 *   name: 'url',
 *   encode: (url) => new TextEncoder().encode(url.href),
 *   decode: (bytes) => new URL(new TextDecoder().decode(bytes)),
 * };
 * const q = Queue.create('links', { codec: urls });
 * q.putNowait(new URL('https://example.org/a'));
 * q.getNowait().pathname; // => '/a'
 * q.close();
 * ```
 */
export interface CustomCodec<T> {
  /**
   * What both sides must agree on: 1-63 letters, digits, `.`, `_` or `-`, and none of the built-in names.
   * @default 'custom'
   */
  readonly name?: string;
  /**
   * The bytes of `value`; they are copied before the put returns, so the array may be used again. What it
   * throws becomes the `cause` of ERR_ENCODE.
   */
  encode(value: T): Uint8Array;
  /** The value of `bytes`, which are a copy and may be kept. What it throws becomes the `cause` of ERR_DECODE. */
  decode(bytes: Uint8Array): T;
}
