/** A queue behind a hub. */

import { InterprocError } from '../../../errors.js';
import {
  EMPTY,
  FULL,
  LARGE,
  PUT as PUT_SIDE,
  TAKE as TAKE_SIDE,
} from '../../../contract/channel.js';
import type {
  Channel,
  ChannelGeometry,
  ChannelOptions,
  ChannelStats,
  OpenMode,
  Side,
  Ticket,
} from '../../../contract/channel.js';
import {
  ACK,
  ACK_AS_TAKEN,
  BATCH,
  chunkOf,
  COMMIT,
  COPY_TICKETS,
  END,
  GIVE_BACK_ROOM,
  HAS_ENDED,
  IS_FINISHED,
  IS_FULL,
  IS_READABLE,
  KEEP_ROOM,
  MORE_ROOM,
  NACK,
  NO_HAND,
  PUT,
  PUT_KEPT,
  PUT_MANY,
  PUT_MANY_PROMISED,
  PUT_PROMISED,
  RECEIVE,
  RETURN,
  ROOM_IS_WANTED,
  SENT_ALONG_BYTES,
  SIZE,
  STATS,
  TAKE,
  TASK_DONE,
  TOO_LARGE,
  UNDELIVER,
} from '../channel-operations.js';
import { BROKERED_CAPABILITIES } from '../capabilities.js';
import type { Body, FrameWriter } from '../frames.js';
import { isBeside, roomFor } from '../queue-room.js';
import { OPEN_CHANNEL, OPEN_CHANNEL_TICKET } from '../operations.js';
import { looksLikeTicket } from '../ticket-text.js';
import { giveBackOf, hasBorrowed, hasGivenBack } from './borrowed.js';
import type { Borrower } from './borrowed.js';
import { Hand } from './hand.js';
import type { Link } from './link.js';
import { inbox, inboxMemory, lengths, offsets, outbox } from './message-memory.js';
import { PromisedRoom } from './promised-room.js';
import { RemoteObject } from './remote-object.js';

/** What this thread takes from by a request: what was pushed of that before the hub read it is void. */
let takenFrom: Borrower | undefined;
/** The same of one whose room it asks about, and of what was promised of that. */
let askedAbout: Borrower | undefined;

const ANY_LENGTH = 2 ** 32 - 1;

export class RemoteChannel extends RemoteObject implements Channel {
  readonly geometry: ChannelGeometry;
  readonly capabilities = BROKERED_CAPABILITIES;
  readonly leasing = undefined;
  readonly outbox = outbox;
  readonly inbox = inbox;
  readonly offsets = offsets;
  readonly lengths = lengths;
  deliveries = 0;
  receipt = 0;
  #large: Uint8Array | undefined;
  /** Of the message that found no room. */
  #wanted = 0;
  readonly #room = new PromisedRoom();
  readonly #roomBorrower: Borrower;
  /** What was received and is unacknowledged, by receipt. */
  readonly #held = new Set<number>();
  /** Messages taken without a taskDone. */
  #unfinished = 0;
  readonly #hand: Hand;
  readonly #handBorrower: Borrower;
  /** It receives, and so has no use for messages in hand. */
  #isReceiver = false;
  /** There were no other messages than what the last look or answer brought. */
  #hasAll = false;

