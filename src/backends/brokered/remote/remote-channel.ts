/** A queue behind a hub. */

import { InterprocError } from '../../../errors.js';
import { ENDED, FULL, LARGE, PUT as PUT_SIDE } from '../../../contract/channel.js';
import type {
  Channel,
  ChannelCapabilities,
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
  COPY_TICKETS,
  END,
  GIVE_BACK_ROOM,
  HAS_ENDED,
  IS_FINISHED,
  IS_FULL,
  IS_READABLE,
  KEEP_ROOM,
  NACK,
  PUT,
  PUT_KEPT,
  PUT_MANY,
  PUT_MANY_PROMISED,
  PUT_PROMISED,
  RECEIVE,
  ROOM_IS_WANTED,
  SENT_ALONG_BYTES,
  SIZE,
  STATS,
  TAKE,
  TAKE_MANY,
  TASK_DONE,
  TOO_LARGE,
  UNDELIVER,
} from '../channel-operations.js';
import type { Body, FrameWriter } from '../frames.js';
import { isBeside, roomFor } from '../queue-room.js';
import { OPEN_CHANNEL, OPEN_CHANNEL_TICKET } from '../operations.js';
import { giveBackOf, hasBorrowed, hasGivenBack } from './borrowed.js';
import type { Borrower } from './borrowed.js';
import type { Link } from './link.js';
import { inbox, lengths, offsets, outbox } from './message-memory.js';
import { PromisedRoom } from './promised-room.js';
import { looksLikeTicket, RemoteObject } from './remote-object.js';

const CAPABILITIES: ChannelCapabilities = Object.freeze({
  blocking: true,
  redelivery: true,
  leases: false,
});

const ANY_LENGTH = 2 ** 32 - 1;

export class RemoteChannel extends RemoteObject implements Channel {
  readonly geometry: ChannelGeometry;
  readonly capabilities = CAPABILITIES;
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

  constructor(
    link: Link,
    handle: number,
    identity: bigint,
    name: string,
    geometry: ChannelGeometry,
  ) {
    super(link, handle, identity, name);
    this.geometry = geometry;
    this.#roomBorrower = {
      link,
      identity,
      wasUsed: () => this.#room.wasUsed(),
      giveBack: () => this.#giveBackRoom(),
    };
  }

  // Putting

  tryPutOutbox(length: number): number {
    return this.tryPut(outbox.subarray(0, length));
  }

  tryPut(bytes: Uint8Array): number {
    return this.#put(bytes, false);
  }

  tryPutCarrying(bytes: Uint8Array): number {
    return this.#put(bytes, true);
  }

  #put(bytes: Uint8Array, carries: boolean): number {
    const { maxMessageBytes } = this.geometry;
    if (bytes.length > maxMessageBytes) {
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `A message of ${bytes.length} bytes; queue '${this.name}' takes ${maxMessageBytes} at most`,
      );
    }
    const { length } = bytes;
    const room = this.#roomFor(length);
    if (room <= this.#room.bytes) {
      this.word(PUT_PROMISED).bool(carries);
      this.link.tell(bytes);
      this.#room.use(room);
      return 0;
    }
    this.assertOpen();
    this.#wanted = length;
    this.#askAboutRoom();
    if (length > SENT_ALONG_BYTES) return this.#putLarge(bytes, carries);
    this.request(PUT).bool(carries).bool(this.#room.isFast());
    const reply = this.link.ask(bytes);
    return this.#promisedWith(reply.i32(), reply.u32());
  }

  /** What a message of that length takes of the promised room: more than there is if it stands beside it. */
  #roomFor(length: number): number {
    const { capacityBytes } = this.geometry;
    return isBeside(length, capacityBytes) ? Infinity : roomFor(length, capacityBytes);
  }

  /** The reply is to be about all room there is: no other handle of this thread keeps some from it, or fills what was said to be full. */
  #askAboutRoom(): void {
    giveBackOf(this.link, this.identity(), this.#roomBorrower);
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
    this.link.tell();
  }

  /** Nothing of it is sent before there is room. */
  #putLarge(bytes: Uint8Array, carries: boolean): number {
    this.request(KEEP_ROOM).u32(bytes.length);
    const status = this.link.ask().i32();
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
    const reply = this.link.ask();
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

  tryTake(): number {
    this.request(TAKE).u32(ANY_LENGTH);
    const reply = this.link.ask();
    const status = reply.i32();
    if (status < 0) return status;
    this.deliveries = reply.u32();
    this.#unfinished++;
    return this.#intoInbox(reply);
  }

  tryTakeInto(buffer: Uint8Array): number {
    this.request(TAKE).u32(buffer.length);
    const reply = this.link.ask();
    const status = reply.i32();
    if (status === TOO_LARGE) {
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `${this.name}: the next message has ${reply.u32()} bytes, the buffer ${buffer.length}; the message stays in the queue`,
      );
    }
    if (status < 0) return status;
    this.deliveries = reply.u32();
    this.#unfinished++;
    const bytes = reply.rest();
    buffer.set(bytes);
    return bytes.length;
  }

  tryTakeMany(max: number): number {
    this.request(TAKE_MANY).u32(Math.min(max, BATCH)).u32(inbox.length);
    const reply = this.link.ask();
    const count = reply.i32();
    if (count < 0) return count;
    this.deliveries = reply.u32();
    this.#unfinished += count;
    let offset = 0;
    for (let i = 0; i < count; i++) {
      const length = reply.u32();
      offsets[i] = offset;
      lengths[i] = length;
      offset += length;
    }
    return this.#intoInbox(reply) === LARGE ? LARGE : count;
  }

  tryReceive(): number {
    this.request(RECEIVE);
    const reply = this.link.ask();
    const status = reply.i32();
    if (status < 0) return status;
    this.receipt = reply.f64();
    this.deliveries = reply.u32();
    this.#held.add(this.receipt);
    return this.#intoInbox(reply);
  }

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
    this.#settle(NACK, receipt);
  }

  undeliver(receipt: number): void {
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
    return this.#ask(IS_FINISHED).bool();
  }

  // The queue itself

  protected override heard(side: Side, body: Body): void {
    if (side === PUT_SIDE) this.#addRoom(body.u32());
  }

  override told(operation: number): void {
    if (operation === ROOM_IS_WANTED) this.#giveBackRoom();
  }

  protected override sayWaiting(word: FrameWriter, side: Side): void {
    if (side === PUT_SIDE) word.u32(this.#wanted);
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
    giveBackOf(this.link, this.identity());
    this.word(END);
    this.link.tell();
  }

  get ended(): boolean {
    return this.#ask(HAS_ENDED).bool();
  }

  size(): number {
    return this.#ask(SIZE).u32();
  }

  isFull(): boolean {
    this.assertOpen();
    this.#askAboutRoom();
    return this.#ask(IS_FULL).bool();
  }

  isReadable(): boolean {
    return this.#ask(IS_READABLE).bool();
  }

  stats(): ChannelStats {
    return this.#ask(STATS).json() as ChannelStats;
  }

  override close(): void {
    // The hub ends a promise with the handle.
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
