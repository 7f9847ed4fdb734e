/**
 * What a backend promises to the Queue: byte messages in, byte messages out, and a way to be told when it is
 * worth looking again.
 *
 * Nothing here waits on an event loop: the pending `await`s live in the primitive, which *looks* (`try…`),
 * *arms*, looks again if told to, and is called back through `onReady`. Every `try…` returns a length or one
 * of the statuses below; a call throws only `InterprocError`s.
 */

import type { Capabilities } from './capabilities.js';
import type { Leasing } from './leasing.js';
import type { OpenMode, SharedObject, Side, Ticket } from './shared-object.js';
import type { State, StateKind, StateOptions } from './state.js';

export type { OpenMode, SharedObject, Side, Ticket } from './shared-object.js';

/** Sides of a channel: waits for a message (`take`), for room (`put`), or for all messages to be finished (`join`). */
export const TAKE = 0 satisfies Side;
export const PUT = 1 satisfies Side;
export const JOIN = 2 satisfies Side;

/** Negative results of the `try…` calls. */
export const EMPTY = -1;
export const FULL = -2;
/** `end()` was called: no more puts, or (when taking) everything has been drained. */
export const ENDED = -3;
/** A message that is larger than the inbox was taken: `takeLarge()` hands it over. */
export const LARGE = -4;
/** The next message was put as one with tickets in it: it is where it was, for `tryReceive`. */
export const CARRIES = -5;

/** What its channels have of a backend's capabilities: whether `waitSync` works, and `leasing` is there. */
export type ChannelCapabilities = Pick<Capabilities, 'blocking' | 'redelivery' | 'leases'>;

export interface ChannelStats {
  readonly puts: number;
  readonly gets: number;
  readonly putBytes: number;
  readonly gotBytes: number;
  /** Times a participant went to sleep, and times it was rung. */
  readonly waits: number;
  readonly wakes: number;
  readonly redelivered: number;
  /** The largest size seen; sampled at every 64th put and at every put that had to look for room, so a lower bound. */
  readonly highWater: number;
  readonly participants: number;
  /** Messages received and neither acknowledged nor given back, by all participants. */
  readonly unacknowledged: number;
}

/** What was fixed when the object was created. */
export interface ChannelGeometry {
  readonly capacityBytes: number;
  readonly maxMessageBytes: number;
  /** Of the messages larger than `capacityBytes` that the object holds at once. */
  readonly maxSideBytes: number;
  /** 0 = as many as fit. */
  readonly maxItems: number;
  /** 0 = no limit. */
  readonly maxDeliveries: number;
  readonly deadLetter: string | undefined;
  readonly codec: string;
  readonly persist: boolean;
  readonly anonymous: boolean;
  readonly maxParticipants: number;
}

/** The codec of an object that was created without naming one. */
export const DEFAULT_CODEC = 'structured';

/**
 * How the object is found or made. `undefined` members mean the default when creating, "whatever is there"
 * when opening.
 */
export interface ChannelOptions {
  readonly capacityBytes?: number | undefined;
  readonly maxMessageBytes?: number | undefined;
  readonly maxSideBytes?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly maxDeliveries?: number | undefined;
  readonly deadLetter?: string | undefined;
  /** Default: DEFAULT_CODEC. */
  readonly codec?: string | undefined;
  readonly persist?: boolean | undefined;
  readonly maxParticipants?: number | undefined;
}

/** What a backend fills in for members that are undefined when it creates an object. */
export const CHANNEL_DEFAULTS = Object.freeze({
  capacityBytes: 65_536,
  /** Or the capacity, if that is more. */
  maxMessageBytes: 2 ** 30,
  maxParticipants: 64,
  codec: DEFAULT_CODEC,
} as const);

const SMALLEST_SIDE_BYTES = 16 * 2 ** 20;
const SIDE_CAPACITIES = 4;

