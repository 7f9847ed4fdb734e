/**
 * What a backend promises to Pipe: the two ends of a connection, each of which sends to the other and receives from it.
 *
 * An end has one owner at a time: a handle in some process, or a message that it is on its way in. When its owner is gone, closed
 * or dead or lost with its message, the other end gets what had been sent, and then ENDED.
 *
 * As with a channel nothing here waits on an event loop: sides are armed, and looked at again.
 */

import type { Capabilities } from './capabilities.js';
import type { SharedObject, Side, Ticket } from './shared-object.js';

/** Sides of an end: waits for a message, and for room. */
export const RECEIVE = 0 satisfies Side;
export const SEND = 1 satisfies Side;

/**
 * Negative results of the `try…` calls; EMPTY, FULL, ENDED and LARGE of the channel mean the same here: nothing there yet, no room
 * yet, the other end is gone (when receiving: and all that it sent was received), a message too large for the inbox.
 */
export { EMPTY, ENDED, FULL, LARGE } from './channel.js';

/** Marks of a message; their sum travels with it. */
export const CARRYING = 1;
/** Part of an exchange of requests and responses, which `recv` does not hand out. */
export const EXCHANGE = 2;

export type EndIndex = 0 | 1;

export interface PipeGeometry {
  /** Of each direction. */
  readonly capacityBytes: number;
  readonly maxMessageBytes: number;
  /** False: end 0 only receives, end 1 only sends. */
  readonly duplex: boolean;
  readonly codec: string;
}

export interface PipeOptions {
  readonly capacityBytes?: number | undefined;
  readonly maxMessageBytes?: number | undefined;
  /** Default: true. */
  readonly duplex?: boolean | undefined;
  /** Default: DEFAULT_CODEC. */
  readonly codec?: string | undefined;
}

/** What a backend fills in for members that are undefined. */
export const PIPE_DEFAULTS = Object.freeze({
  capacityBytes: 65_536,
  maxMessageBytes: 2 ** 30,
} as const);

export interface PipeStats {
  readonly sent: number;
  readonly received: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** An object whose handle a message does not copy but takes with it. */
export interface Movable {
  /** The message with the ticket issued last was put: the handle is closed here, and what it stood for is on its way. */
  depart(): void;
  /** That message will not be put: all is as it was before `issueTicket`. */
  stay(): void;
}

export interface PipeEnd extends SharedObject, Movable {
  readonly geometry: PipeGeometry;
  readonly index: EndIndex;
  readonly capabilities: Pick<Capabilities, 'blocking'>;
  readonly canSend: boolean;
  readonly canReceive: boolean;

  /** Private memory for encoders; may be replaced: read it at each use. */
  readonly outbox: Uint8Array;
  /** Where `tryReceive` and `tryReceiveMany` leave messages, valid until the next call on any object of this thread. */
  readonly inbox: Uint8Array;

  /**
   * Sends `outbox[0, length)` whole or not at all: 0, FULL or ENDED. FULL for ever if it is larger than `wholeBytes`.
   */
  trySendOutbox(length: number, marks: number): number;
  /** The same of `bytes`, copying them. */
  trySend(bytes: Uint8Array, marks: number): number;
  /** The largest message that fits into an empty ring as a whole. */
  readonly wholeBytes: number;
  /**
   * Goes on sending a message in parts, of which `bytes[0, from)` have gone, as far as there is room. Returns how many more
   * have gone, or ENDED. A message begun in parts is followed by its other parts, or given up: then the other end forgets it when
   * the next one begins.
   */
  trySendParts(bytes: Uint8Array, from: number, marks: number): number;
  /**
   * Sends `messages[from..]`, each whole, in order, until one does not fit or the batch is as long as the backend likes. Returns
   * how many went (0 when full), or ENDED if none did.
   */
  trySendMany(messages: readonly Uint8Array[], from: number): number;

  /**
   * Receives the next message into `inbox`: its length, LARGE, EMPTY or ENDED. `marks` are its marks; one that is CARRYING stays
   * where it was until `finish`, so that it can be opened before it is consumed; that is to be called before anything else is
   * received. Of a message in parts it takes what there is, and returns EMPTY until it is complete.
   */
  tryReceive(): number;
  /** After LARGE, once: the message, in an array of its own that the end forgets. */
  takeLarge(): Uint8Array;
  /** The same as an array of its own, of any length; or EMPTY or ENDED. */
  tryReceiveCopy(): Uint8Array | number;
  /**
   * The same into `buffer` from `offset` on: its length, EMPTY or ENDED; LARGE, and `takeLarge` has it, if it does not fit.
   */
  tryReceiveInto(buffer: Uint8Array, offset: number): number;
  /**
   * Receives up to `max` messages packed into `inbox`: message i is `inbox[offsets[i], offsets[i] + lengths[i])`. Returns how many,
   * LARGE (one), EMPTY or ENDED. Stops in front of a message with marks, unless it is the first, which then comes alone.
   */
  tryReceiveMany(max: number): number;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  /** Of the message received last, or of the next one if `isReadable` was asked since and said that it is there. */
  readonly marks: number;
  /** The CARRYING message received last is consumed. */
  finish(): void;
  /**
   * The length of the next message, of one in parts what all of it will have; EMPTY, or ENDED. Receives nothing.
   */
  nextLength(): number;
  /**
   * Whether nothing is here that was not received, and a wait would be rung for what comes: a call that is going to wait need not
   * look first. Where a look asks somebody else, it spares that.
   */
  readonly tellsUnasked: boolean;
  /** Whether a receive would not have to wait: there is a whole message, or there will be none; `marks` are 0 then. */
  isReadable(): boolean;

  /** Whether the other end is gone. Asks the kernel: some microseconds. */
  peerIsGone(): boolean;
  /** Whether this very thread holds the other end: blocking on it would never end. */
  readonly peerIsHere: boolean;

  /**
   * A ticket for a handle of `passenger` in a message that will be sent here. A passenger that is Movable is offered: it can be used no more until
   * `stay`, and `depart` gives it away. Throws as Channel.issueTicket; ERR_ENCODE for an end of this very connection.
   */
  issueTicket(passenger: SharedObject): Ticket;
  redeemTicket(ticket: Ticket): void;
  ticketsIn(message: Uint8Array): Ticket[];

  stats(): PipeStats;
}

/** A backend that has pipes: one with the capability `pipes`. */
export interface PipeOpener {
  /** Both ends of a new connection, without a name. Throws ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION. */
  openPipe(options: PipeOptions): [PipeEnd, PipeEnd];
  /**
   * The end that a ticket is for, which is this thread's from now on; lost if it was lost on its way, so that everything on it is ENDED.
   * Throws as `openTicket`.
   */
  openPipeTicket(ticket: Ticket): PipeEnd;
}
