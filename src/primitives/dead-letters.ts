import { InterprocError, QueueFull } from '../errors.js';
import { DEFAULT_CODEC, ENDED, FULL } from '../contract/channel.js';
import type { Backend, Channel, Ticket } from '../contract/channel.js';
import { redeem } from './passengers.js';

/** How to let go of a message. */
export interface HeldMessage {
  consume(): void;
  giveBack(): void;
}

/**
 * Where messages go that were delivered too often: the queue named in `deadLetter`, which is made when the
 * first one comes.
 */
export class DeadLetters {
  readonly #backend: Pick<Backend, 'openChannel'>;
  readonly #source: Channel;
  readonly #name: string;

  constructor(backend: Pick<Backend, 'openChannel'>, source: Channel, name: string) {
    this.#backend = backend;
    this.#source = source;
    this.#name = name;
  }

  /**
   * Moves a message of the source, which `held` holds; `bytes` are the caller's own if it may have handles in it, and are
   * rewritten then. There first, then off the source: a kill in between leaves it in both, each with tickets of its own.
   * If it cannot be put there it is given back, and the error says why.
   */
  move(bytes: Uint8Array, held: HeldMessage): void {
    // Found before they are rewritten.
    const tickets = this.#mayHaveTickets() ? this.#source.ticketsIn(bytes) : undefined;
    try {
      this.#put(bytes);
    } catch (error) {
      held.giveBack();
      throw error;
    }
    held.consume();
    redeem(this.#source, tickets);
  }

  /** Opened for each: it is rare, and so the dead-letter queue knows no participants that only might need it. */
  #put(bytes: Uint8Array): void {
    const letters = this.#open();
    let unused: Ticket[] | undefined;
    try {
      unused = this.#mayHaveTickets() ? letters.copyTickets(bytes, this.#source) : undefined;
      const carries = unused !== undefined && unused.length > 0;
      const status = carries ? letters.tryPutCarrying(bytes) : letters.tryPut(bytes);
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
      unused = undefined;
    } finally {
      redeem(letters, unused);
      letters.close();
    }
  }

  /** Only structured messages have handles in them; the bytes of others may lie in the queue itself. */
  #mayHaveTickets(): boolean {
    return this.#source.geometry.codec === DEFAULT_CODEC;
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