/** `maxSideBytes` of an object of that capacity that was created without it. */
export function defaultSideBytes(capacityBytes: number): number {
  return Math.max(SMALLEST_SIDE_BYTES, SIDE_CAPACITIES * capacityBytes);
}

export interface Channel extends SharedObject {
  readonly geometry: ChannelGeometry;
  readonly capabilities: ChannelCapabilities;
  /** Undefined without the capability `leases`. */
  readonly leasing: Leasing | undefined;

  /**
   * Private memory where encoders may write an outgoing message before `tryPutOutbox`. May be replaced: read
   * it at each use.
   */
  readonly outbox: Uint8Array;
  /**
   * Where `tryTake` and `tryReceive` leave the message: private memory, valid until the next call on any
   * channel of this thread.
   */
  readonly inbox: Uint8Array;

  /**
   * Puts `outbox[0, length)`. Returns 0, FULL or ENDED; after FULL the message still stands in the outbox.
   * Throws ERR_TOO_LARGE, ERR_NO_SPACE.
   */
  tryPutOutbox(length: number): number;
  /** Puts `bytes`, copying them. Returns 0, FULL or ENDED. Throws ERR_TOO_LARGE, ERR_NO_SPACE. */
  tryPut(bytes: Uint8Array): number;
  /**
   * As `tryPut`, of a message with tickets in it. Only `tryReceive` takes it, so that they last until it is
   * acknowledged.
   */
  tryPutCarrying(bytes: Uint8Array): number;
  /**
   * Puts `messages[from..]` in order, copying them, until one does not fit or the batch is as long as the
   * backend likes. Returns how many went in (0 when full), or ENDED if none did because the queue has ended.
   * The caller has seen to it that none is too large.
   */
  tryPutMany(messages: readonly Uint8Array[], from: number): number;

  /**
   * Whether who is going to wait for a message if there is none should do so without looking: the last look found none, or the last
   * answer to a wait has brought all there was, and a look costs more than a wait. False where looks are cheap.
   */
  readonly isQuiet: boolean;
  /**
   * Takes the next message into `inbox` at most once. Returns its length, LARGE, CARRIES, EMPTY or ENDED;
   * `deliveries` tells whether it came before.
   */
  tryTake(): number;
  /** The same into the caller's buffer. Throws ERR_TOO_LARGE, and leaves the message in place, if it does not fit. */
  tryTakeInto(buffer: Uint8Array): number;
  /**
   * Takes up to `max` messages packed into `inbox`: message i is `inbox[offsets[i], offsets[i] + lengths[i])`.
   * Returns how many (at least 1), LARGE (one), CARRIES, EMPTY or ENDED. Stops in front of a message that was delivered
   * before (take it by `tryTake`), unless it is the first, which then comes alone, and in front of one with tickets in it.
   */
  tryTakeMany(max: number): number;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  /**
   * Takes the next message into `inbox` and keeps it in the ledger until `ack` or `nack`. Returns its length,
   * LARGE, EMPTY or ENDED; `receipt` names it.
   */
  tryReceive(): number;
  /** After LARGE, once: the message, in an array of its own that the channel forgets. */
  takeLarge(): Uint8Array;
  /** Of the last message taken: 1 for the first delivery. */
  readonly deliveries: number;
  /** Of the last message received. */
  readonly receipt: number;
  ack(receipt: number): void;
  nack(receipt: number): void;
  /** As `nack`, but that delivery does not count. */
  undeliver(receipt: number): void;
  /** As `ack`, but the message counts as one that `tryTake` took: it wants a `taskDone`. */
  ackAsTaken(receipt: number): void;

  /**
   * One message that a `tryTake…` of this channel took is finished. False if none is left that is not. What a
   * channel has not finished when it closes or its process dies, counts as finished.
   */
  taskDone(): boolean;
  /** Whether this channel itself took something without a `taskDone`, or holds something unacknowledged or leased. */
  hasUnfinished(): boolean;
  /**
   * Whether there was a moment during the call at which no message that had been put was unfinished: none to
   * be had, none received and unacknowledged, none taken without a `taskDone`.
   */
  isFinished(): boolean;