  constructor(
    link: Link,
    handle: number,
    identity: bigint,
    name: string,
    geometry: ChannelGeometry,
  ) {
    super(link, handle, identity, name);
    this.geometry = geometry;
    this.#hand = new Hand(chunkOf(geometry));
    this.#handBorrower = {
      what: 'messages',
      link,
      identity,
      wasUsed: () => this.#hand.wasUsed(),
      giveBack: () => this.#giveBackHand(),
    };
    this.#roomBorrower = {
      what: 'room',
      link,
      identity,
      wasUsed: () => this.#room.wasUsed(),
      giveBack: () => this.#giveBackRoom(),
    };
  }

  // Putting

  tryPutOutbox(length: number): number {
    return this.#put(outbox, length, false);
  }

  tryPut(bytes: Uint8Array): number {
    return this.#put(bytes, bytes.length, false);
  }

  tryPutCarrying(bytes: Uint8Array): number {
    return this.#put(bytes, bytes.length, true);
  }

  /** `memory[0, length)` */
  #put(memory: Uint8Array, length: number, carries: boolean): number {
    const { maxMessageBytes } = this.geometry;
    if (length > maxMessageBytes) {
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `A message of ${length} bytes; queue '${this.name}' takes ${maxMessageBytes} at most`,
      );
    }
    const room = this.#roomFor(length);
    // A thread that has been busy putting has not heard what it was promised besides.
    if (room > this.#room.bytes && this.#room.mayHaveGrown) this.link.hear();
    if (room <= this.#room.bytes) {
      this.#room.use(room);
      if (length > outbox.length) {
        this.word(PUT_PROMISED).bool(carries);
        this.link.tell(memory.subarray(0, length));
        return 0;
      }
      if (memory !== outbox) outbox.set(memory);
      this.outboxWord(PUT_PROMISED, 1, length).u8(carries ? 1 : 0);
      this.link.tellOutboxSoon();
      return 0;
    }
    const bytes = memory.subarray(0, length);
    this.assertOpen();
    this.#wanted = length;
    this.#askAboutRoom();
    if (length > SENT_ALONG_BYTES) return this.#putLarge(bytes, carries);
    this.request(PUT).bool(carries).bool(this.#room.isFast());
    const reply = this.#askForRoom(bytes);
    return this.#promisedWith(reply.i32(), reply.u32());
  }

  /** What a message of that length takes of the promised room: more than there is if it stands beside it. */
  #roomFor(length: number): number {
    const { capacityBytes } = this.geometry;
    return isBeside(length, capacityBytes) ? Infinity : roomFor(length, capacityBytes);
  }

  /**
   * The reply is to be about all room there is: no other handle of this thread keeps some from it, or fills what was said to be full,
   * and what is in hand and was not handed out takes its place.
   */
  #askAboutRoom(): void {
    giveBackOf('room', this.link, this.identity(), this.#roomBorrower);
    giveBackOf('messages', this.link, this.identity());
    hasGivenBack(this.#roomBorrower);
    this.#room.end();
  }

  #askForRoom(rest?: Uint8Array): Body {
    askedAbout = this.#roomBorrower;
    try {
      return this.link.ask(rest);
    } finally {
      askedAbout = undefined;
    }
  }

  #promisedWith(status: number, more: number): number {
    if (status === FULL) this.#room.foundNone();
    this.#addRoom(more);
    return status;
  }

  #addRoom(bytes: number): void {
    if (bytes === 0) return;
    this.#room.add(bytes);
    hasBorrowed(this.#roomBorrower);
  }

  #giveBackRoom(): void {
    hasGivenBack(this.#roomBorrower);
    const bytes = this.#room.takeAll();
    if (bytes === 0 || this.isClosed || this.link.isLost) return;
    this.word(GIVE_BACK_ROOM).u32(bytes);
    this.link.tellIfThere();
  }

  /** Nothing of it is sent before there is room. */
  #putLarge(bytes: Uint8Array, carries: boolean): number {
    this.request(KEEP_ROOM).u32(bytes.length);
    const status = this.#askForRoom().i32();
    if (status !== 0) return status;
    this.word(PUT_KEPT).bool(carries);
    this.link.tell(bytes);
    return 0;
  }

  tryPutMany(messages: readonly Uint8Array[], from: number): number {
    const promised = this.#tellMany(messages, from);
    if (promised > 0) return promised;
    const count = batchLength(messages, from);
    if (count < 2) {
      const status = this.tryPut(messages[from] as Uint8Array);
      return status === 0 ? 1 : status === FULL ? 0 : status;
    }
    this.assertOpen();
    this.#askAboutRoom();
    writeBatch(this.request(PUT_MANY).bool(true), messages, from, count);
    const reply = this.#askForRoom();
    const accepted = reply.i32();
    this.#addRoom(reply.u32());
    if (accepted >= 0 && accepted < count) {
      this.#room.foundNone();
      this.#wanted = (messages[from + accepted] as Uint8Array).length;
    }
    return accepted;
  }

  /** Puts as many as the promised room takes, by one word. */
  #tellMany(messages: readonly Uint8Array[], from: number): number {
    if (this.#room.bytes === 0 && this.#room.mayHaveGrown) this.link.hear();
    const last = Math.min(messages.length, from + BATCH);
    let room = 0;
    let count = 0;
    while (from + count < last) {
      const more = room + this.#roomFor((messages[from + count] as Uint8Array).length);
      if (more > this.#room.bytes) break;
      room = more;
      count++;
    }
    if (count === 0) return 0;
    writeBatch(this.word(PUT_MANY_PROMISED), messages, from, count);
    this.link.tell();
    this.#room.use(room);
    return count;
  }

  // Taking

  /** The hub looks when it hears of a wait, and its answer brings messages: who takes them quickly wants no other way. */
  get isQuiet(): boolean {
    if (!this.keepsAlive || this.#isReceiver) return false;
    return this.#hand.isEmpty && (this.#hasAll || this.#hand.isLargeWindow);
  }

  tryTake(): number {
    if (!this.#hasNext()) return this.#takeByRequest();
    this.#commit(1);
    return this.#handOut(0);
  }

  #takeByRequest(): number {
    const reply = this.#askForMessages(ANY_LENGTH, 1);
    const count = reply.i32();
    this.#hasAll = count === EMPTY;
    if (count < 0) return count;
    this.deliveries = reply.u32();
    if (count > 1) {
      this.#fillHand(count, false, reply);
      return this.#handOut(0);
    }
    this.#passOne(reply);
    return this.#intoInbox(reply);
  }

  tryTakeInto(buffer: Uint8Array): number {
    if (this.#hasNext()) return this.#handOutInto(buffer);
    const reply = this.#askForMessages(buffer.length, 1);
    const count = reply.i32();
    this.#hasAll = count === EMPTY;
    if (count === TOO_LARGE) throw this.#tooLargeFor(buffer, reply.u32());
    if (count < 0) return count;
    this.deliveries = reply.u32();
    if (count > 1) {
      this.#fillHand(count, false, reply);
      return this.#handOutTo(buffer);
    }
    this.#passOne(reply);
    const bytes = reply.rest();
    buffer.set(bytes);
    return bytes.length;
  }

  #handOutInto(buffer: Uint8Array): number {
    const { nextLength } = this.#hand;
    if (nextLength > buffer.length) throw this.#tooLargeFor(buffer, nextLength);
    this.#commit(1);
    return this.#handOutTo(buffer);
  }

  #tooLargeFor(buffer: Uint8Array, length: number): InterprocError {
    return new InterprocError(
      'ERR_TOO_LARGE',
      `${this.name}: the next message has ${length} bytes, the buffer ${buffer.length}; the message stays in the queue`,
    );
  }

  tryTakeMany(max: number): number {
    const wanted = Math.min(max, BATCH);
    if (this.#hasNext()) return this.#handOutMany(wanted);
    const reply = this.#askForMessages(ANY_LENGTH, wanted);
    const count = reply.i32();
    this.#hasAll = count === EMPTY;
    if (count < 0) return count;
    this.deliveries = reply.u32();
    if (count > 1) {
      this.#fillHand(count, false, reply);
      return this.#handOutMany(wanted);
    }
    this.#passOne(reply);
    const length = this.#intoInbox(reply);
    if (length === LARGE) return LARGE;
    offsets[0] = 0;
    lengths[0] = length;
    return 1;
  }

  /** Up to so many. */
  #handOutMany(max: number): number {
    const count = Math.min(max, this.#hand.left);
    this.#commit(count);
    let offset = 0;
    for (let i = 0; i < count; i++) {
      const length = this.#handOut(offset);
      offsets[i] = offset;
      lengths[i] = length;
      offset += length;
    }
    return count;
  }

  tryReceive(): number {
    this.#isReceiver = true;
    const handedOut = this.#hand.isOut ? this.#hand.handedOut : NO_HAND;
    const reply = this.#askToTake(() => {
      this.request(RECEIVE).u32(handedOut);
    });
    const status = reply.i32();
    if (status < 0) return status;
    this.receipt = reply.f64();
    this.deliveries = reply.u32();
    this.#held.add(this.receipt);
    return this.#intoInbox(reply);
  }

  /** `wanted` of them now, and more if they are taken quickly. */
  #askForMessages(limit: number, wanted: number): Body {
    this.#isReceiver = false;
    return this.#askToTake(() => {
      this.request(TAKE).u32(limit).u32(Math.max(wanted, this.#hand.nextWindow()));
    });
  }

  /** A request by which something is taken: of all there is in this thread, and of what this handle has in hand. */
  #askToTake(begin: () => void): Body {
    this.assertOpen();
    this.#giveBackOthers();
    begin();
    this.#handIsOver();
    return this.#askVoiding();
  }

  #askVoiding(): Body {
    takenFrom = this.#handBorrower;
    try {
      return this.link.ask();
    } finally {
      takenFrom = undefined;
    }
  }

  // Messages in hand

  /** Whether the next message is in hand. What was pushed came after what another handle of this thread may have in hand. */
  #hasNext(): boolean {
    if (this.#hand.isUntouched && this.#giveBackOthers()) this.#giveBackHand();
    return !this.#hand.isEmpty;
  }

  #giveBackOthers(): boolean {
    return giveBackOf('messages', this.link, this.#handBorrower.identity, this.#handBorrower);
  }

  #fillHand(count: number, isPushed: boolean, body: Body): void {
    this.#hand.fill(count, isPushed, body);
    hasBorrowed(this.#handBorrower);
  }

  /** A single message comes, with its length in front. */
  #passOne(reply: Body): void {
    reply.u32();
    this.#hand.passed();
    this.#unfinished++;
  }

  /** Before so many are handed out the hub is told, and gives them to nobody else. */
  #commit(count: number): void {
    const missing = this.#hand.toCommit(count);
    if (missing === 0) {
      this.assertOpen();
      return;
    }
    this.word(COMMIT).u32(missing);
    this.#hand.committed(missing);
    this.link.tellSoon(missing);
  }

  /** Into the inbox. */
  #handOut(offset: number): number {
    this.deliveries = 1;
    this.#unfinished++;
    return this.#hand.handOut(inboxMemory, offset);
  }

  #handOutTo(buffer: Uint8Array): number {
    this.deliveries = 1;
    this.#unfinished++;
    return this.#hand.handOutTo(buffer);
  }

  #giveBackHand(): void {
    const { isOut, handedOut } = this.#hand;
    this.#handIsOver();
    if (!isOut || this.isClosed || this.link.isLost) return;
    this.word(RETURN).u32(handedOut);
    this.link.tellIfThere();
  }

  #handIsOver(): void {
    hasGivenBack(this.#handBorrower);
    this.#hand.over();
  }

  /** Everything that this thread has in hand goes back, so that the next look is at all there is. */
  #giveBackMessages(): void {
    this.assertOpen();
    giveBackOf('messages', this.link, this.identity());
  }

  override arm(side: Side): boolean {
    if (side === TAKE_SIDE && !this.#hand.isEmpty) return true;
    if (side === TAKE_SIDE) this.#giveBackOthers();
    return super.arm(side);
  }

  override disarm(side: Side): void {
    this.#withdraw(side);
    super.disarm(side);
  }

  override passOn(side: Side): void {
    this.#withdraw(side);
    super.passOn(side);
  }

  /** The hub does the same when it hears that the wait is withdrawn. */
  #withdraw(side: Side): void {
    if (side === TAKE_SIDE && this.isArmed(side) && this.#hand.isUntouched) this.#handIsOver();
  }

  override waitSync(side: Side, timeoutMs: number): boolean {
    if (side === TAKE_SIDE && !this.#hand.isEmpty) return true;
    // First, for the answer may bring what came behind it.
    if (side === TAKE_SIDE) this.#giveBackOthers();
    return super.waitSync(side, timeoutMs);
  }

  // Replies

  /** The rest of a reply: its length, or LARGE. */
  #intoInbox(reply: Body): number {
    const bytes = reply.rest();
    if (bytes.length > inbox.length) {
      this.#large = new Uint8Array(bytes);
      return LARGE;
    }
    inbox.set(bytes);
    return bytes.length;
  }

  takeLarge(): Uint8Array {
    const large = this.#large;
    if (large === undefined) throw new Error('takeLarge without LARGE');
    this.#large = undefined;
    return large;
  }

  // What was received or taken

  ack(receipt: number): void {
    this.#settle(ACK, receipt);
  }

  nack(receipt: number): void {
    this.#giveBackMessages();
    this.#settle(NACK, receipt);
  }

  undeliver(receipt: number): void {
    this.#giveBackMessages();
    this.#settle(UNDELIVER, receipt);
  }

  ackAsTaken(receipt: number): void {
    this.#settle(ACK_AS_TAKEN, receipt);
    this.#unfinished++;
  }

  #settle(operation: number, receipt: number): void {
    this.assertOpen();
    if (!this.#held.delete(receipt)) {
      throw new InterprocError(
        'ERR_NOT_OWNER',
        `${this.name}: no message that this handle received and has not settled has the receipt ${receipt}`,
      );
    }
    this.word(operation).f64(receipt);
    this.link.tell();
  }

  taskDone(): boolean {
    this.assertOpen();
    if (this.#unfinished === 0) return false;
    this.word(TASK_DONE);
    this.link.tell();
    this.#unfinished--;
    return true;
  }

  hasUnfinished(): boolean {
    this.assertOpen();
    return this.#unfinished > 0 || this.#held.size > 0;
  }

  isFinished(): boolean {
    this.#giveBackMessages();
    return this.#ask(IS_FINISHED).bool();
  }

  // The queue itself

  protected override heard(side: Side, body: Body, isAwaited: boolean): void {
    if (side === PUT_SIDE) {
      const bytes = body.u32();
      if (!this.#isVoid(askedAbout)) this.#addRoom(bytes);
    } else if (side === TAKE_SIDE) {
      const count = body.u32();
      if (count === 0 || !isAwaited || this.#isVoid(takenFrom)) return;
      this.#hasAll = body.bool();
      this.#fillHand(count, true, body);
    }
  }

  /** Whether what has come was sent before the hub read a request of this thread that is about all there is. */
  #isVoid(asked: Borrower | undefined): boolean {
    const { link, identity } = this.#roomBorrower;
    return asked?.link === link && asked.identity === identity && link.isAwaitingReply;
  }

  override told(operation: number, body: Body): void {
    if (operation === ROOM_IS_WANTED) this.#giveBackRoom();
    else if (operation === MORE_ROOM && !this.#isVoid(askedAbout)) this.#addRoom(body.u32());
  }

  protected override sayWaiting(word: FrameWriter, side: Side): void {
    if (side === PUT_SIDE) word.u32(this.#wanted);
    if (side !== TAKE_SIDE) return;
    word.u32(this.#isReceiver ? 0 : this.#hand.nextWindow());
    this.#handIsOver();
    this.#hasAll = false;
  }

  copyTickets(message: Uint8Array, source: Channel): Ticket[] {
    const tickets = source.ticketsIn(message);
    if (tickets.length === 0) return [];
    this.request(COPY_TICKETS).json(tickets);
    const copies = this.link.ask().json() as Ticket[];
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    for (const [i, copy] of copies.entries()) {
      bytes.write(copy, bytes.indexOf(tickets[i] as Ticket, 0, 'latin1'), 'latin1');
    }
    return copies;
  }

  end(): void {
    this.assertOpen();
    giveBackOf('room', this.link, this.identity());
    this.word(END);
    this.link.tell();
  }

  get ended(): boolean {
    return this.#ask(HAS_ENDED).bool();
  }

  size(): number {
    this.#giveBackMessages();
    return this.#ask(SIZE).u32();
  }

  isFull(): boolean {
    this.assertOpen();
    this.#askAboutRoom();
    this.request(IS_FULL);
    return this.#askForRoom().bool();
  }

  isReadable(): boolean {
    this.#giveBackMessages();
    this.request(IS_READABLE);
    return this.#askVoiding().bool();
  }

  stats(): ChannelStats {
    this.#giveBackMessages();
    return this.#ask(STATS).json() as ChannelStats;
  }

  override close(): void {
    // What was received goes back in front of what is in other hands.
    if (!this.isClosed && this.#held.size > 0) this.#giveBackMessages();
    // Of what is in hand it cannot know what was handed out; a promise it ends with the handle.
    if (!this.isClosed) this.#giveBackHand();
    hasGivenBack(this.#roomBorrower);
    super.close();
  }

  #ask(operation: number): Body {
    this.request(operation);
    return this.link.ask();
  }
}

function writeBatch(
  frame: FrameWriter,
  messages: readonly Uint8Array[],
  from: number,
  count: number,
): void {
  frame.u32(count);
  for (let i = from; i < from + count; i++) frame.u32((messages[i] as Uint8Array).length);
  for (let i = from; i < from + count; i++) frame.rest(messages[i] as Uint8Array);
}

/** How many of the messages, from there on, go together. */
function batchLength(messages: readonly Uint8Array[], from: number): number {
  const last = Math.min(messages.length, from + BATCH);
  let bytes = 0;
  let index = from;
  while (index < last) {
    bytes += (messages[index] as Uint8Array).length;
    if (bytes > SENT_ALONG_BYTES) break;
    index++;
  }
  return index - from;
}

export function openChannel(
  link: Link,
  name: string | undefined,
  mode: OpenMode,
  options: ChannelOptions,
): Channel {
  link
    .begin(0, OPEN_CHANNEL)
    .json(name ?? null)
    .text(mode)
    .json(options);
  return opened(link);
}

export function openChannelTicket(link: Link, ticket: Ticket, codec?: string): Channel {
  if (!looksLikeTicket(ticket)) {
    throw new InterprocError('ERR_DECODE', `'${ticket.slice(0, 80)}' is no handle of a queue`);
  }
  link
    .begin(0, OPEN_CHANNEL_TICKET)
    .text(ticket)
    .json(codec ?? null);
  return opened(link);
}

function opened(link: Link): Channel {
  const reply = link.ask();
  const handle = reply.u32();
  const identity = reply.u64();
  const name = reply.text();
  return new RemoteChannel(link, handle, identity, name, reply.json() as ChannelGeometry);
}
