import type { Ticket } from '../../../contract/shared-object.js';
import { ticketTextsIn } from '../ticket-text.js';
import type { Catalogue } from './catalogue.js';
import type { Carrier, Ticketed } from './hub-object.js';

/**
 * The tickets that a session got for messages which it has not sent yet. If it is lost, nobody ever sends them, and they are
 * redeemed. What has been sent is none of its business any more; when in doubt, it has been.
 */
export class UnsentTickets {
  readonly #catalogue: Catalogue;
  readonly #carriers = new Map<Ticket, Carrier>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  get isEmpty(): boolean {
    return this.#carriers.size === 0;
  }

  /** @throws ERR_NOT_FOUND */
  issue(passenger: Ticketed, carrier: Carrier): Ticket {
    return this.#add(this.#catalogue.issue(passenger, carrier), carrier);
  }

  /** @throws ERR_NOT_FOUND */
  copy(ticket: Ticket, carrier: Carrier): Ticket {
    return this.#add(this.#catalogue.copy(ticket, carrier), carrier);
  }

  #add(ticket: Ticket, carrier: Carrier): Ticket {
    this.#carriers.set(ticket, carrier);
    return ticket;
  }

  redeem(ticket: Ticket): void {
    this.#carriers.delete(ticket);
    this.#catalogue.redeem(ticket);
  }

  /** That message, which has tickets in it, is in the carrier. O(bytes) */
  sent(carrier: Carrier, message: Buffer): void {
    if (this.isEmpty) return;
    const known = ticketTextsIn(message).filter((ticket) => this.#carriers.get(ticket) === carrier);
    if (known.length === 0) this.sentUnseen(carrier);
    for (const ticket of known) this.#carriers.delete(ticket);
  }

  /** The same of a message, or a part of one, in which they cannot be found. */
  sentUnseen(carrier: Carrier): void {
    for (const [ticket, itsCarrier] of this.#carriers) {
      if (itsCarrier === carrier) this.#carriers.delete(ticket);
    }
  }

  /** Nothing more is sent. */
  redeemAll(): void {
    for (const ticket of this.#carriers.keys()) this.redeem(ticket);
  }
}
