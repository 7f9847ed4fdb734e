import { AbortError, InterprocError } from '../errors.js';
import { ENDED } from '../contract/pipe.js';
import type { PipeEnd } from '../contract/pipe.js';
import { peerDeadError } from './outgoing-message.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';

/** The messages of a `sendMany`, and how far it has got. */
export class BatchSend implements Operation<void> {
  readonly #end: PipeEnd;
  readonly #messages: Uint8Array[];
  /** Those that do not go together with others, by their index: with handles in them, or larger than the ring. */
  readonly #alone: ReadonlyMap<number, OutgoingMessage>;
  #areBorrowed: boolean;
  #accepted = 0;

  /** `areBorrowed`: the arrays are the caller's. */
  constructor(
    end: PipeEnd,
    messages: Uint8Array[],
    alone: ReadonlyMap<number, OutgoingMessage>,
    areBorrowed: boolean,
  ) {
    this.#end = end;
    this.#messages = messages;
    this.#alone = alone;
    this.#areBorrowed = areBorrowed;
  }

  /** How many have been sent, from the first. */
  get accepted(): number {
    return this.#accepted;
  }

  attempt(): void | NotYet {
    try {
      while (this.#accepted < this.#messages.length) {
        const count = this.#sendSome();
        if (count === 0) return NOT_YET;
        this.#accepted += count;
      }
      return undefined;
    } catch (error) {
      throw this.failed(error);
    }
  }

  #sendSome(): number {
    const alone = this.#alone.get(this.#accepted);
    if (alone !== undefined) return alone.attempt() === NOT_YET ? 0 : 1;
    // One that goes alone must not go with the others before it.
    const count =
      this.#alone.size === 0
        ? this.#end.trySendMany(this.#messages, this.#accepted)
        : this.#sendOne(this.#messages[this.#accepted] as Uint8Array);
    if (count === ENDED) throw peerDeadError();
    return count;
  }

  #sendOne(message: Uint8Array): number {
    const status = this.#end.trySend(message, 0);
    if (status === ENDED) return ENDED;
    return status === 0 ? 1 : 0;
  }

  /** What has not been sent becomes a copy: the caller may change its arrays as soon as the call has returned. */
  detach(): this {
    if (!this.#areBorrowed) return this;
    this.#areBorrowed = false;
    const messages = this.#messages;
    for (let i = this.#accepted; i < messages.length; i++) {
      const alone = this.#alone.get(i);
      if (alone === undefined) messages[i] = new Uint8Array(messages[i] as Uint8Array);
      else alone.detach();
    }
    return this;
  }

  failed<E>(error: E): E {
    for (const [index, message] of this.#alone) {
      if (index >= this.#accepted) message.failed(undefined);
    }
    if (error instanceof InterprocError || error instanceof AbortError) {
      error.accepted = this.#accepted;
    }
    return error;
  }
}
