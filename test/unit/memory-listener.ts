/** Listeners inside one thread, as plainly as they can be written. */

import { InterprocError } from '../../src/errors.js';
import { ACCEPT, EMPTY, ENDED, FULL, OFFER } from '../../src/contract/listener.js';
import type { ClientEnd, ListenerEnd, ListenerTerms } from '../../src/contract/listener.js';
import type { PipeEnd } from '../../src/contract/pipe.js';
import type { SharedObject, Side, Ticket } from '../../src/contract/shared-object.js';

/** What the listeners of a backend need of it. */
export interface ListenerKeeper {
  issueTicketFor(passenger: SharedObject, carrier: SharedListener): Ticket;
  redeemTicket(ticket: Ticket): void;
  openPipeTicket(ticket: Ticket): PipeEnd;
  unlisten(listener: SharedListener): void;
}

interface Wait {
  readonly end: MemoryListener;
  readonly side: Side;
  isRung: boolean;
}

/** What both sides share. */
export class SharedListener {
  readonly waiting: Ticket[] = [];
  listens = true;
  users = 0;
  waits: Wait[] = [];

  constructor(
    readonly identity: bigint,
    readonly name: string,
    readonly terms: ListenerTerms,
  ) {}

  get isFull(): boolean {
    return this.waiting.length >= this.terms.backlog;
  }

  isWorthALook(side: Side): boolean {
    if (side === ACCEPT) return this.waiting.length > 0;
    return !this.listens || !this.isFull;
  }

  wake(side: Side): void {
    for (const wait of this.waits) {
      if (wait.side !== side || wait.isRung) continue;
      wait.isRung = true;
      setImmediate(() => wait.end.answer(wait));
    }
  }
}

export class MemoryListener implements ListenerEnd, ClientEnd {
  readonly name: string;
  readonly terms: ListenerTerms;
  readonly clientPid = process.pid;
  onReady: ((side: Side) => void) | undefined = undefined;
  readonly #keeper: ListenerKeeper;
  readonly #shared: SharedListener;
  readonly #isMaker: boolean;
  #isClosed = false;

  constructor(keeper: ListenerKeeper, shared: SharedListener, isMaker: boolean) {
    this.#keeper = keeper;
    this.#shared = shared;
    this.#isMaker = isMaker;
    this.name = shared.name;
    this.terms = shared.terms;
    shared.users++;
  }

  #enter(): SharedListener {
    if (this.#isClosed) throw new InterprocError('ERR_CLOSED', `${this.name} is closed`);
    return this.#shared;
  }

  tryAccept(): PipeEnd | number {
    const shared = this.#enter();
    const ticket = shared.waiting[0];
    if (ticket === undefined) return EMPTY;
    const client = this.#keeper.openPipeTicket(ticket);
    shared.waiting.shift();
    this.#keeper.redeemTicket(ticket);
    shared.wake(OFFER);
    return client;
  }

  tryOffer(theirs: PipeEnd): number {
    const shared = this.#enter();
    if (!shared.listens) return ENDED;
    if (shared.isFull) return FULL;
    shared.waiting.push(this.#keeper.issueTicketFor(theirs, shared));
    theirs.depart();
    shared.wake(ACCEPT);
    return 0;
  }

  end(): void {
    this.#enter().listens = false;
    this.#shared.wake(OFFER);
  }

  size(): number {
    return this.#enter().waiting.length;
  }

  arm(side: Side): boolean {
    const shared = this.#enter();
    if (shared.waits.some((wait) => wait.end === this && wait.side === side)) {
      throw new Error(`armed twice: side ${side} of ${this.name}`);
    }
    if (shared.isWorthALook(side)) return true;
    shared.waits.push({ end: this, side, isRung: false });
    return false;
  }

  disarm(side: Side): void {
    const shared = this.#enter();
    shared.waits = shared.waits.filter((wait) => wait.end !== this || wait.side !== side);
  }

  /** The bell: nothing if the wait was withdrawn in the meantime. */
  answer(wait: Wait): void {
    const shared = this.#shared;
    if (!shared.waits.includes(wait)) return;
    shared.waits = shared.waits.filter((one) => one !== wait);
    this.onReady?.(wait.side);
  }

  waitSync(): boolean {
    throw new Error('nobody blocks on a listener');
  }

  ref(): void {
    this.#enter();
  }

  unref(): void {
    this.#enter();
  }

  identity(): bigint {
    return this.#shared.identity;
  }

  unlink(): void {
    this.#keeper.unlisten(this.#enter());
  }

  close(): void {
    if (this.#isClosed) return;
    const shared = this.#shared;
    if (shared.waits.some(({ end }) => end === this)) throw new Error('closed while it is armed');
    if (this.#isMaker) this.end();
    this.#isClosed = true;
    shared.users--;
    if (shared.users > 0) return;
    this.#keeper.unlisten(shared);
    for (const ticket of shared.waiting.splice(0)) this.#keeper.redeemTicket(ticket);
  }
}
