import { AbortError, InterprocError, invalidArgument } from '../errors.js';
import { ENDED } from '../contract/channel.js';
import type { Channel } from '../contract/channel.js';
import type { Codec } from '../codec/codec.js';
import { copyBytes } from '../codec/copy-bytes.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';

/** The values of a `putMany`, all encoded before the first goes in, and how far it has got. */
export class BatchPut implements Operation<void> {
  readonly #channel: Channel;
  readonly #messages: Uint8Array[];
  readonly #endedError: () => Error;
  /** Of the messages: how many from the first are still the caller's own arrays. */
  #borrowed: number;
  #accepted = 0;

  constructor(
    channel: Channel,
    messages: { readonly bytes: Uint8Array[]; readonly areBorrowed: boolean },
    endedError: () => Error,
  ) {
    this.#channel = channel;
    this.#messages = messages.bytes;
    this.#borrowed = messages.areBorrowed ? messages.bytes.length : 0;
    this.#endedError = endedError;
  }

  attempt(): void | NotYet {
    const messages = this.#messages;
    while (this.#accepted < messages.length) {
      const count = this.#channel.tryPutMany(messages, this.#accepted);
      if (count === ENDED) throw this.#endedError();
      if (count === 0) return NOT_YET;
      this.#accepted += count;
    }
    return undefined;
  }

  /** What has not gone in becomes a copy: the caller may change his arrays as soon as the call has returned. */
  detach(): void {
    const messages = this.#messages;
    for (let i = this.#accepted; i < this.#borrowed; i++) {
      messages[i] = new Uint8Array(messages[i] as Uint8Array);
    }
    this.#borrowed = 0;
  }

  failing(error: unknown): void {
    if (error instanceof InterprocError || error instanceof AbortError) {
      error.accepted = this.#accepted;
    }
  }
}

/**
 * Encodes all values, so that one that cannot be encoded leaves nothing half-queued.
 * @throws ERR_ENCODE, ERR_INVALID_ARG, ERR_TOO_LARGE
 */
export function encodeBatch<T>(
  values: Iterable<T>,
  codec: Codec<T>,
  channel: Channel,
  tooLarge: (bytes: number) => Error,
): { bytes: Uint8Array[]; areBorrowed: boolean } {
  if (typeof values === 'string' || typeof values?.[Symbol.iterator] !== 'function') {
    throw invalidArgument('putMany', 'an array or another iterable of values', values);
  }
  const limit = channel.geometry.maxMessageBytes;
  const bytes: Uint8Array[] = [];
  for (const value of values) {
    const message =
      codec.bytesOf === undefined ? encodeCopy(value, codec, channel) : codec.bytesOf(value);
    if (message.length > limit) throw tooLarge(message.length);
    bytes.push(message);
  }
  return { bytes, areBorrowed: codec.bytesOf !== undefined };
}

/** The encoded value as bytes that nobody else will change. */
export function encodeCopy<T>(value: T, codec: Codec<T>, channel: Channel): Uint8Array {
  const { outbox } = channel;
  return copyEncoded(codec.encode(value, outbox), outbox);
}

/** A copy of what a codec returned, be it in the outbox or not. */
export function copyEncoded(encoded: number | Uint8Array, outbox: Uint8Array): Uint8Array {
  return typeof encoded === 'number' ? copyBytes(outbox, 0, encoded) : new Uint8Array(encoded);
}
