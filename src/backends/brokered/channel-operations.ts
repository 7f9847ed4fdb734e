/** The operations of queues. A *status* is an i32: 0 or more, or one of the negative results of `contract/channel.ts`. */

import type { ChannelGeometry } from '../../contract/channel.js';
import { CHANNEL_OPERATIONS } from './operations.js';

/** bool carries, bool puts fast, rest message -> status, 0, FULL or ENDED; u32 room that is promised. */
export const PUT = CHANNEL_OPERATIONS + 1;
/** u32 length of a message that is not sent along -> status. 0: there is room, kept for the PUT_KEPT that comes next. */
export const KEEP_ROOM = CHANNEL_OPERATIONS + 2;
/** A word. bool carries, rest message, for which room was kept. */
export const PUT_KEPT = CHANNEL_OPERATIONS + 3;
/** bool puts fast, a batch: u32 count, u32 length of each, their bytes -> status, how many went in, or ENDED; u32 room that is promised. */
export const PUT_MANY = CHANNEL_OPERATIONS + 4;
/** A word. bool carries, rest message: within what was promised. */
export const PUT_PROMISED = CHANNEL_OPERATIONS + 5;
/** A word. A batch, as in PUT_MANY, within what was promised. */
export const PUT_MANY_PROMISED = CHANNEL_OPERATIONS + 6;
/** A word. u32 bytes that were promised and will not be used. */
export const GIVE_BACK_ROOM = CHANNEL_OPERATIONS + 7;
/** From the hub, unasked: the queue has ended, and waits for what was promised room to come or to be given back. */
export const ROOM_IS_WANTED = CHANNEL_OPERATIONS + 8;
/** Unasked, to who puts fast: u32 bytes that are promised besides. */
export const MORE_ROOM = CHANNEL_OPERATIONS + 38;

/**
 * u32 bytes that the next message may have, u32 messages wanted -> status; TOO_LARGE: u32 its length; if positive, how many: u32
 * deliveries of the first, u32 length of each, their bytes. A single one is taken; of more, the first chunk is, and all are in hand.
 */
export const TAKE = CHANNEL_OPERATIONS + 10;
/** u32 as RETURN, or NO_HAND -> status; if 0: f64 receipt, u32 deliveries, rest message */
export const RECEIVE = CHANNEL_OPERATIONS + 12;

/** A word. u32 how many more of those in hand are taken. */
export const COMMIT = CHANNEL_OPERATIONS + 13;
/** A word. u32 how many of those in hand were handed out: the others go back, taken or not. */
export const RETURN = CHANNEL_OPERATIONS + 14;
/** In place of how many of those in hand were handed out: there is no hand. */
export const NO_HAND = 2 ** 32 - 1;

// An ARM for room adds u32 the length of the message; its READY u32 more room that is promised. An ARM for messages adds u32 how many may
// come with its READY, which adds u32 how many do, bool whether there are no others, u32 length of each, their bytes: in hand, and none of them taken.

// Words about a message that was received: f64 receipt.
export const ACK = CHANNEL_OPERATIONS + 20;
export const NACK = CHANNEL_OPERATIONS + 21;
export const UNDELIVER = CHANNEL_OPERATIONS + 22;
export const ACK_AS_TAKEN = CHANNEL_OPERATIONS + 23;
/** A word: something taken is finished. */
export const TASK_DONE = CHANNEL_OPERATIONS + 24;

/** -> bool */
export const IS_FINISHED = CHANNEL_OPERATIONS + 30;
/** -> bool */
export const IS_FULL = CHANNEL_OPERATIONS + 31;
/** -> bool */
export const IS_READABLE = CHANNEL_OPERATIONS + 32;
/** -> bool */
export const HAS_ENDED = CHANNEL_OPERATIONS + 33;
/** -> u32 */
export const SIZE = CHANNEL_OPERATIONS + 34;
/** -> json ChannelStats */
export const STATS = CHANNEL_OPERATIONS + 35;
/** A word. */
export const END = CHANNEL_OPERATIONS + 36;
/** json Ticket[], which a message of another object carries -> json Ticket[], the same for this one */
export const COPY_TICKETS = CHANNEL_OPERATIONS + 37;

/** The status of a TAKE whose message is longer than it may be. */
export const TOO_LARGE = -100;

/** A message above this size is sent when there is room for it, and not before. */
export const SENT_ALONG_BYTES = 2 ** 14;
/** Of one batch, either way. */
export const BATCH = 256;
/** Of messages in hand, so many are taken at once: who is killed has lost no more. */
const CHUNK = 16;

/** One by one where items are counted, for what is taken leaves its place to another. */
export function chunkOf({ maxItems }: ChannelGeometry): number {
  return maxItems > 0 ? 1 : CHUNK;
}

export const LARGEST_HAND = 1024;
/** Of all messages in hand together. */
export const LARGEST_HAND_BYTES = 2 ** 16;
/** Messages that one handle may have received and neither acknowledged nor given back. */
export const MAX_UNACKNOWLEDGED = 1024;
