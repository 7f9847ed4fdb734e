import { InterprocError } from '../errors.js';
import { CARRYING, ENDED } from '../contract/pipe.js';
import type { PipeEnd } from '../contract/pipe.js';
import { depart, disembark } from './passengers.js';
import type { Passengers } from './passengers.js';
import { NOT_YET } from './pending-waits.js';
import type { NotYet, Operation } from './pending-waits.js';

/** Why nothing more can be sent. */
export function peerDeadError(): InterprocError {
  return new InterprocError(
    'ERR_PEER_DEAD',
    'The other end of this connection is gone: it was closed, or its process has died; what it has not received is lost',
  );
}

/** The marks of a message with these handles in it. */
export function marksOf(passengers: Passengers | undefined): number {
  return passengers === undefined ? 0 : CARRYING;
}

/** One message on its way into a connection: whole or, if it is larger than the ring, in parts. */
export class OutgoingMessage implements Operation<void> {
  readonly #end: PipeEnd;
  readonly #marks: number;
  #bytes: Uint8Array;
  #isBorrowed: boolean;
  #passengers: Passengers | undefined;
  /** Of the parts. */
  #gone = 0;
  #isSent = false;

  /** `isBorrowed`: the array is the caller's, or stands for a short while only. */
  constructor(
    end: PipeEnd,
    bytes: Uint8Array,
    isBorrowed: boolean,
    marks: number,
    passengers: Passengers | undefined,
  ) {
    this.#end = end;
    this.#bytes = bytes;
    this.#isBorrowed = isBorrowed;
    this.#marks = marks;
    this.#passengers = passengers;
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Whether all of it has gone. */
  get isSent(): boolean {
    return this.#isSent;
  }

  attempt(): void | NotYet {
    try {
      if (!this.#send()) return NOT_YET;
    } catch (error) {
      throw this.failed(error);
    }
    this.#isSent = true;
    depart(this.#passengers);
    this.#passengers = undefined;
    return undefined;
  }

  /** What is to wait becomes a copy: the caller may change its array as soon as the call has returned. */
  detach(): this {
    if (this.#isBorrowed) this.#bytes = new Uint8Array(this.#bytes);
    this.#isBorrowed = false;
    return this;
  }

  /** Of one that has gone in part, the other end forgets that when the next message comes. */
  failed<E>(error: E): E {
    const passengers = this.#passengers;
    this.#passengers = undefined;
    disembark(this.#end, passengers);
    return error;
  }

  #send(): boolean {
    const end = this.#end;
    const bytes = this.#bytes;
    if (bytes.length <= end.wholeBytes) {
      const status = end.trySend(bytes, this.#marks);
      if (status === ENDED) throw peerDeadError();
      return status === 0;
    }
    const count = end.trySendParts(bytes, this.#gone, this.#marks);
    if (count === ENDED) throw peerDeadError();
    this.#gone += count;
    return this.#gone === bytes.length;
  }
}
