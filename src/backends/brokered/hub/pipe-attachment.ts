/** An end of a pipe in the hands of a session. */

import { CARRYING, RECEIVE as RECEIVE_SIDE, SEND as SEND_SIDE } from '../../../contract/pipe.js';
import type { Side, Ticket } from '../../../contract/shared-object.js';
import { PLAIN_BODY_BYTES } from '../frames.js';
import type { Body, FrameWriter } from '../frames.js';
import { READY, UNASKED } from '../operations.js';
import { assertPacked, packedAt, PART } from '../packed-messages.js';
import { readGeometry, writeGeometry } from '../pipe-geometry.js';
import {
  CONSUMED,
  DEPART,
  OFFERED,
  PEER_GONE,
  RECEIVE,
  ROOM,
  ROOM_FREED,
  SEND,
  STAY,
  SUBSCRIBE,
} from '../pipe-operations.js';
import { fail } from './fail.js';
import { Attachment, Waits } from './hub-object.js';
import { HubEnd, HubPipe, lostEnd } from './hub-pipe.js';
import type { EndOwner } from './hub-pipe.js';
import { MessageFifo } from './message-fifo.js';
import type { Session } from './session.js';

/** A sender that does not wait is told of room when so much of the capacity has come free. */
const TOLD_SHARE = 1 / 4;

export class PipeAttachment extends Attachment implements EndOwner {
  readonly end: HubEnd;
  protected readonly waits = new Waits();
  /** Room that a wait for some is about. */
  #wanted = 0;
  /** What may be on its way unasked. */
  #window = 0;
  /** Messages that are on their way when what is being read has been. */
  readonly #taken = new MessageFifo();
  #isSubscribed = false;
  #isTellingSoon = false;
  /** Whether it was told, unasked, that the other end is gone, and that nothing more comes. */
  #hasToldLoss = false;
  #hasToldEnd = false;
  #isOffered = false;
  #hasDeparted = false;

  constructor(session: Session, end: HubEnd) {
    super(session);
    this.end = end;
    end.owner = this;
  }

  get carrier(): HubEnd {
    return this.end;
  }

  get passenger(): HubEnd {
    return this.end;
  }

  /** Whether a message has it, or may have it by now. */
  get isOffered(): boolean {
    return this.#isOffered;
  }

  /** As many messages as there may be room for, or as have been received. */
  override get longestBody(): number {
    return Math.max(2 * this.end.pipe.geometry.capacityBytes, PLAIN_BODY_BYTES);
  }

  override serve(operation: number, body: Body, reply: FrameWriter): void {
    // Whoever opened the ticket has it, though we have not heard yet that the message was sent.
    if (this.end.owner !== this && operation !== DEPART) {
      fail('ERR_CLOSED', `The end of pipe '${this.end.name}' has moved`);
    }
    switch (operation) {
      case SEND:
        this.#send(body);
        return;
      case ROOM:
        this.#sayRoom(reply);
        return;
      case RECEIVE: {
        this.#isSubscribed = false;
        const bytes = body.u32();
        this.#take(bytes, body.u32());
        this.#writeTaken(reply);
        return;
      }
      case SUBSCRIBE:
        this.#isSubscribed = true;
        this.#window = this.#windowOf(body.u32());
        this.#takeUnasked();
        this.#tellSoon();
        return;
      case CONSUMED:
        this.#window = this.#windowOf(this.#window + body.u32());
        this.#takeUnasked();
        return;
      case PEER_GONE:
        reply.bool(!this.end.peer.isThere);
        return;
      case OFFERED:
        this.#isOffered = true;
        this.#hasToldEnd = false;
        this.giveBack(body.rest());
        return;
      case STAY:
        this.#isOffered = false;
        return;
      case DEPART:
        this.depart();
        return;
      default:
        super.serve(operation, body, reply);
    }
  }

  /** Everything that makes an end of it. */
  write(reply: FrameWriter): void {
    const { pipe, index, peer } = this.end;
    reply.u32(this.handle).u8(index).u64(pipe.identity).text(pipe.name);
    writeGeometry(reply, pipe.geometry);
    peer.inbound.say();
    reply.f64(peer.inbound.room).bool(!peer.isThere);
  }

