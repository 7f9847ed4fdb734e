/** What can be asked of a state: of values, arrays, memory, lists and locks. Statuses are i32, as contract/locks.ts names them. */

import type { CellOperation } from '../../contract/state.js';
import { STATE_OPERATIONS } from './operations.js';

// OPEN_STATE: text mode, text name ('' if anonymous), json StateOptions, rest initial bytes
// OPEN_STATE_TICKET: text ticket, text kind
// Both -> u32 handle, u64 identity, text name, json StateGeometry

// Locks and semaphores.
/** -> i32 status */
export const TRY_ACQUIRE = STATE_OPERATIONS;
/** Of a lock: a word. Of a semaphore: -> bool whether it may have one more; a word by who holds a permit of an unbounded one. */
export const RELEASE = STATE_OPERATIONS + 1;
/** -> bool */
export const IS_LOCKED = STATE_OPERATIONS + 2;
/** -> u32 */
export const PERMITS = STATE_OPERATIONS + 3;
/** u8 side. A word: nobody waits there any more, and what was waited for was not had. */
export const LEAVE = STATE_OPERATIONS + 4;

// Conditions. ARM adds: u32 notifications taken so far. READY adds: u32 notifications given to this handle so far.
/** A word of who holds the lock. */
export const BEGIN_WAIT = STATE_OPERATIONS + 10;
/** u32 notifications taken so far -> bool, u32 notifications given to this handle so far */
export const END_WAIT = STATE_OPERATIONS + 11;
/** A word. */
export const FINISH_WAIT = STATE_OPERATIONS + 12;
/** f64 at most -> i32 how many; -1: not the owner. u32 notifications given to this handle so far */
export const NOTIFY_WAITING = STATE_OPERATIONS + 13;

// Events. ARM adds: f64 mark. READY adds: f64 sets so far.
/** -> bool set, f64 sets so far */
export const EVENT_STATE = STATE_OPERATIONS + 20;
/** A word. */
export const SET_EVENT = STATE_OPERATIONS + 21;
/** A word. */
export const CLEAR_EVENT = STATE_OPERATIONS + 22;

// Barriers. ARM adds: f64 phase. READY adds: f64 phase that it is in now.
/** -> i32 index, BUSY or BROKEN; f64 phase, bool last */
export const COME = STATE_OPERATIONS + 30;
/** f64 phase -> bool passed */
export const PASS = STATE_OPERATIONS + 31;
/** f64 phase -> bool it had ended before; PHASE_ENDED has said how */
export const GIVE_UP = STATE_OPERATIONS + 32;
/** -> u32 waiting, bool broken */
export const BARRIER_STATE = STATE_OPERATIONS + 33;
/** bool stays -> nothing */
export const BREAK = STATE_OPERATIONS + 34;
/** From the hub, to each handle that had a place in it: f64 phase, bool broken. */
export const PHASE_ENDED = STATE_OPERATIONS + 35;

// Locks of readers and writers.
/** -> i32 status */
export const TRY_READ = STATE_OPERATIONS + 40;
/** A word. */
export const RELEASE_READ = STATE_OPERATIONS + 41;
/** -> i32 status */
export const TRY_WRITE = STATE_OPERATIONS + 42;
/** A word. */
export const RELEASE_WRITE = STATE_OPERATIONS + 43;

// Bytes. What changes some is never a word: its reply says that the file has them, so that whoever is told of it by another way finds them.
// `changes`: how often they have been changed, modulo 2^32.
// ARM of values and arrays adds: bool whether a look preceded, u32 changes that it saw.
/** u8 operation, u8 type, u32 offset, 8 bytes value, 8 bytes expected -> u32 changes, 8 bytes previous */
export const OPERATE = STATE_OPERATIONS + 50;
/** u32 offset, u32 length -> u32 changes, rest bytes */
export const READ_BYTES = STATE_OPERATIONS + 51;
/** u32 offset, rest bytes -> nothing */
export const WRITE_BYTES = STATE_OPERATIONS + 52;
/** u32 length -> u32 changes, u64 version, rest bytes */
export const READ_WHOLE = STATE_OPERATIONS + 53;
/** bool is expected, u64 expected version, rest bytes -> bool written */
export const WRITE_WHOLE = STATE_OPERATIONS + 54;
/** A word: whoever waits looks again. */
export const NOTIFY_CHANGE = STATE_OPERATIONS + 55;
/** -> text path of a file with the same bytes, as state-layout.ts has them; '' if there is none */
export const STATE_FILE = STATE_OPERATIONS + 56;

/** In the order of their numbers. */
export const CELL_OPERATIONS: readonly CellOperation[] = [
  'load',
  'store',
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'exchange',
  'compareExchange',
];

/** Most bytes that a state can have: what goes over a line at once. */
export const MAX_STATE_BYTES = 2 ** 30;
/** Longer reads and writes go in pieces. */
export const PIECE_BYTES = 2 ** 20;
