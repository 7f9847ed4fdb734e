import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import { AuthenticationError, EOFError, InterprocError, TimeoutError } from '../errors.js';
import { EMPTY, ENDED, RECEIVE } from '../contract/pipe.js';
import type { PipeEnd } from '../contract/pipe.js';
import { NOT_YET, PendingWaits } from './pending-waits.js';
import type { Operation } from './pending-waits.js';

/**
 * How the two ends of a new pipe prove to each other that they know the same key, which never crosses. Three messages, as in SKID3
 * (Menezes, van Oorschot, Vanstone: Handbook of Applied Cryptography, 10.17; after ISO/IEC 9798-4):
 *
 *   listener -> client   CHALLENGE, a
 *   client -> listener   RESPONSE, b, proof('client', a, b)
 *   listener -> client   WELCOME, proof('listener', a, b)      or REFUSED
 *
 * a and b are fresh random numbers; a proof is an HMAC-SHA-256 under the key over who gives it, the listener's name, the
 * pipe, a and b. So a proof is good for one side of one handshake on one pipe: it cannot be replayed or reflected, nor passed on
 * by somebody in the middle, who has a pipe to each of the two. (Python's multiprocessing.connection proves each direction by itself, over
 * one number.) Whoever is given a proof can try out keys on it: a key should be random, not a word.
 */

const CHALLENGE = 1;
const RESPONSE = 2;
const WELCOME = 3;
const REFUSED = 4;

const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
/** The largest message. */
export const LARGEST_OF_HANDSHAKE = 1 + NONCE_BYTES + PROOF_BYTES;

/** Says what is proved, and in which version: no proof of another program, or a later version, is one here. */
const PURPOSE = 'interproc connection 1';

type Role = 'client' | 'listener';

/** What both sides of one handshake have in common. */
export interface Meeting {
  readonly end: PipeEnd;
  /** The listener's. */
  readonly name: string;
  readonly key: Uint8Array;
}

function proofOf({ end, name, key }: Meeting, role: Role, a: Uint8Array, b: Uint8Array): Buffer {
  // Parts of unknown length end with a zero, which is in none of them.
  return createHmac('sha256', key)
    .update(`${PURPOSE}\0${role}\0${name}\0${end.identity()}\0`)
    .update(a)
    .update(b)
    .digest();
}

/** What a handshake says over a pipe before it is a connection. */
class Talk {
  readonly #end: PipeEnd;
  readonly #waits: PendingWaits;
  readonly #hear: Operation<Uint8Array>;

  constructor({ end, name }: Meeting) {
    const waits = new PendingWaits(end, RECEIVE, `The handshake with '${name}' did not go on`);
    this.#end = end;
    this.#waits = waits;
    this.#hear = { attempt: () => this.#receive() };
    end.onReady = () => waits.rung();
  }

  /** @throws EOFError */
  say(type: number, ...parts: Uint8Array[]): void {
    const status = this.#end.trySend(Buffer.concat([Uint8Array.of(type), ...parts]), 0);
    // Nothing else is ever in that ring: there is room.
    if (status !== 0) throw goneError();
  }

  /** @throws (rejects) AuthenticationError, EOFError, TimeoutError, the signal's reason */
  hear(timeoutMs: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    try {
      const message = this.#receive();
      if (message !== NOT_YET) return Promise.resolve(message);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#waits.add(this.#hear, timeoutMs, signal);
  }

  #receive(): Uint8Array | typeof NOT_YET {
    const end = this.#end;
    const length = end.nextLength();
    if (length === EMPTY) return NOT_YET;
    if (length === ENDED) throw goneError();
    if (length > LARGEST_OF_HANDSHAKE) throw malformedError(`${length} bytes`);
    const message = end.tryReceiveCopy();
    if (message === EMPTY) return NOT_YET;
    if (typeof message === 'number') throw goneError();
    if (end.marks !== 0) throw malformedError('a message that carries something');
    return message;
  }
}

function goneError(): EOFError {
  return new EOFError('The other end of this connection went away during the handshake');
}

