/** What all objects of a hub have in common: users, and waits that are answered in the order they began. */

import type { Side, Ticket } from '../../../contract/shared-object.js';
import { MAX_BODY_BYTES } from '../frames.js';
import type { Body, FrameWriter } from '../frames.js';
import {
  ARM,
  DISARM,
  ISSUE_TICKET,
  READY,
  REDEEM_TICKET,
  TICKETS_HERE,
  UNLINK,
} from '../operations.js';
import { fail } from './fail.js';
import type { Catalogue } from './catalogue.js';
import type { Session } from './session.js';

/** What messages travel in: tickets are issued for one such, and good only there. */
export interface Carrier {
  readonly identity: bigint;
}

/** Something that a ticket can be for. */
export interface Ticketed extends Carrier {
  readonly name: string;
  /** Whether somebody could still get at it by a new ticket. */
  readonly isThere: boolean;
  /** A ticket for it is no more, so that it may be of use to nobody. */
  ticketWasRedeemed(): void;
}

export interface Wait {
  readonly attachment: Attachment;
  readonly side: Side;
  readonly epoch: number;
}

/**
 * The waits on an object. A wait leaves when it is rung; the answer goes out when the hub has read what it is reading, so that
 * a run of messages wakes once.
 */
export class Waits {
  #waits: Wait[] = [];

  /** In place of one that it had there: a handle waits once on a side, whatever it says. */
  add(attachment: Attachment, side: Side, epoch: number): void {
    const at = this.#waits.findIndex(
      (wait) => wait.attachment === attachment && wait.side === side,
    );
    if (at >= 0) this.#waits.splice(at, 1);
    this.#waits.push({ attachment, side, epoch });
  }

  /** False if it is not there: it has been rung, or never was. */
  withdraw(attachment: Attachment, side: Side, epoch: number): boolean {
    const at = this.#waits.findIndex(
      (wait) => wait.attachment === attachment && wait.side === side && wait.epoch === epoch,
    );
    if (at >= 0) this.#waits.splice(at, 1);
    return at >= 0;
  }

  withdrawAll(attachment: Attachment): void {
    this.#waits = this.#waits.filter((wait) => wait.attachment !== attachment);
  }

  hasAny(side: Side, but?: Attachment): boolean {
    return this.#waits.some((wait) => wait.side === side && wait.attachment !== but);
  }

  /** Rings the first `count` on that side. How many. */
  wake(side: Side, count: number): number {
    if (this.#waits.length === 0) return 0;
    return this.#ring(count, (wait) => wait.side === side);
  }

  /** Removes the first one on that side for whom it is worth a look; to be answered. */
  takeFirst(side: Side): Wait | undefined {
    const at = this.#waits.findIndex(
      (wait) => wait.side === side && wait.attachment.isWorthALook(side),
    );
    return at < 0 ? undefined : this.#waits.splice(at, 1)[0];
  }

  /** Rings all for whom it is worth a look. */
  wakeWorthy(): number {
    if (this.#waits.length === 0) return 0;
    return this.#ring(Infinity, ({ attachment, side }) => attachment.isWorthALook(side));
  }

  #ring(count: number, isMeant: (wait: Wait) => boolean): number {
    const rung: Wait[] = [];
    this.#waits = this.#waits.filter((wait) => {
      if (rung.length >= count || !isMeant(wait)) return true;
      rung.push(wait);
      return false;
    });
    for (const { attachment, side, epoch } of rung) attachment.answerSoon(side, epoch);
    return rung.length;
  }
}

/** An object that one session has open: what its requests are for. */
export abstract class Attachment {
  readonly session: Session;
  readonly catalogue: Catalogue;
  /** By this the session knows it. */
  readonly handle: number;
  protected abstract readonly waits: Waits;
  /** What its messages travel in. */
  abstract readonly carrier: Carrier;
  /** What a ticket for this handle is for. */
  abstract readonly passenger: Ticketed;
  /** Epochs of waits that are to be answered when what is being read has been. */
  readonly #due = new Set<number>();
  #isClosed = false;

  constructor(session: Session) {
    this.session = session;
    this.catalogue = session.catalogue;
    this.handle = session.attach(this);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Of what is said to it, so that nobody has the hub keep what it will refuse. */
  get longestBody(): number {
    return MAX_BODY_BYTES;
  }

  /** One request or word. What is written to `reply` is sent if a reply was asked for. @throws InterprocErrors */
  serve(operation: number, body: Body, reply: FrameWriter): void {
    switch (operation) {
      case ARM: {
        const side = sideIn(body);
        const epoch = body.u32();
        this.hearWaiting(side, body);
        if (this.isWorthALook(side)) this.answerSoon(side, epoch);
        else this.waits.add(this, side, epoch);
        return;
      }
      case DISARM: {
        const side = sideIn(body);
        const epoch = body.u32();
        if (this.waits.withdraw(this, side, epoch)) this.withdrew(side);
        else {
          this.#due.delete(epoch);
          this.passOn(side);
        }
        return;
      }
      case UNLINK:
        this.unlink();
        return;
      case ISSUE_TICKET:
        reply.text(this.issueTicket(this.session.attached(body.u32())));
        return;
      case REDEEM_TICKET:
        this.session.tickets.redeem(body.text());
        return;
      case TICKETS_HERE: {
        const tickets = body.json() as Ticket[];
        reply.json(tickets.filter((ticket) => this.catalogue.isCarriedBy(ticket, this.carrier)));
        return;
      }
      default:
        fail('ERR_CORRUPT', `No operation ${operation} of '${this.passenger.name}'`);
    }
  }

  protected issueTicket(passenger: Attachment): Ticket {
    return this.session.tickets.issue(passenger.passenger, this.carrier);
  }

  /** What the kind of object adds to ARM. */
  protected hearWaiting(_side: Side, _body: Body): void {}

  /** What it adds to READY. */
  protected sayReady(_side: Side, _word: FrameWriter): void {}

  abstract isWorthALook(side: Side): boolean;
  protected abstract unlink(): void;

  /** The answer to a wait was not wanted any more: another's turn. */
  protected passOn(side: Side): void {
    if (this.isWorthALook(side)) this.waits.wake(side, 1);
  }

  /** A wait was given up that had not been answered. */
  protected withdrew(_side: Side): void {}

  answerSoon(side: Side, epoch: number): void {
    this.#due.add(epoch);
    this.session.later(() => {
      // Unless it was withdrawn meanwhile.
      if (this.#due.delete(epoch)) this.answer(side, epoch);
    });
  }

  /** From within an action of `later`. */
  answer(side: Side, epoch: number): void {
    if (this.#isClosed) {
      this.passOn(side);
      return;
    }
    const word = this.session.beginPush(this.handle, READY).u8(side).u32(epoch);
    this.sayReady(side, word);
    word.end();
  }

  /** By the session's wish, at its end, or because its process is gone: all the same. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.waits.withdrawAll(this);
    this.session.detach(this.handle);
    this.left();
  }

  /** What it held goes to others. */
  protected abstract left(): void;
}

function sideIn(body: Body): Side {
  const side = body.u8();
  if (side > 2) fail('ERR_CORRUPT', `No side ${side}`);
  return side as Side;
}
