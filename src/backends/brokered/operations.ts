/** The numbers of the operations. Each kind of object has a hundred of its own, and says what the bodies hold. */

import type { SegmentInfo } from '../../contract/channel.js';

/** Changes with every change of what goes over a line: who speaks another version is refused by name. */
export const PROTOCOL_VERSION = 3;

// From the hub.
/** Of the request with the same sequence: as that says. */
export const REPLY = 1;
/** Instead of a reply: text code, text message. */
export const FAILURE = 2;
/** u8 side, u32 epoch of the wait, or UNASKED; what the kind of object adds. */
export const READY = 3;
/** The epoch of a wait that the hub was not told of: it tells everybody who may wait for that. */
export const UNASKED = 0;

// To the hub itself, by handle 0.
/** u32 PROTOCOL_VERSION, u32 process -> u32 PROTOCOL_VERSION. The first frame of a session. */
export const HELLO = 10;
/** -> json Listed[] */
export const LIST = 11;
/** A hub has no objects that it could not read. */
export type Listed = Omit<SegmentInfo, 'problem'>;
/** bool dryRun -> json string[] */
export const PRUNE = 12;
// Of a journal; what follows from each, journal.ts says. Words.
export const WANT_JOURNAL = 13;
/** From the hub. text path; empty: none could be made. */
export const JOURNAL = 14;
export const JOURNAL_GO = 15;
/** u32 bytes that were appended since it was empty. */
export const JOURNAL_UP_TO = 16;
/** From the hub. */
export const JOURNAL_EMPTY = 17;
export const OPEN_CHANNEL = 20;
export const OPEN_CHANNEL_TICKET = 21;
export const OPEN_STATE = 22;
export const OPEN_STATE_TICKET = 23;
export const OPEN_PIPE = 24;
export const OPEN_PIPE_TICKET = 25;
export const OPEN_LISTENER = 26;
export const OPEN_BACKLOG = 27;

// To any object.
/** The handle is good no more. */
export const CLOSE = 40;
export const UNLINK = 41;
/** u8 side, u32 epoch; what the kind of object adds. One READY comes, at once if it is worth a look already. */
export const ARM = 42;
/** u8 side, u32 epoch. If that wait has been answered, the answer is somebody else's. */
export const DISARM = 43;
/** u32 handle of the passenger -> text ticket */
export const ISSUE_TICKET = 44;
/** text ticket */
export const REDEEM_TICKET = 45;
/** json string[] that look like tickets -> json string[], those that a message of this object may carry */
export const TICKETS_HERE = 46;

export const CHANNEL_OPERATIONS = 100;
export const STATE_OPERATIONS = 200;
export const PIPE_OPERATIONS = 300;
export const LISTENER_OPERATIONS = 400;