function malformedError(what: string): AuthenticationError {
  return new AuthenticationError(
    `The other end sent ${what} where a handshake was due; it does not authenticate itself as this version of interproc does`,
  );
}

/** The parts of a message of that type, each of 32 bytes. @throws AuthenticationError */
function partsOf(message: Uint8Array, type: number, count: number): Uint8Array[] {
  if (message[0] !== type || message.length !== 1 + count * NONCE_BYTES) {
    throw malformedError(`a message of type ${message[0] ?? 'none'} and ${message.length} bytes`);
  }
  return Array.from({ length: count }, (_, part) =>
    message.subarray(1 + part * NONCE_BYTES, 1 + (part + 1) * NONCE_BYTES),
  );
}

/**
 * The listener's side: resolves once the client at the other end has proved that it knows the key.
 * @throws (rejects) AuthenticationError whatever the client does instead, nothing within `timeoutMs` included; the signal's reason
 */
export async function admit(
  meeting: Meeting,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const talk = new Talk(meeting);
  try {
    const a = randomBytes(NONCE_BYTES);
    talk.say(CHALLENGE, a);
    const response = await talk.hear(timeoutMs, signal);
    const [b, proof] = partsOf(response, RESPONSE, 2) as [Uint8Array, Uint8Array];
    if (!timingSafeEqual(proof, proofOf(meeting, 'client', a, b))) {
      throw new AuthenticationError(
        `A client of '${meeting.name}' has another authkey than its listener`,
      );
    }
    talk.say(WELCOME, proofOf(meeting, 'listener', a, b));
  } catch (error) {
    if (signal.aborted) throw error;
    refuse(talk);
    if (error instanceof AuthenticationError) throw error;
    throw new AuthenticationError(
      error instanceof TimeoutError
        ? `A client of '${meeting.name}' did not authenticate itself within ${timeoutMs} ms`
        : `The handshake with a client of '${meeting.name}' failed`,
      { cause: error },
    );
  }
}

/** So that the client need not guess why its connection ends. */
function refuse(talk: Talk): void {
  try {
    talk.say(REFUSED);
  } catch (error) {
    // It has gone, or something has written to the pipe: the refusal is on record, and the end is closed.
    if (!(error instanceof InterprocError)) throw error;
  }
}

/** How long a client waits for the listener's two messages. */
export interface Patience {
  /** For the first, which comes when the client is accepted. Infinity: for ever */
  readonly acceptMs: number;
  /** For the other one, of a listener that has begun. */
  readonly handshakeMs: number;
}

/**
 * The client's side: resolves once each has proved to the other that it knows the key.
 * @throws (rejects) AuthenticationError; TimeoutError before it was accepted; EOFError if whoever listened is gone; the signal's reason
 */
export async function seekAdmission(
  meeting: Meeting,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<void> {
  const talk = new Talk(meeting);
  const [a] = partsOf(await talk.hear(patience.acceptMs, signal), CHALLENGE, 1) as [Uint8Array];
  const b = randomBytes(NONCE_BYTES);
  talk.say(RESPONSE, b, proofOf(meeting, 'client', a, b));
  const answer = await hearInTime(talk, meeting.name, patience.handshakeMs, signal);
  if (answer[0] === REFUSED && answer.length === 1) {
    throw new AuthenticationError(
      `The listener '${meeting.name}' refused this client: it has another authkey, or the handshake took too long`,
    );
  }
  const [proof] = partsOf(answer, WELCOME, 1) as [Uint8Array];
  if (!timingSafeEqual(proof, proofOf(meeting, 'listener', a, b))) {
    throw new AuthenticationError(
      `Whoever listens on '${meeting.name}' does not know the authkey of this client`,
    );
  }
}

async function hearInTime(
  talk: Talk,
  name: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  try {
    return await talk.hear(timeoutMs, signal);
  } catch (cause) {
    if (!(cause instanceof TimeoutError)) throw cause;
    throw new AuthenticationError(
      `The listener '${name}' began a handshake and did not finish it within ${timeoutMs} ms`,
      { cause },
    );
  }
}
