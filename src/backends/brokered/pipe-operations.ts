/** What the ends of a pipe and their hub say to each other. How messages stand behind each other, packed-messages.ts says. */

import { PIPE_OPERATIONS } from './operations.js';

// OPEN_PIPE: what `writePipeOptions` writes -> two ends, as `writeEnd` does. OPEN_PIPE_TICKET: text ticket -> an end.

// To an end.
/** Messages packed: they are in the hub as soon as this is written. Never more of them than there is room for, as the end was told. */
export const SEND = PIPE_OPERATIONS;
/** -> as of ROOM_FREED */
export const ROOM = PIPE_OPERATIONS + 1;
/**
 * u32 bytes, u32 messages, that are wanted at most; one, if any, however long it is -> as of READY, and what a subscription has
 * taken before them. Ends the subscription.
 */
export const RECEIVE = PIPE_OPERATIONS + 2;
/** u32 bytes that may be on their way: messages come by READY of epoch UNASKED from now on, as soon as they are there. */
export const SUBSCRIBE = PIPE_OPERATIONS + 3;
/** u32 bytes of those have been consumed. */
export const CONSUMED = PIPE_OPERATIONS + 4;
/** -> bool whether nobody has the other end, nor will. */
export const PEER_GONE = PIPE_OPERATIONS + 5;
/** A ticket was issued for the end, which is offered from now on; messages packed that it had received, and nobody has consumed. */
export const OFFERED = PIPE_OPERATIONS + 6;
/** The message with the ticket will not be sent. */
export const STAY = PIPE_OPERATIONS + 7;
/** It was, and the handle is closed. */
export const DEPART = PIPE_OPERATIONS + 8;

// From the hub.
/** f64 bytes of room that have come free since the last such, bool whether the other end is gone. */
export const ROOM_FREED = PIPE_OPERATIONS + 50;

// READY of the side RECEIVE: bool whether nothing can come any more, then messages packed.
// ARM of the side SEND: f64 bytes of room that are wanted. Its READY: as ROOM_FREED.
