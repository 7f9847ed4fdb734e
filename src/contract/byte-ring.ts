/** What a backend promises to `interproc/ring`: the part of a channel that moves bytes and blocks, and the ends of a byte ring. */

import type { Channel, OpenMode } from './channel.js';

export type ByteRing = Pick<
  Channel,
  | 'name'
  | 'inbox'
  | 'tryPut'
  | 'tryTake'
  | 'tryTakeInto'
  | 'takeLarge'
  | 'waitSync'
  | 'end'
  | 'ended'
  | 'size'
  | 'close'
  | 'unlink'
> & {
  readonly geometry: { readonly capacityBytes: number; readonly maxMessageBytes: number };
};

export type RingRole = 'producer' | 'consumer';

export interface SpscByteRing extends ByteRing {
  readonly role: RingRole;
  /** Whether a living process holds the other end at this moment. */
  peerAlive(): boolean;
}

export interface SpscOptions {
  readonly role: RingRole;
  readonly capacityBytes?: number | undefined;
  readonly persist?: boolean | undefined;
}

/** A backend that has rings, the capability `rings`: an object of a name has one producer and one consumer at a time (ERR_NO_SLOT). */
export interface RingOpener {
  openSpsc(name: string, mode: OpenMode, options: SpscOptions): SpscByteRing;
}
