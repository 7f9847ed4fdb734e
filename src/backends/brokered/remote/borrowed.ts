/**
 * What handles of this thread have from their hubs so that not every call is a request: promises of room, and messages in hand.
 * It goes back when it was not used for a turn of the event loop, before this thread blocks in a wait (whoever is waited for may need
 * it), and when the process exits; by the hub, when the process is killed.
 */

import type { Link } from './link.js';

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
let isExitWatched = false;

/** To be called whenever it has got something. */
export function hasBorrowed(borrower: Borrower): void {
  borrowers.add(borrower);
  if (!isExitWatched) {
    isExitWatched = true;
    process.on('exit', giveBackAll);
  }
  watchTurn();
}

export function hasGivenBack(borrower: Borrower): void {
  borrowers.delete(borrower);
}

/** All of this thread. */
export function giveBackAll(): void {
  for (const borrower of borrowers) giveBack(borrower);
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
    for (const borrower of borrowers) if (!borrower.wasUsed()) giveBack(borrower);
    if (borrowers.size > 0) watchTurn();
  });
}
