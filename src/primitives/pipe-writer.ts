import { InterprocError, invalidArgument } from '../errors.js';
import { ENDED, EXCHANGE } from '../contract/pipe.js';
import type { PipeEnd } from '../contract/pipe.js';
import type { Codec } from '../codec/codec.js';
import { ByteCopies } from '../codec/copy-bytes.js';
import { checkBytes } from '../codec/raw.js';
import { BatchSend } from './batch-send.js';
import { HEADER_BYTES, writeHeader } from './exchange-frame.js';
import type { FrameHeader } from './exchange-frame.js';
import { marksOf, OutgoingMessage, peerDeadError } from './outgoing-message.js';
import { Boarding, depart, disembark } from './passengers.js';
import type { Passengers } from './passengers.js';

// Of this thread's messages that wait to be sent. They share no memory with what is handed out, which its owner may transfer.
const unsent = new ByteCopies();

/** Values on their way into a connection: encoded, and offered to it in single looks. */
export class PipeWriter<T> {
  readonly #end: PipeEnd;
  readonly #codec: Codec<T>;
  readonly #boarding: Boarding;
  /** What can go without parts. */
  readonly #mostWhole: number;

  constructor(end: PipeEnd, codec: Codec<T>) {
    this.#end = end;
    this.#codec = codec;
    this.#boarding = new Boarding(end);
    this.#mostWhole = Math.min(end.wholeBytes, end.geometry.maxMessageBytes);
  }

  /**
   * To be offered, discarded or made a message that can wait, before anything else happens on this thread: it stands in the
   * outbox, or is the caller's.
   */
  encode(value: T): number | Uint8Array {
    const codec = this.#codec;
    // Bytes go into the ring from where they are.
    return codec.bytesOf === undefined ? this.#boarding.encode(codec, value) : codec.bytesOf(value);
  }

  /** The same of bytes that are sent as they are. */
  encodeBytes(bytes: Uint8Array): Uint8Array {
    return checkBytes(bytes);
  }