  /**
   * A ticket for a handle of `passenger`, another object of this backend, in a message that will be put here.
   * Throws ERR_NOT_FOUND if its name was removed, ERR_ENCODE if it lives elsewhere, ERR_NO_SPACE.
   */
  issueTicket(passenger: SharedObject): Ticket;
  /** The message with this ticket is consumed, or never was put. Again, or for what is no ticket, is nothing. */
  redeemTicket(ticket: Ticket): void;
  /** The tickets in a message of this channel; none once it is closed. O(bytes) */
  ticketsIn(message: Uint8Array): Ticket[];
  /**
   * Rewrites the tickets in a message of `source`, which is about to be put here as well, as tickets of this
   * channel's, and returns them. Those of the source last until they are redeemed there, once it has the message
   * no more. If it throws, no ticket stays behind. O(bytes)
   */
  copyTickets(message: Uint8Array, source: Channel): Ticket[];

  end(): void;
  readonly ended: boolean;
  size(): number;
  isFull(): boolean;
  /** Whether a take would not have to wait: there is a message, or there will be none. Takes no wake from who would take it. */
  isReadable(): boolean;
  stats(): ChannelStats;
}

export interface SegmentInfo {
  readonly name: string;
  readonly kind: string;
  /** What it takes of the file system: with what stands beside the ring, and what is unacknowledged. */
  readonly totalBytes: number;
  readonly participants: number;
  /** Messages, for queues, without those that were given back and wait to be delivered again; bytes, for all others. */
  readonly size: number;
  readonly persist: boolean;
  readonly anonymous: boolean;
  /** Why it cannot be read, when it cannot. */
  readonly problem: string | undefined;
}

export interface Registry {
  /** Where the objects live; undefined: inside this process. */
  readonly directory: string | undefined;
  /** Whether a broker that keeps them is there by now; undefined: they need none. Starts none. Throws ERR_PERMISSION. */
  readonly hasBroker: boolean | undefined;
  /** Starts no broker: where there is none, there is nothing. */
  list(): SegmentInfo[];
  /** Removes what nobody is attached to and nothing keeps; returns the names removed. */
  prune(options: { readonly dryRun: boolean }): string[];
}

export const BACKEND_KINDS = Object.freeze(['native', 'socket', 'memory'] as const);

export type BackendKind = (typeof BACKEND_KINDS)[number];

export interface Backend {
  readonly kind: BackendKind;
  readonly capabilities: Capabilities;
  readonly registry: Registry;
  /**
   * `name` undefined: anonymous. Throws ERR_EXISTS, ERR_NOT_FOUND, ERR_KIND, ERR_MISMATCH, ERR_VERSION,
   * ERR_CORRUPT, ERR_PERMISSION, ERR_NO_SPACE.
   */
  openChannel(name: string | undefined, mode: OpenMode, options: ChannelOptions): Channel;
  /** This backend, for what lives where that channel or end of a pipe does: its dead letters, the handles in its messages. */
  beside(object: SharedObject): Backend;
  /**
   * The object that a ticket is for, joined like any other; its codec must be that one, if it is given. Throws ERR_DECODE
   * if it is no ticket, ERR_NOT_FOUND if the object is gone, and as `openChannel`; the inbox is as it was.
   */
  openTicket(ticket: Ticket, codec?: string): Channel;

  /**
   * `name` undefined: anonymous. For `open` only the kind counts. A new object begins with `initial`, and zeros
   * behind it. Throws as `openChannel`, but for ERR_MISMATCH: what agrees, the kind decides.
   */
  openState(
    name: string | undefined,
    mode: OpenMode,
    options: StateOptions,
    initial?: Uint8Array,
  ): State;
  /** The state that a ticket is for. Throws as `openTicket`; ERR_KIND. */
  openStateTicket(ticket: Ticket, kind: StateKind): State;
}
