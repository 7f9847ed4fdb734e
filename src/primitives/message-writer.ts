import { InterprocError, invalidArgument } from '../errors.js';
import { ENDED } from '../contract/channel.js';
import type { Channel } from '../contract/channel.js';
import type { Codec } from '../codec/codec.js';
import { copyBytes } from '../codec/copy-bytes.js';
import { BatchPut } from './batch-put.js';
import { NOT_YET } from './pending-waits.js';
import type { Operation } from './pending-waits.js';

/** Values on their way into a channel: encoded, and offered to it in single looks. */
export class MessageWriter<T> {
  readonly #channel: Channel;
  readonly #codec: Codec<T>;

  constructor(channel: Channel, codec: Codec<T>) {
    this.#channel = channel;
    this.#codec = codec;
  }

  /**
   * To be offered, or made a pending put, before anything else happens on this thread: it stands in the
   * outbox, or is the caller's.
   */
  encode(value: T): number | Uint8Array {
    return this.#codec.encode(value, this.#channel.outbox);
  }

  /** One look for room; true if the message went in. */
  offer(encoded: number | Uint8Array): boolean {
    const channel = this.#channel;
    const status =
      typeof encoded === 'number' ? channel.tryPutOutbox(encoded) : channel.tryPut(encoded);
    if (status === ENDED) throw this.endedError();
    return status === 0;
  }

  /** A put that can wait, with a copy of the message. */
  pending(encoded: number | Uint8Array): Operation<void> {
    const bytes = this.#copy(encoded);
    // One that waits behind others has not been seen by the channel.
    this.#checkSize(bytes);
    return { attempt: () => (this.offer(bytes) ? undefined : NOT_YET) };
  }

  /**
   * All values encoded, so that one that cannot be leaves nothing half-queued.
   * @throws ERR_ENCODE, ERR_INVALID_ARG, ERR_TOO_LARGE
   */
  batch(values: Iterable<T>): BatchPut {
    if (typeof values === 'string' || typeof values?.[Symbol.iterator] !== 'function') {
      throw invalidArgument('putMany', 'an array or another iterable of values', values);
    }
    const codec = this.#codec;
    const messages: Uint8Array[] = [];
    for (const value of values) {
      const bytes =
        codec.bytesOf === undefined ? this.#copy(this.encode(value)) : codec.bytesOf(value);
      this.#checkSize(bytes);
      messages.push(bytes);
    }
    return new BatchPut(this.#channel, messages, codec.bytesOf !== undefined, () =>
      this.endedError(),
    );
  }

  endedError(): InterprocError {
    return new InterprocError(
      'ERR_ENDED',
      `Queue '${this.#channel.name}' was ended; it takes no more puts`,
    );
  }

  /** A copy, unless the codec has made the array for this message. */
  #copy(encoded: number | Uint8Array): Uint8Array {
    if (typeof encoded === 'number') return copyBytes(this.#channel.outbox, 0, encoded);
    return this.#codec.encodesAnew === true ? encoded : new Uint8Array(encoded);
  }

  #checkSize({ length }: Uint8Array): void {
    const { name, geometry } = this.#channel;
    if (length <= geometry.maxMessageBytes) return;
    throw new InterprocError(
      'ERR_TOO_LARGE',
      `A message of ${length} bytes; queue '${name}' takes ${geometry.maxMessageBytes} at most. Create it with a larger maxMessageBytes`,
    );
  }
}
