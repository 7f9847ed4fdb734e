import { InterprocError, QueueFull } from '../errors.js';
import { ENDED, FULL } from '../contract/channel.js';
import type { Backend, Channel } from '../contract/channel.js';

/**
 * Where messages go that were delivered too often: the queue named in `deadLetter`, which is made when the
 * first one comes.
 */
export class DeadLetters {
  readonly #backend: Backend;
  readonly #source: Channel;
  readonly #name: string;

  constructor(backend: Backend, source: Channel, name: string) {
    this.#backend = backend;
    this.#source = source;
    this.#name = name;
  }

  /**
   * Moves the message that the source has just received, whose bytes these are. There first, then off the source:
   * a kill in between leaves it in both. If it cannot be put there it is given back, and the error says why.
   */
  move(bytes: Uint8Array): void {
    const source = this.#source;
    const { receipt } = source;
    try {
      this.#put(bytes);
    } catch (error) {
      source.nack(receipt);
      throw error;
    }
    source.ack(receipt);
  }

  /** Opened for each: it is rare, and so the dead-letter queue knows no participants that only might need it. */
  #put(bytes: Uint8Array): void {
    const letters = this.#open();
    try {
      const status = letters.tryPut(bytes);
      if (status === FULL) {
        throw new QueueFull(
          `The dead-letter queue '${this.#name}' of '${this.#source.name}' is full; the message was given back. Drain it, or create it with more room`,
        );
      }
      if (status === ENDED) {
        throw new InterprocError(
          'ERR_ENDED',
          `The dead-letter queue '${this.#name}' of '${this.#source.name}' was ended; the message was given back`,
        );
      }
    } finally {
      letters.close();
    }
  }

  #open(): Channel {
    const { codec, capacityBytes, maxMessageBytes, maxSideBytes } = this.#source.geometry;
    for (;;) {
      try {
        return this.#backend.openChannel(this.#name, 'open', { codec });
      } catch (error) {
        if (!isCode(error, 'ERR_NOT_FOUND')) throw error;
      }
      try {
        return this.#backend.openChannel(this.#name, 'create', {
          codec,
          capacityBytes,
          maxMessageBytes,
          maxSideBytes,
        });
      } catch (error) {
        // Somebody else was faster.
        if (!isCode(error, 'ERR_EXISTS')) throw error;
      }
    }
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof InterprocError && error.code === code;
}