  /**
   * One look for room; true if the message was sent. Never one that is larger than the ring.
   * @throws ERR_PEER_DEAD, ERR_TOO_LARGE
   */
  offer(encoded: number | Uint8Array): boolean {
    try {
      if (!this.#send(encoded, marksOf(this.#boarding.passengers))) return false;
    } catch (error) {
      this.discard();
      throw error;
    }
    if (this.#boarding.passengers !== undefined) depart(this.#boarding.takePassengers());
    return true;
  }

  #send(encoded: number | Uint8Array, marks: number): boolean {
    const end = this.#end;
    const length = typeof encoded === 'number' ? encoded : encoded.length;
    if (length > this.#mostWhole) {
      this.#checkSize(length);
      return false;
    }
    const status =
      typeof encoded === 'number' ? end.trySendOutbox(encoded, marks) : end.trySend(encoded, marks);
    if (status === ENDED) throw peerDeadError();
    return status === 0;
  }

  /** Refuses what was encoded if it is larger than the ring. @throws ERR_TOO_LARGE */
  assertWhole(encoded: number | Uint8Array): void {
    const length = typeof encoded === 'number' ? encoded : encoded.length;
    if (length <= this.#mostWhole) return;
    this.discard();
    this.#checkSize(length);
    throw new InterprocError(
      'ERR_TOO_LARGE',
      `A message of ${length} bytes is larger than the connection holds at once, which is ${this.#mostWhole}; await send(), which sends it in parts, or make the pipe with a larger capacityBytes`,
    );
  }

  /** What was encoded will not be sent. */
  discard(): void {
    disembark(this.#end, this.#boarding.takePassengers());
  }

  /**
   * What was encoded, to be offered again and again, and after `detach` at any time. `isMade`: an array was made for it alone.
   * @throws ERR_TOO_LARGE
   */
  message(
    encoded: number | Uint8Array,
    marks = 0,
    isMade = this.#codec.encodesAnew === true,
  ): OutgoingMessage {
    const passengers = this.#boarding.takePassengers();
    const isInOutbox = typeof encoded === 'number';
    const bytes = isInOutbox ? unsent.copy(this.#end.outbox, 0, encoded) : encoded;
    return this.#outgoing(bytes, !isInOutbox && !isMade, marks, passengers);
  }

  /** A message of an exchange with a value in it. @throws ERR_ENCODE, ERR_INVALID_ARG, ERR_TOO_LARGE */
  exchangedValue(header: FrameHeader, value: T): OutgoingMessage {
    const encoded = this.encode(value);
    const isInOutbox = typeof encoded === 'number';
    return this.exchanged(header, isInOutbox ? this.#end.outbox.subarray(0, encoded) : encoded);
  }

  /** The same with these bytes in it. @throws ERR_TOO_LARGE */
  exchanged(header: FrameHeader, body: Uint8Array): OutgoingMessage {
    const bytes = new Uint8Array(HEADER_BYTES + body.length);
    writeHeader(bytes, header);
    bytes.set(body, HEADER_BYTES);
    return this.message(bytes, EXCHANGE, true);
  }

  /**
   * All values encoded, so that one that cannot be leaves nothing half-sent. Where they are bytes already, those of
   * `areLeftAlone` values are not copied: nothing of the caller's runs between one and the next, as it does in a generator.
   * @throws ERR_ENCODE, ERR_INVALID_ARG, ERR_TOO_LARGE
   */
  batch(values: Iterable<T>, areLeftAlone = Array.isArray(values)): BatchSend {
    if (typeof values === 'string' || typeof values?.[Symbol.iterator] !== 'function') {
      throw invalidArgument('sendMany', 'an array or another iterable of values', values);
    }
    const areBorrowed = this.#codec.bytesOf !== undefined && areLeftAlone;
    const messages: Uint8Array[] = [];
    const alone = new Map<number, OutgoingMessage>();
    try {
      for (const value of values) {
        const bytes = this.#batchBytes(value, areLeftAlone);
        const passengers = this.#boarding.takePassengers();
        const mustGoAlone = passengers !== undefined || bytes.length > this.#mostWhole;
        if (mustGoAlone) {
          alone.set(messages.length, this.#outgoing(bytes, areBorrowed, 0, passengers));
        }
        messages.push(bytes);
      }
    } catch (error) {
      for (const message of alone.values()) message.failed(error);
      throw error;
    }
    return new BatchSend(this.#end, messages, alone, areBorrowed);
  }

  #batchBytes(value: T, isLeftAlone: boolean): Uint8Array {
    const codec = this.#codec;
    if (codec.bytesOf !== undefined) {
      const bytes = codec.bytesOf(value);
      return isLeftAlone ? bytes : new Uint8Array(bytes);
    }
    const encoded = this.encode(value);
    if (typeof encoded === 'number') return unsent.copy(this.#end.outbox, 0, encoded);
    return codec.encodesAnew === true ? encoded : new Uint8Array(encoded);
  }

  /** If it throws, nobody has boarded. */
  #outgoing(
    bytes: Uint8Array,
    isBorrowed: boolean,
    marks: number,
    passengers: Passengers | undefined,
  ): OutgoingMessage {
    try {
      this.#checkSize(bytes.length);
    } catch (error) {
      disembark(this.#end, passengers);
      throw error;
    }
    const all = marks | marksOf(passengers);
    return new OutgoingMessage(this.#end, bytes, isBorrowed, all, passengers);
  }

  /** @throws ERR_TOO_LARGE */
  #checkSize(length: number): void {
    const { maxMessageBytes } = this.#end.geometry;
    if (length <= maxMessageBytes) return;
    throw new InterprocError(
      'ERR_TOO_LARGE',
      `A message of ${length} bytes; this connection takes ${maxMessageBytes} at most. Make the pipe with a larger maxMessageBytes`,
    );
  }
}
