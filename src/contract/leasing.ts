/**
 * What a backend with the capability `leases` promises besides: records that are filled and read where they are.
 *
 * A reserved slot hides the messages put after it, and a slot or a message pins its room, until the lease ends: by the call
 * for it, by the end of the process, by the closing of the channel, or when nobody can reach the lease and its bytes any more.
 * At its end every array over its memory has become empty.
 */

/** A record of the queue's memory in this handle's hands. */
export interface Lease {
  /** Exactly the record: a plain Uint8Array over an ArrayBuffer of its own, which nobody else writes. */
  readonly bytes: Uint8Array;
}

/** What is known of a lease, anybody's. */
export interface LeaseInfo {
  /** The process that holds it. */
  readonly pid: number;
  /** A slot that is being filled, or a message that is being read. */
  readonly kind: 'slot' | 'message';
  /** Its size. */
  readonly bytes: number;
  /** How long it has been held, to about 20 ms. */
  readonly ageMs: number;
  /** Whether this very handle holds it. */
  readonly isOwn: boolean;
}

export interface Leasing {
  /** Room for `length` bytes, or FULL or ENDED. Throws ERR_TOO_LARGE, ERR_NO_LEASE. */
  tryReserve(length: number): Lease | number;
  /** Puts the first `length` bytes of a slot. Throws ERR_NOT_OWNER, and the slot is lost, if its ArrayBuffer cannot be detached. */
  commit(lease: Lease, length: number): void;
  /** The next message, or EMPTY or ENDED; the channel's `deliveries` is about it. Throws ERR_NO_LEASE. */
  tryPeek(): Lease | number;
  /** The message is consumed. Throws ERR_NOT_OWNER, and gives it back, if its ArrayBuffer cannot be detached. */
  release(lease: Lease): void;
  /** The slot becomes free room; the message goes to another, as one that was delivered before. */
  abandon(lease: Lease): void;
  /** The leases of all living participants. */
  list(): LeaseInfo[];
}
