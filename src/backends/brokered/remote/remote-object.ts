/** What all objects behind a hub have in common: waits, tickets, and an end. */

import { InterprocError } from '../../../errors.js';
import type { SharedObject, Side, Ticket } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import {
  ARM,
  DISARM,
  ISSUE_TICKET,
  REDEEM_TICKET,
  TICKETS_HERE,
  UNASKED,
  UNLINK,
} from '../operations.js';
import { ticketTextsIn } from '../ticket-text.js';
import type { Link, Linked } from './link.js';
import { outboxWord } from './message-memory.js';
import type { OutboxWord } from './outbox-word.js';

interface Wait {
  readonly epoch: number;
  isAnswered: boolean;
}

export abstract class RemoteObject implements SharedObject, Linked {
  onReady: ((side: Side) => void) | undefined = undefined;
  protected readonly link: Link;
  readonly #handle: number;
  readonly #identity: bigint;
  readonly #waits: [Wait | undefined, Wait | undefined, Wait | undefined] = [
    undefined,
    undefined,
    undefined,
  ];
  /** The one that this thread blocks on. */
  #blocked: Wait | undefined;
  #keepsAlive = true;
  #isClosed = false;

  constructor(
    link: Link,
    handle: number,
    identity: bigint,
    readonly name: string,
  ) {
    this.link = link;
    this.#handle = handle;
    this.#identity = identity;
    link.adopt(handle, this);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Begins a request about this object; `this.link.ask` sends it. @throws ERR_CLOSED, ERR_BROKER */
  protected request(operation: number): FrameWriter {
    this.assertOpen();
    return this.link.begin(this.#handle, operation);
  }

  /** The same for what wants no reply; `this.link.tell` sends it. */
  protected word(operation: number): FrameWriter {
    this.assertOpen();
    return this.link.beginTelling(this.#handle, operation);
  }

  /** As `word`, with so many bytes of body and the message in the outbox behind them; `this.link.tellOutboxSoon` sends it. */
  protected outboxWord(operation: number, inFront: number, length: number): OutboxWord {
    this.assertOpen();
    return outboxWord.begin(this.#handle, operation, inFront, length);
  }

  protected assertOpen(): void {
    if (this.#isClosed) throw new InterprocError('ERR_CLOSED', `'${this.name}' was closed here`);
  }

  /** Whether a wait of it does so with the process. */
  protected get keepsAlive(): boolean {
    return this.#keepsAlive;
  }

  arm(side: Side): boolean {
    this.#assertNotArmed(side);
    const epoch = this.link.nextEpoch();
    this.sayWaiting(this.word(ARM).u8(side).u32(epoch), side);
    this.link.tell();
    this.#waitFor(side, epoch);
    return false;
  }

  /** As `arm`, for what the hub tells unasked. */
  protected armUnasked(side: Side): void {
    this.#assertNotArmed(side);
    this.#waitFor(side, UNASKED);
  }

  /** What a wait is for has come by another way than its bell. */
  protected ringSoon(side: Side): void {
    const wait = this.#waits[side];
    if (wait === undefined || wait.isAnswered) return;
    wait.isAnswered = true;
    setImmediate(() => this.ring(side));
  }

  #waitFor(side: Side, epoch: number): void {
    this.#waits[side] = { epoch, isAnswered: false };
    this.link.hold(this, this.#keepsAlive);
  }

  #assertNotArmed(side: Side): void {
    if (this.#waits[side] !== undefined)
      throw new Error(`armed already: side ${side} of ${this.name}`);
  }

  /** What the kind of object adds to its ARM. */
  protected sayWaiting(_word: FrameWriter, _side: Side): void {}

  protected isArmed(side: Side): boolean {
    return this.#waits[side] !== undefined;
  }

  disarm(side: Side): void {
    const wait = this.#waits[side];
    if (wait === undefined) return;
    this.#disarmed(side);
    if (wait.epoch === UNASKED || this.link.isLost) return;
    this.word(DISARM).u8(side).u32(wait.epoch);
    this.link.tellIfThere();
  }

  answered(side: Side, epoch: number, body: Body): boolean {
    const isBlocked = this.#blocked?.epoch === epoch;
    const wait = isBlocked ? this.#blocked : this.#waits[side];
    const isAwaited = wait?.epoch === epoch;
    this.heard(side, body, isAwaited);
    if (!isAwaited) return false;
    wait.isAnswered = true;
    return !isBlocked;
  }

  /** What the kind of object added to its READY. `isAwaited`: the wait was not withdrawn meanwhile. */
  protected heard(_side: Side, _body: Body, _isAwaited: boolean): void {}

  passOn(side: Side): void {
    const wait = this.#waits[side];
    if (wait?.isAnswered !== true || wait.epoch === UNASKED || this.link.isLost) return;
    this.word(DISARM).u8(side).u32(wait.epoch);
    this.link.tellIfThere();
  }

  ring(side: Side): void {
    // It may have been withdrawn, and another be there, between the answer and the bell.
    if (this.#waits[side]?.isAnswered !== true) return;
    this.#disarmed(side);
    this.onReady?.(side);
  }

  told(_operation: number, _body: Body): void {}

  lost(): void {
    for (const side of [0, 1, 2] as const) {
      if (this.#waits[side] === undefined) continue;
      this.#disarmed(side);
      this.onReady?.(side);
    }
  }

  #disarmed(side: Side): void {
    this.#waits[side] = undefined;
    if (this.#waits.every((wait) => wait === undefined)) this.link.letGo(this);
  }

  waitSync(side: Side, timeoutMs: number): boolean {
    this.#assertNotArmed(side);
    const epoch = this.link.nextEpoch();
    this.sayWaiting(this.word(ARM).u8(side).u32(epoch), side);
    this.link.tell();
    if (this.#block(epoch, timeoutMs)) return true;
    this.word(DISARM).u8(side).u32(epoch);
    this.link.tell();
    return false;
  }

  /** As `waitSync`, for what the hub tells unasked. */
  protected waitSyncUnasked(side: Side, timeoutMs: number): boolean {
    this.#assertNotArmed(side);
    return this.#block(UNASKED, timeoutMs);
  }

  #block(epoch: number, timeoutMs: number): boolean {
    const wait = { epoch, isAnswered: false };
    this.#blocked = wait;
    try {
      return this.link.waitUntil(() => wait.isAnswered, timeoutMs);
    } finally {
      this.#blocked = undefined;
    }
  }

  ref(): void {
    this.#keep(true);
  }

  unref(): void {
    this.#keep(false);
  }

  #keep(isAlive: boolean): void {
    this.assertOpen();
    this.#keepsAlive = isAlive;
    if (this.#waits.some((wait) => wait !== undefined)) this.link.hold(this, isAlive);
  }

  identity(): bigint {
    return this.#isClosed ? 0n : this.#identity;
  }

  /** By this the hub knows it. */
  get handle(): number {
    this.assertOpen();
    return this.#handle;
  }

  /** Its way to the hub. */
  get connection(): Link {
    return this.link;
  }

  issueTicket(passenger: SharedObject): Ticket {
    if (!(passenger instanceof RemoteObject) || passenger.connection !== this.link) {
      throw new InterprocError(
        'ERR_ENCODE',
        `'${passenger.name}' cannot travel in a message of '${this.name}': it lives with another broker or backend`,
      );
    }
    passenger.prepareToTravel();
    this.request(ISSUE_TICKET).u32(passenger.handle);
    const ticket = this.link.ask().text();
    passenger.isAboard();
    return ticket;
  }

  /** A ticket is about to be issued for it. @throws ERR_ENCODE if it cannot travel now */
  prepareToTravel(): void {}

  /** It was. */
  isAboard(): void {}

  redeemTicket(ticket: Ticket): void {
    this.word(REDEEM_TICKET).text(ticket);
    this.link.tell();
  }

  ticketsIn(message: Uint8Array): Ticket[] {
    if (this.#isClosed) return [];
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const found = ticketTextsIn(bytes);
    if (found.length === 0) return [];
    this.request(TICKETS_HERE).json(found);
    return this.link.ask().json() as Ticket[];
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waits.fill(undefined);
    this.link.release(this.#handle, this);
  }

  unlink(): void {
    this.request(UNLINK);
    this.link.ask();
  }
}
