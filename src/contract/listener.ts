/**
 * What a backend promises to listeners: a name where somebody accepts connections, and a backlog of clients that wait there. A client
 * makes a pipe, keeps one end, and leaves the other one in the backlog for whoever listens.
 *
 * The kernel's word counts: who listens does so from before the name is there until it has ended, closed or died. What a dead
 * listener leaves is in nobody's way, and an end that is left in a backlog without a listener is lost: the client's is ENDED.
 */

import type { PipeEnd } from './pipe.js';
import type { SharedObject, Side } from './shared-object.js';

/** Sides of a backlog: waits for a client, of who listens; and for room, of a client. */
export const ACCEPT = 0 satisfies Side;
export const OFFER = 1 satisfies Side;

/** EMPTY: no client waits. FULL: as many wait as may. ENDED: nobody listens any more. */
export { EMPTY, ENDED, FULL } from './channel.js';

/** What the listener has decided, for clients to know. */
export interface ListenerTerms {
  /** Clients that may wait at once. */
  readonly backlog: number;
  /** Whether clients must prove that they know a key. */
  readonly isKeyed: boolean;
  /** Of its connections. */
  readonly capacityBytes: number;
  readonly maxMessageBytes: number;
  readonly codec: string;
}

export interface ListenerOptions {
  readonly backlog: number;
  readonly isKeyed: boolean;
  readonly codec: string;
  /** Default: as of pipes. */
  readonly capacityBytes?: number | undefined;
  readonly maxMessageBytes?: number | undefined;
}

/** Largest backlog that every backend has. */
export const MAX_BACKLOG = 4096;

/** The backlog in the hands of who listens. Closing it, as `end`, leaves nobody listening. */
export interface ListenerEnd extends SharedObject {
  readonly terms: ListenerTerms;
  /**
   * The end that the next client left, first come first served, or EMPTY. One that nobody can have any more is passed over, and
   * one of another pipe than the terms say is closed.
   */
  tryAccept(): PipeEnd | number;
  /** The process of the client accepted last, as it says itself. */
  readonly clientPid: number;
  /** No more clients; those who wait for room find ENDED. What is in the backlog can still be accepted. */
  end(): void;
  /** Clients that wait. */
  size(): number;
}

/** The same in the hands of a client. */
export interface ClientEnd extends SharedObject {
  readonly terms: ListenerTerms;
  /**
   * Leaves an end for whoever listens: 0, and the end is closed here; or FULL or ENDED, and nothing has changed. Throws
   * ERR_NO_SPACE.
   */
  tryOffer(theirs: PipeEnd): number;
}

/** A backend that has listeners: one with the capability `listeners`. */
export interface ListenerOpener {
  /** Throws ERR_EXISTS if somebody listens there or something else has the name; ERR_INVALID_ARG, ERR_NO_SPACE, ERR_PERMISSION. */
  openListener(name: string, options: ListenerOptions): ListenerEnd;
  /** Throws ERR_NOT_FOUND if nobody listens there; ERR_KIND, ERR_NO_SLOT, ERR_VERSION, ERR_CORRUPT, ERR_PERMISSION. */
  openBacklog(name: string): ClientEnd;
}
