/**
 * What handles of this thread have from their hubs so that not every call is a request: promises of room, and messages in hand.
 * Messages go back when they were not used for a turn of the event loop, and before this thread blocks in a wait, as whoever is waited
 * for may need them. Room, which is in nobody's way, goes back when it was not used for `KEPT_MS`, in a wait too: so one who puts after
 * each message that he waits for keeps his. Both go back when the process exits; by the hub, when the process is killed.
 */

import { ownTime } from '../own-time.js';

import type { Link } from './link.js';

/** A message there and one back take a tenth of it. */
export const KEPT_MS = 2;

export interface Borrower {
  readonly what: 'room' | 'messages';
  readonly link: Link;
  /** Of the object that it has something of. */
  readonly identity: bigint;
  /** Whether it has used what it has since this was asked last. */
  wasUsed(): boolean;
  /** Must not throw. */
  giveBack(): void;
}

// Strongly held: a handle that is forgotten while it has something gives it back first.
const borrowers = new Set<Borrower>();
let isTurnDue = false;
let isTimeDue = false;
let isExitWatched = false;

/** To be called whenever it has got something. */
export function hasBorrowed(borrower: Borrower): void {
  borrowers.add(borrower);
  if (!isExitWatched) {
    isExitWatched = true;
    process.on('exit', giveBackAll);
  }
  if (borrower.what === 'messages') watchTurn();
  else watchTime();
}

export function hasGivenBack(borrower: Borrower): void {
  borrowers.delete(borrower);
}

/** All of this thread. */
export function giveBackAll(): void {
  for (const borrower of borrowers) giveBack(borrower);
}

/** The messages that this thread has. Whether it has anything else. */
export function giveBackMessages(): boolean {
  for (const borrower of borrowers) if (borrower.what === 'messages') giveBack(borrower);
  return borrowers.size > 0;
}

/** All that this thread has of one object, so that the next request is about all there is. Whether there was anything. */
export function giveBackOf(
  what: Borrower['what'],
  link: Link,
  identity: bigint,
  but?: Borrower,
): boolean {
  let wasAny = false;
  for (const borrower of borrowers) {
    const isMeant =
      borrower.what === what && borrower.identity === identity && borrower.link === link;
    if (!isMeant || borrower === but) continue;
    giveBack(borrower);
    wasAny = true;
  }
  return wasAny;
}

function giveBack(borrower: Borrower): void {
  borrowers.delete(borrower);
  borrower.giveBack();
}

/** Referenced, for a loop that sleeps does not turn: it is one turn more, or two, until it may sleep. */
function watchTurn(): void {
  if (isTurnDue) return;
  isTurnDue = true;
  setImmediate(() => {
    isTurnDue = false;
    if (giveBackUnused('messages')) watchTurn();
  });
}

/** Not referenced: who ends meanwhile gives it back as he exits. */
function watchTime(): void {
  if (isTimeDue) return;
  isTimeDue = true;
  const timer = ownTime.setTimeout(() => {
    isTimeDue = false;
    if (giveBackUnused('room')) watchTime();
  }, KEPT_MS);
  timer.unref();
}

/** Whether something of that is kept. */
function giveBackUnused(what: Borrower['what']): boolean {
  let isAnyKept = false;
  for (const borrower of borrowers) {
    if (borrower.what !== what) continue;
    if (borrower.wasUsed()) isAnyKept = true;
    else giveBack(borrower);
  }
  return isAnyKept;
}