  #send(body: Body): void {
    const { pipe, peer } = this.end;
    const packed = body.rest();
    assertPacked(packed, pipe.geometry.maxMessageBytes);
    // To somebody who has just left.
    if (!peer.isThere) return;
    if (peer.owner === undefined) peer.inbound.push(packed);
    else peer.owner.messagesCame(packed);
    if (!this.session.tickets.isEmpty) this.#ticketsSent(packed);
  }

  #ticketsSent(packed: Buffer): void {
    const { tickets } = this.session;
    const { peer } = this.end;
    for (let at = 0; at < packed.length;) {
      const { flags, begin, end } = packedAt(packed, at);
      at = end;
      if ((flags & CARRYING) === 0) continue;
      // One may lie across two parts.
      if ((flags & PART) !== 0) tickets.sentUnseen(peer);
      else tickets.sent(peer, packed.subarray(begin, end));
    }
  }

  // Receiving

  /** What is on its way to a session that does not read it is the hub's to keep. */
  #windowOf(bytes: number): number {
    return Math.min(bytes, this.end.pipe.geometry.capacityBytes);
  }

  messagesCame(packed: Uint8Array): void {
    const { inbound, peer } = this.end;
    if (this.#isSubscribed && inbound.bytes === 0 && packed.length <= this.#window) {
      inbound.pass(packed);
      this.#taken.push(packed);
      this.#window -= packed.length;
      this.#tellSoon();
      peer.owner?.roomCameFree();
    } else {
      inbound.push(packed);
      this.#takeUnasked();
    }
  }

  /** As far as the window goes. At once, so that it is known at once what room that leaves; they are sent soon. */
  #takeUnasked(): void {
    if (!this.#isSubscribed) return;
    while (this.#window > 0 && this.end.inbound.bytes > 0) {
      this.#window -= this.#take(this.#window, Infinity);
      this.#tellSoon();
    }
  }

  /** Returns how much. */
  #take(bytes: number, messages: number): number {
    const { inbound, peer } = this.end;
    const packed = inbound.shift(bytes, messages);
    this.#taken.push(packed);
    if (packed.length > 0) peer.owner?.roomCameFree();
    return packed.length;
  }

  #writeTaken(frame: FrameWriter): void {
    this.#hasToldEnd = this.end.isAtEnd;
    frame.bool(this.#hasToldEnd).rest(this.#taken.shiftAll());
  }

  /** What was received is not consumed: it is the first thing that the next owner gets. */
  giveBack(packed: Buffer): void {
    const { pipe, inbound } = this.end;
    assertPacked(packed, pipe.geometry.maxMessageBytes);
    inbound.unshift(packed);
  }

  // Room

  roomCameFree(): void {
    if (this.waits.wakeWorthy() > 0) return;
    const { pipe, peer } = this.end;
    if (peer.inbound.unsaid >= pipe.geometry.capacityBytes * TOLD_SHARE) this.#tellSoon();
  }

  peerIsLost(): void {
    this.waits.wakeWorthy();
    this.#tellSoon();
  }

  #sayRoom(frame: FrameWriter): void {
    const { peer } = this.end;
    frame.f64(peer.inbound.say()).bool(!peer.isThere);
  }

  override isWorthALook(side: Side): boolean {
    if (side !== SEND_SIDE) fail('ERR_CORRUPT', `A pipe has no wait of side ${side}`);
    const { peer } = this.end;
    return !peer.isThere || peer.inbound.room >= this.#wanted;
  }

  protected override hearWaiting(_side: Side, body: Body): void {
    this.#wanted = body.f64();
  }

  protected override sayReady(_side: Side, word: FrameWriter): void {
    this.#sayRoom(word);
  }

  // What is told unasked

  #tellSoon(): void {
    if (this.#isTellingSoon) return;
    this.#isTellingSoon = true;
    this.session.later(() => {
      this.#isTellingSoon = false;
      if (this.end.owner === this && !this.isClosed) this.#tell();
    });
  }

  #tell(): void {
    const { end } = this;
    const { peer } = end;
    const isLossNews = !peer.isThere && !this.#hasToldLoss;
    if (isLossNews || peer.inbound.unsaid > 0) {
      this.#hasToldLoss = !peer.isThere;
      const word = this.session.beginPush(this.handle, ROOM_FREED);
      this.#sayRoom(word);
      word.end();
    }
    const isEndNews = end.isAtEnd && !this.#hasToldEnd;
    if (!this.#isSubscribed || (this.#taken.bytes === 0 && !isEndNews)) return;
    const word = this.session.beginPush(this.handle, READY).u8(RECEIVE_SIDE).u32(UNASKED);
    this.#writeTaken(word);
    word.end();
  }

  // Moving

  protected override issueTicket(passenger: Attachment): Ticket {
    const { end } = this;
    if (passenger instanceof PipeAttachment && passenger.end.pipe === end.pipe) {
      fail('ERR_ENCODE', `An end of pipe '${end.name}' cannot travel over that pipe itself`);
    }
    return this.session.tickets.issue(passenger.passenger, end.peer);
  }

  /** Somebody has opened the ticket. */
  handOver(): void {
    this.end.owner = undefined;
    this.waits.withdrawAll(this);
  }

  depart(): void {
    this.#hasDeparted = true;
    this.close();
  }

  protected override unlink(): void {
    // It has no name that anybody could know.
  }

  /**
   * The end is lost, unless its owner has said that it departed. One that dies between sending the message and saying so takes the
   * end with it.
   */
  protected override left(): void {
    const { end } = this;
    if (end.owner !== this) return;
    end.owner = undefined;
    if (this.#hasDeparted) end.loseIfStranded();
    else end.lose();
  }
}

export function openPipe(session: Session, body: Body, reply: FrameWriter): void {
  const { catalogue } = session;
  const pipe = new HubPipe(catalogue, readGeometry(body));
  const ends = pipe.ends.map((end) => new PipeAttachment(session, end));
  catalogue.addListed(pipe);
  for (const end of ends) end.write(reply);
}

export function openPipeTicket(session: Session, body: Body, reply: FrameWriter): void {
  const ticket = body.text();
  const end = session.catalogue.passengerOf(ticket);
  if (end === undefined) fail('ERR_NOT_FOUND', `${ticket} is for nothing any more`);
  if (!(end instanceof HubEnd)) fail('ERR_DECODE', `'${end.name}' is no end of a pipe`);
  takeOver(session, end).write(reply);
}

/** The end is that session's from now on; a lost one if somebody has it already. */
export function takeOver(session: Session, end: HubEnd): PipeAttachment {
  const { owner } = end;
  if (owner instanceof PipeAttachment && owner.isOffered) owner.handOver();
  return new PipeAttachment(session, end.owner === undefined && end.isThere ? end : lostEnd(end));
}
