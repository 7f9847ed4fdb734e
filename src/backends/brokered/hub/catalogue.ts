/** The objects of a hub by name, and the tickets that are on their way inside messages. */

import { randomBytes } from 'node:crypto';

import type { OpenMode, Ticket } from '../../../contract/shared-object.js';
import type { Listed } from '../operations.js';
import { newTicket } from '../ticket-text.js';
import { fail } from './fail.js';
import type { Carrier, Ticketed } from './hub-object.js';

/** An object that can be found by a name. */
export interface Named extends Ticketed {
  readonly kind: string;
  readonly info: Listed;
  /** Whether nobody has it open, nor a message. */
  readonly isUnused: boolean;
  /** Whether it stays when nobody has it open. */
  readonly isKept: boolean;
  /** Its name is gone: nobody can come any more. */
  forgotten(): void;
}

/** Who else may have names: objects of other backends live under the same ones. */
export interface NameKeeper {
  /** @throws ERR_EXISTS (to create), ERR_BACKEND if another backend has it */
  claim(name: string, mode: OpenMode): void;
  release(name: string): void;
}

const NOBODY_ELSE: NameKeeper = { claim() {}, release() {} };

export class Catalogue {
  readonly #named = new Map<string, Named>();
  /** What has no name to be listed by but is listed all the same: pipes. */
  readonly #listed = new Set<{ readonly info: Listed }>();
  readonly #tickets = new Map<
    Ticket,
    { readonly passenger: Ticketed; readonly carrier: Carrier }
  >();
  readonly #byCarrier = new Map<Carrier, Set<Ticket>>();
  readonly #byPassenger = new Map<Ticketed, Set<Ticket>>();
  /** Carriers whose tickets are to be redeemed. */
  readonly #gone: Carrier[] = [];
  readonly #names: NameKeeper;
  #identities = 0n;

  constructor(names: NameKeeper = NOBODY_ELSE) {
    this.#names = names;
  }

  nextIdentity(): bigint {
    return ++this.#identities;
  }

  /** A name no user can choose. */
  anonymousName(): string {
    return `~${randomBytes(12).toString('hex')}`;
  }

  get isEmpty(): boolean {
    return this.#named.size === 0 && this.#listed.size === 0;
  }

  get(name: string): Named | undefined {
    return this.#named.get(name);
  }

  /**
   * What is there under a name that somebody opens; undefined: it is to be made, and `add`ed.
   *
   * @throws ERR_NOT_FOUND, ERR_EXISTS, ERR_BACKEND
   */
  find(name: string, mode: OpenMode): Named | undefined {
    const known = this.#named.get(name);
    if (known !== undefined && mode === 'create') {
      fail(
        'ERR_EXISTS',
        `'${name}' is there already: a ${known.kind}; open it, or choose another name`,
      );
    }
    if (known !== undefined) return known;
    this.#names.claim(name, mode);
    if (mode === 'open') fail('ERR_NOT_FOUND', `Nothing has the name '${name}'`);
    return undefined;
  }

  add(object: Named): void {
    this.#named.set(object.name, object);
  }

  /** What `find` said was to be made could not be. */
  abandon(name: string): void {
    if (!this.#named.has(name)) this.#names.release(name);
  }

  /** Removes its name, if it still has it. */
  unlink(object: Named): void {
    if (this.#named.get(object.name) !== object) return;
    this.#named.delete(object.name);
    this.#names.release(object.name);
    object.forgotten();
  }

  has(object: Named): boolean {
    return this.#named.get(object.name) === object;
  }

  /** Removes it if nobody has it any more and nothing keeps it. */
  removeIfUnused(object: Named): void {
    if (!object.isUnused || this.isTravelling(object)) return;
    if (!object.isKept) this.unlink(object);
    // Without a name nobody can come and take what is in it.
    if (!this.has(object)) this.carrierIsGone(object);
  }

  list(): Listed[] {
    return [...this.#named.values(), ...this.#listed].map(({ info }) => info);
  }

  addListed(object: { readonly info: Listed }): void {
    this.#listed.add(object);
  }

  removeListed(object: { readonly info: Listed }): void {
    this.#listed.delete(object);
  }

  /** Removes what nobody has open and `persist` does not keep; its names. */
  prune(dryRun: boolean): string[] {
    const removed = [...this.#named.values()].filter(
      (object) => object.isUnused && !this.isTravelling(object) && !object.info.persist,
    );
    if (!dryRun) {
      for (const object of removed) {
        this.unlink(object);
        this.carrierIsGone(object);
      }
    }
    return removed.map(({ name }) => name);
  }

  // Tickets

  /** Whether a message of it carries something. */
  carries(carrier: Carrier): boolean {
    return this.#byCarrier.has(carrier);
  }

  /** @throws ERR_NOT_FOUND */
  issue(passenger: Ticketed, carrier: Carrier): Ticket {
    if (!passenger.isThere) {
      fail('ERR_NOT_FOUND', `'${passenger.name}' was unlinked: nobody could open it any more`);
    }
    const ticket = newTicket();
    this.#tickets.set(ticket, { passenger, carrier });
    // What travels in itself is not kept by that.
    if (passenger !== carrier) addTo(this.#byPassenger, passenger, ticket);
    addTo(this.#byCarrier, carrier, ticket);
    return ticket;
  }

  passengerOf(ticket: Ticket): Ticketed | undefined {
    return this.#tickets.get(ticket)?.passenger;
  }

  isCarriedBy(ticket: Ticket, carrier: Carrier): boolean {
    return this.#tickets.get(ticket)?.carrier === carrier;
  }

  isTravelling(passenger: Ticketed): boolean {
    return this.#byPassenger.has(passenger);
  }

  /** What it travels in. */
  carriersOf(passenger: Ticketed): Carrier[] {
    const tickets = [...(this.#byPassenger.get(passenger) ?? [])];
    return tickets.flatMap((ticket) => this.#tickets.get(ticket)?.carrier ?? []);
  }

  redeem(ticket: Ticket): void {
    const known = this.#tickets.get(ticket);
    if (known === undefined) return;
    const { passenger, carrier } = known;
    this.#tickets.delete(ticket);
    removeFrom(this.#byCarrier, carrier, ticket);
    if (passenger === carrier) return;
    removeFrom(this.#byPassenger, passenger, ticket);
    passenger.ticketWasRedeemed();
  }

  /** The same one for a message that travels in another carrier as well. @throws ERR_NOT_FOUND */
  copy(ticket: Ticket, carrier: Carrier): Ticket {
    const known = this.#tickets.get(ticket);
    if (known === undefined) fail('ERR_NOT_FOUND', `${ticket} is for nothing any more`);
    return this.issue(known.passenger, carrier);
  }

  /** Nobody will ever read a message of it again. */
  carrierIsGone(carrier: Carrier): void {
    this.#gone.push(carrier);
    // What travelled in it goes with it, and what travelled in that: however long the chain, the loop further up goes on.
    if (this.#gone.length > 1) return;
    try {
      for (const gone of this.#gone) {
        for (const ticket of this.#byCarrier.get(gone) ?? []) this.redeem(ticket);
      }
    } finally {
      this.#gone.length = 0;
    }
  }
}

function addTo<K>(sets: Map<K, Set<Ticket>>, key: K, ticket: Ticket): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([ticket]));
  else set.add(ticket);
}

function removeFrom<K>(sets: Map<K, Set<Ticket>>, key: K, ticket: Ticket): void {
  const set = sets.get(key);
  set?.delete(ticket);
  if (set?.size === 0) sets.delete(key);
}
