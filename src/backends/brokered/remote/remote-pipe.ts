/**
 * An end of a pipe whose messages go through a hub.
 *
 * *Sending* is a word as long as there is room, and the end knows its room: it is told of what comes free, and it alone fills it.
 *
 * *Receiving* takes from what the hub has handed over. When that is nothing, the hub is asked, for more at a time the longer a run of
 * calls gets; a wait subscribes, so that messages come with its bell and from then on unasked. A look that finds nothing still asks:
 * whoever looks may know that something was sent, by whatever way, and is to find it. Only a call that would wait for it anyway need
 * not (`tellsUnasked`). What is asked for comes with the reply, and ends the subscription, so that what comes unasked is never behind
 * a reply that has not been read.
 */

import { InterprocError } from '../../../errors.js';
import { CARRYING, EMPTY, ENDED, FULL, LARGE, RECEIVE, SEND } from '../../../contract/pipe.js';
import type {
  EndIndex,
  PipeEnd,
  PipeGeometry,
  PipeOptions,
  PipeStats,
} from '../../../contract/pipe.js';
import type { Side, Ticket } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import { OPEN_PIPE, OPEN_PIPE_TICKET } from '../operations.js';
import {
  FIRST_PART,
  MARKS,
  MESSAGE_HEADER_BYTES,
  PART,
  PART_HEADER_BYTES,
} from '../packed-messages.js';
import type { PackedMessage } from '../packed-messages.js';
import { pipeGeometry, readGeometry, writeGeometry } from '../pipe-geometry.js';
import * as operations from '../pipe-operations.js';
import { looksLikeTicket } from '../ticket-text.js';
import { endsBehind } from './ends-here.js';
import type { EndHere, EndsHere } from './ends-here.js';
import type { Link } from './link.js';
import { inbox, lengths, offsets, outbox } from './message-memory.js';
import { ReceivedMessages } from './received-messages.js';
import { RemoteObject } from './remote-object.js';
import { thisTurn } from './thread-turn.js';

const CAPABILITIES = Object.freeze({ blocking: true });

/** Messages received at once, at most. */
const BATCH = lengths.length;

/** Most that is on its way to an end without having been asked for, and most that one request fetches. */
const WINDOW_BYTES = 2 ** 16;
/** A subscriber says what it has consumed when it is so much of the window. */
const SAID_SHARE = 1 / 4;
/** Of calls without a turn in between: when one request fetches so many messages, more will be wanted. */
const LONG_RUN = 16;
/** Of a batch that goes in one word. */
const WORD_BYTES = 2 ** 16;
/** A part of a message: so much of the capacity that the next can be sent while it is received. */
const PART_SHARE = 1 / 4;

/** What an open end begins with, as PipeAttachment.write says it. */
interface Opened {
  readonly handle: number;
  readonly index: EndIndex;
  readonly identity: bigint;
  readonly name: string;
  readonly geometry: PipeGeometry;
  readonly room: number;
  readonly isPeerGone: boolean;
}

/** A message that comes in parts, as far as it has come. */
interface Assembly {
  readonly bytes: Uint8Array;
  readonly marks: number;
  filled: number;
}

export class RemotePipeEnd extends RemoteObject implements PipeEnd, EndHere {
  readonly geometry: PipeGeometry;
  readonly index: EndIndex;
  readonly capabilities = CAPABILITIES;
  readonly canSend: boolean;
  readonly canReceive: boolean;
  readonly wholeBytes: number;
  readonly outbox = outbox;
  readonly offsets = offsets;
  readonly lengths = lengths;
  inbox: Uint8Array = inbox;
  marks = 0;
  readonly #here: EndsHere;
  readonly #pipe: bigint;
  /** Bytes that may be sent without asking. */
  #room: number;
  #isPeerGone: boolean;
  /** The turn in which something was heard of the other end last, or that went on from such a one. */
  #heardTurn = -2;
  /** What the last look for room was about. */
  #wanted = 0;
  readonly #received = new ReceivedMessages();
  /** Nothing comes after what was received. */
  #isEnded = false;
  #assembly: Assembly | undefined;
  /** A message that came in parts, until it is consumed. */
  #whole: Assembly | undefined;
  #large: Uint8Array | undefined;
  /** A CARRYING message was received that is still in front. */
  #isUnfinished = false;
  #isSubscribed = false;
  /** What may come unasked. */
  readonly #window: number;
  /** What of it was consumed, and the hub was not told. */
  #unsaid = 0;
  #fetchTurn = -1;
  /** How many messages are asked for at once. */
  #fetched = 1;
  #sent = 0;
  #receivedCount = 0;
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(link: Link, opened: Opened) {
    const { handle, index, identity, name, geometry, room, isPeerGone } = opened;
    super(link, handle, identity, name);
    this.geometry = geometry;
    this.index = index;
    this.canSend = geometry.duplex || index === 1;
    this.canReceive = geometry.duplex || index === 0;
    this.wholeBytes = geometry.capacityBytes - MESSAGE_HEADER_BYTES;
    this.#pipe = identity;
    this.#room = room;
    this.#isPeerGone = isPeerGone;
    this.#window = Math.min(geometry.capacityBytes, WINDOW_BYTES);
    this.#here = endsBehind(link);
    this.#here.add(identity, index, this);
  }

