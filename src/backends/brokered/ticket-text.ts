/** What the tickets of a hub look like, whatever stands around them in a message. */

import { randomBytes } from 'node:crypto';

import type { Ticket } from '../../contract/shared-object.js';

const RANDOM_BYTES = 12;
const MARK = Buffer.from('~ticket-', 'latin1');
const TICKETS = /~ticket-[0-9a-f]{24}/g;
const ONE_TICKET = /^~ticket-[0-9a-f]{24}$/;

/** One that nobody can guess. */
export function newTicket(): Ticket {
  return `~ticket-${randomBytes(RANDOM_BYTES).toString('hex')}`;
}

export function looksLikeTicket(ticket: Ticket): boolean {
  return ONE_TICKET.test(ticket);
}

/** What looks like one in these bytes. O(bytes) */
export function ticketTextsIn(bytes: Buffer): Ticket[] {
  if (!bytes.includes(MARK)) return [];
  return bytes.toString('latin1').match(TICKETS) ?? [];
}