  // Sending

  trySendOutbox(length: number, marks: number): number {
    return this.#send(outbox, length, marks);
  }

  trySend(bytes: Uint8Array, marks: number): number {
    return this.#send(bytes, bytes.length, marks);
  }

  /** `memory[0, length)` */
  #send(memory: Uint8Array, length: number, marks: number): number {
    if (length > this.wholeBytes) return this.#isPeerGone ? ENDED : FULL;
    if (!this.#hasRoom(MESSAGE_HEADER_BYTES + length)) return this.#isPeerGone ? ENDED : FULL;
    this.#room -= MESSAGE_HEADER_BYTES + length;
    if (length > outbox.length) {
      this.word(operations.SEND).u32(length).u32(marks);
      this.link.tell(memory);
    } else {
      if (memory !== outbox) outbox.set(memory);
      this.outboxWord(operations.SEND, MESSAGE_HEADER_BYTES, length).u32(length).u32(marks);
      this.link.tellOutboxSoon();
    }
    this.#countSent(length);
    return 0;
  }

  trySendMany(messages: readonly Uint8Array[], from: number): number {
    if (!this.#hasRoom(MESSAGE_HEADER_BYTES + (messages[from] as Uint8Array).length)) {
      return this.#isPeerGone ? ENDED : 0;
    }
    const most = Math.min(this.#room, WORD_BYTES);
    let word: FrameWriter | undefined;
    let index = from;
    let packed = 0;
    for (; index < messages.length; index++) {
      const message = messages[index] as Uint8Array;
      const size = MESSAGE_HEADER_BYTES + message.length;
      // A single one may be longer than a word is else.
      if (packed + size > most && (index > from || size > this.#room)) break;
      word ??= this.word(operations.SEND);
      word.u32(message.length).u32(0).rest(message);
      packed += size;
      this.#countSent(message.length);
    }
    this.link.tell();
    this.#room -= packed;
    return index - from;
  }

  trySendParts(bytes: Uint8Array, from: number, marks: number): number {
    const { length } = bytes;
    const most = this.geometry.capacityBytes * PART_SHARE;
    let gone = from;
    while (gone < length) {
      const size = Math.min(length - gone, most - PART_HEADER_BYTES);
      if (!this.#hasRoom(PART_HEADER_BYTES + size)) break;
      const flags = marks | PART | (gone === 0 ? FIRST_PART : 0);
      this.word(operations.SEND).u32(size).u32(flags).u32(length);
      this.link.tell(bytes.subarray(gone, gone + size));
      this.#room -= PART_HEADER_BYTES + size;
      gone += size;
    }
    if (gone === from && this.#isPeerGone) return ENDED;
    this.#sentBytes += gone - from;
    if (gone === length) this.#sent++;
    return gone - from;
  }

  #countSent(length: number): void {
    this.#sent++;
    this.#sentBytes += length;
  }

  /**
   * Whether so much may be sent now. One that sends now and then asks, and learns of a death at once: unless something was heard of the
   * other end in this turn of the event loop, or this goes on from the turn before. Who sends all the time is told soon, and need not
   * wait for the hub to read all that he has sent.
   */
  #hasRoom(bytes: number): boolean {
    if (this.#isPeerGone) return false;
    if (this.#isPeerThere()) {
      if (bytes <= this.#room) return true;
      // Room that was told of while this thread was busy sending.
      this.link.hear();
      if (bytes <= this.#room && !this.#isPeerGone) return true;
    }
    this.#wanted = bytes;
    this.request(operations.ROOM);
    this.#hearRoom(this.link.ask());
    return !this.#isPeerGone && bytes <= this.#room;
  }

  #isPeerThere(): boolean {
    const turn = thisTurn();
    if (turn === this.#heardTurn) return true;
    if (turn !== this.#heardTurn + 1 && !this.peerIsHere) return false;
    this.#heardTurn = turn;
    return true;
  }

  #hearRoom(body: Body): void {
    this.#room += body.f64();
    if (body.bool()) this.#isPeerGone = true;
    this.#heardTurn = thisTurn();
  }

  // Receiving

  tryReceive(): number {
    const status = this.#next();
    if (status !== 0) return status;
    const { bytes, begin, end } = this.#nextBytes();
    const length = end - begin;
    if (length > inbox.length) {
      this.#large = bytes.slice(begin, end);
      this.#take(length);
      return LARGE;
    }
    inbox.set(bytes.subarray(begin, end));
    this.inbox = inbox;
    this.#take(length);
    return length;
  }

  tryReceiveCopy(): Uint8Array | number {
    const status = this.#next();
    if (status !== 0) return status;
    const message = this.#copyNext();
    this.#take(message.length);
    return message;
  }

  tryReceiveInto(buffer: Uint8Array, offset: number): number {
    const status = this.#next();
    if (status !== 0) return status;
    const { bytes, begin, end } = this.#nextBytes();
    const length = end - begin;
    const fits = length <= buffer.length - offset;
    if (fits) buffer.set(bytes.subarray(begin, end), offset);
    else this.#large = this.#copyNext();
    this.#take(length);
    return fits ? length : LARGE;
  }

  tryReceiveMany(max: number): number {
    const status = this.#next(Math.min(max, BATCH));
    if (status !== 0) return status;
    const received = this.#received;
    const first = received.front;
    if (this.#whole !== undefined || first === undefined || first.flags !== 0) {
      const length = this.tryReceive();
      offsets[0] = 0;
      lengths[0] = length;
      return length === LARGE ? LARGE : 1;
    }
    const { bytes } = received;
    const most = Math.min(max, BATCH);
    let count = 0;
    for (let next: PackedMessage | undefined = first; next !== undefined; next = received.front) {
      if (count === most || next.flags !== 0 || received.bytes !== bytes) break;
      offsets[count] = next.begin;
      lengths[count] = next.length;
      count++;
      this.#take(next.length);
    }
    // They are handed out where they are.
    this.inbox = bytes;
    return count;
  }

  takeLarge(): Uint8Array {
    const large = this.#large;
    if (large === undefined) throw new Error('no large message was received');
    this.#large = undefined;
    return large;
  }

  finish(): void {
    this.assertOpen();
    if (!this.#isUnfinished) throw new Error('no message to be finished was received');
    this.#consume();
  }

  nextLength(): number {
    if (this.#whole !== undefined) return this.#whole.bytes.length;
    const front = this.#received.front;
    if (front !== undefined) return front.wholeLength;
    const status = this.#fetch(1);
    if (status === 0) return (this.#received.front as PackedMessage).wholeLength;
    return status === EMPTY && this.#assembly !== undefined ? this.#assembly.bytes.length : status;
  }

  isReadable(): boolean {
    const status = this.#next();
    this.marks = status === 0 ? this.#nextMarks() : 0;
    return status !== EMPTY;
  }

  /** Sees to it that there is a whole message in front: 0, EMPTY or ENDED. Parts of one are put together. */
  #next(wanted = 1): number {
    this.assertOpen();
    if (this.#whole !== undefined) return 0;
    for (;;) {
      const front = this.#received.front;
      if (front === undefined) {
        const status = this.#fetch(wanted);
        if (status !== 0) return status;
        continue;
      }
      if ((front.flags & PART) === 0) {
        // One that had begun is given up.
        this.#assembly = undefined;
        return 0;
      }
      this.#assemble(front);
      if (this.#whole !== undefined) return 0;
    }
  }

  #assemble({ flags, begin, end, wholeLength }: PackedMessage): void {
    if ((flags & FIRST_PART) !== 0) {
      const bytes = this.#arrayOf(wholeLength);
      this.#assembly = { bytes, marks: flags & MARKS, filled: 0 };
    }
    const assembly = this.#assembly;
    const { bytes } = this.#received;
    this.#shift();
    if (assembly === undefined || assembly.filled + end - begin > assembly.bytes.length) {
      throw new InterprocError(
        'ERR_CORRUPT',
        `Pipe '${this.name}' has a part of no message; close it`,
      );
    }
    assembly.bytes.set(bytes.subarray(begin, end), assembly.filled);
    assembly.filled += end - begin;
    if (assembly.filled < assembly.bytes.length) return;
    this.#assembly = undefined;
    this.#whole = assembly;
  }

  #arrayOf(length: number): Uint8Array {
    try {
      return new Uint8Array(length);
    } catch (cause) {
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `${this.name}: this process has no memory for the next message, of ${length} bytes; the message stays where it is`,
        { cause },
      );
    }
  }

  #nextBytes(): { readonly bytes: Uint8Array; readonly begin: number; readonly end: number } {
    const whole = this.#whole?.bytes;
    if (whole !== undefined) return { bytes: whole, begin: 0, end: whole.length };
    const { begin, end } = this.#received.front as PackedMessage;
    return { bytes: this.#received.bytes, begin, end };
  }

  #nextMarks(): number {
    return this.#whole?.marks ?? (this.#received.front as PackedMessage).flags & MARKS;
  }

  #copyNext(): Uint8Array {
    // One that was put together is nobody else's, unless it is to be had again.
    if (this.#whole !== undefined && (this.#whole.marks & CARRYING) === 0) return this.#whole.bytes;
    const { bytes, begin, end } = this.#nextBytes();
    return bytes.slice(begin, end);
  }

  /** The message in front is handed out. */
  #take(length: number): void {
    this.marks = this.#nextMarks();
    this.#isUnfinished = (this.marks & CARRYING) !== 0;
    if (this.#isUnfinished) return;
    this.#receivedCount++;
    this.#receivedBytes += length;
    this.#remove();
  }

  #consume(): void {
    const { begin, end } = this.#nextBytes();
    this.#isUnfinished = false;
    this.#receivedCount++;
    this.#receivedBytes += end - begin;
    this.#remove();
  }

  #remove(): void {
    if (this.#whole !== undefined) this.#whole = undefined;
    else this.#shift();
  }

  #shift(): void {
    this.#unsaid += this.#received.shift();
    if (this.link.isLost) return;
    // One that goes on asking would wait for a reply again and again, while what it asks for could be on its way.
    if (this.#fetched >= LONG_RUN && this.#received.isEmpty) this.#subscribe();
    if (!this.#isSubscribed || this.#unsaid < this.#window * SAID_SHARE) return;
    this.word(operations.CONSUMED).u32(this.#unsaid);
    this.link.tellIfThere();
    this.#unsaid = 0;
  }

  /** Asks the hub for messages, if that may be of use: 0 if there are some now, EMPTY or ENDED. */
  #fetch(wanted: number): number {
    this.assertOpen();
    if (this.#isEnded) return ENDED;
    const turn = thisTurn();
    this.#fetched = turn === this.#fetchTurn ? Math.min(2 * this.#fetched, BATCH) : 1;
    this.#fetchTurn = turn;
    this.request(operations.RECEIVE).u32(this.#window).u32(Math.max(wanted, this.#fetched));
    const reply = this.link.ask();
    this.#isSubscribed = false;
    this.#hearMessages(reply);
    const isNothing = this.#received.isEmpty && !this.#isEnded;
    if (this.isArmed(RECEIVE)) {
      if (isNothing) this.#subscribe();
      else this.ringSoon(RECEIVE);
    }
    if (isNothing) return EMPTY;
    return this.#received.isEmpty ? ENDED : 0;
  }

  #hearMessages(body: Body): void {
    this.#isEnded = body.bool();
    if (body.left > 0) this.#heardTurn = thisTurn();
    this.#received.push(body.rest());
  }

  // Waits

  override arm(side: Side): boolean {
    if (side !== RECEIVE) return super.arm(side);
    if (this.#subscribe()) return true;
    this.armUnasked(RECEIVE);
    return false;
  }

  override waitSync(side: Side, timeoutMs: number): boolean {
    if (side !== RECEIVE) return super.waitSync(side, timeoutMs);
    return this.#subscribe() || this.waitSyncUnasked(RECEIVE, timeoutMs);
  }

  /** True if there is something already. */
  #subscribe(): boolean {
    this.assertOpen();
    if (!this.#received.isEmpty || this.#isEnded) return true;
    if (this.#isSubscribed) return false;
    this.word(operations.SUBSCRIBE).u32(this.#window);
    this.link.tellIfThere();
    this.#isSubscribed = true;
    this.#unsaid = 0;
    return false;
  }

  get tellsUnasked(): boolean {
    return this.#isSubscribed && this.#received.isEmpty && !this.#isEnded && !this.link.isLost;
  }

  protected override sayWaiting(word: FrameWriter): void {
    word.f64(this.#wanted);
  }

  protected override heard(side: Side, body: Body): void {
    if (side === SEND) this.#hearRoom(body);
    else this.#hearMessages(body);
  }

  override told(operation: number, body: Body): void {
    if (operation === operations.ROOM_FREED) this.#hearRoom(body);
  }

  // The other end

  peerIsGone(): boolean {
    this.assertOpen();
    if (this.#isPeerGone) return true;
    this.request(operations.PEER_GONE);
    this.#isPeerGone = this.link.ask().bool();
    return this.#isPeerGone;
  }

  get peerIsHere(): boolean {
    return this.#here.get(this.#pipe, (1 - this.index) as EndIndex) !== undefined;
  }

  peerWasClosed(): void {
    this.#isPeerGone = true;
  }

  // Moving

  override prepareToTravel(): void {
    if (this.#assembly !== undefined || this.#whole !== undefined || this.#large !== undefined) {
      throw new InterprocError(
        'ERR_ENCODE',
        `An end of pipe '${this.name}' cannot be sent away: it has received a part of a message; receive the rest first`,
      );
    }
    if (!this.#isSubscribed) return;
    // So that all that was on its way is here, and can go back.
    this.request(operations.RECEIVE).u32(0).u32(0);
    const reply = this.link.ask();
    this.#isSubscribed = false;
    this.#hearMessages(reply);
  }

  override isAboard(): void {
    this.word(operations.OFFERED);
    this.link.tell(this.unconsumed());
    // If it stays, all of this comes again.
    this.#received.clear();
    this.#isEnded = false;
    this.#isUnfinished = false;
  }

  /** What was received and not consumed, which goes with the end. */
  unconsumed(): Uint8Array {
    return this.#received.packed;
  }

  stay(): void {
    if (this.link.isLost) return;
    this.word(operations.STAY);
    this.link.tellIfThere();
  }

  depart(): void {
    if (!this.link.isLost) {
      this.word(operations.DEPART);
      this.link.tellIfThere();
    }
    this.hasMoved();
  }

  /** The hub knows already that it is somebody else's. */
  hasMoved(): void {
    this.#leave(false);
  }

  override close(): void {
    this.#leave(true);
  }

  #leave(isClosed: boolean): void {
    if (this.isClosed) return;
    super.close();
    this.#received.clear();
    this.#assembly = undefined;
    this.#whole = undefined;
    this.#large = undefined;
    this.#here.remove(this.#pipe, this.index, this);
    if (isClosed) this.#here.get(this.#pipe, (1 - this.index) as EndIndex)?.peerWasClosed();
  }

  override unlink(): void {
    // It has no name that anybody could know.
  }

  stats(): PipeStats {
    this.assertOpen();
    return {
      sent: this.#sent,
      received: this.#receivedCount,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
    };
  }
}

/** @throws ERR_INVALID_ARG, ERR_BROKER */
export function openPipe(link: Link, options: PipeOptions): [PipeEnd, PipeEnd] {
  writeGeometry(link.begin(0, OPEN_PIPE), pipeGeometry(options));
  const body = link.ask();
  const [first, second] = [readEnd(body), readEnd(body)];
  return [new RemotePipeEnd(link, first), new RemotePipeEnd(link, second)];
}

/** @throws ERR_DECODE, ERR_NOT_FOUND, ERR_BROKER */
export function openPipeTicket(link: Link, ticket: Ticket): PipeEnd {
  if (!looksLikeTicket(ticket)) {
    throw new InterprocError('ERR_DECODE', `'${ticket.slice(0, 80)}' is no end of a pipe`);
  }
  link.begin(0, OPEN_PIPE_TICKET).text(ticket);
  return arrivedEnd(link, link.ask());
}

/** The end that a reply tells of. */
export function arrivedEnd(link: Link, body: Body): RemotePipeEnd {
  return new RemotePipeEnd(link, readEnd(body));
}

function readEnd(body: Body): Opened {
  const handle = body.u32();
  const index = body.u8() as EndIndex;
  const identity = body.u64();
  const name = body.text();
  const geometry = readGeometry(body);
  return { handle, index, identity, name, geometry, room: body.f64(), isPeerGone: body.bool() };
}
