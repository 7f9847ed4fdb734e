/** A queue that a session has open: its requests, and what it has received. */

import {
  CARRIES,
  ENDED,
  FULL,
  JOIN as JOIN_SIDE,
  PUT as PUT_SIDE,
  TAKE as TAKE_SIDE,
} from '../../../contract/channel.js';
import type { ChannelOptions, OpenMode, Side, Ticket } from '../../../contract/channel.js';
import {
  ACK,
  ACK_AS_TAKEN,
  BATCH,
  COMMIT,
  COPY_TICKETS,
  END,
  HAS_ENDED,
  IS_FINISHED,
  IS_FULL,
  IS_READABLE,
  KEEP_ROOM,
  LARGEST_HAND,
  LARGEST_HAND_BYTES,
  MAX_UNACKNOWLEDGED,
  MORE_ROOM,
  NACK,
  NO_HAND,
  GIVE_BACK_ROOM,
  PUT,
  PUT_KEPT,
  PUT_MANY,
  PUT_MANY_PROMISED,
  PUT_PROMISED,
  RECEIVE,
  RETURN,
  ROOM_IS_WANTED,
  SIZE,
  STATS,
  TAKE,
  TASK_DONE,
  TOO_LARGE,
  UNDELIVER,
} from '../channel-operations.js';
import type { Body, FrameWriter } from '../frames.js';
import type { ViewedBytes } from '../viewed-bytes.js';
import { fail } from './fail.js';
import { Attachment } from './hub-object.js';
import type { Waits } from './hub-object.js';
import { HubQueue } from './hub-queue.js';
import { MessageHand } from './message-hand.js';
import type { Message } from './message-row.js';
import { assertAgreement, queueGeometry } from './queue-geometry.js';
import { RoomPromise } from './room-promise.js';
import type { Session } from './session.js';

export class QueueAttachment extends Attachment {
  readonly carrier: HubQueue;
  readonly passenger: HubQueue;
  protected readonly waits: Waits;
  /** The length of the message that it waits to put. */
  wanted = 0;
  readonly #queue: HubQueue;
  /** By receipt. */
  readonly #held = new Map<number, Message>();
  #receipts = 0;
  /** Messages taken without a taskDone. */
  #unfinished = 0;
  /** The length of the message whose room is kept. */
  #kept: number | undefined;
  readonly #promise: RoomPromise;
  #isPromisingSoon = false;
  readonly #hand: MessageHand;
  /** How many messages its wait for some wants. */
  #window = 0;

  constructor(session: Session, queue: HubQueue) {
    super(session);
    this.carrier = queue;
    this.passenger = queue;
    this.waits = queue.waits;
    this.#queue = queue;
    this.#promise = new RoomPromise(queue);
    this.#hand = new MessageHand(queue);
    queue.attachments.add(this);
  }

  get heldCount(): number {
    return this.#held.size;
  }

  get hasHand(): boolean {
    return this.#hand.isOut;
  }

  override serve(operation: number, body: Body, reply: FrameWriter): void {
    const queue = this.#queue;
    switch (operation) {
      case PUT_PROMISED: {
        const carries = body.bool();
        this.#putPromised(body, body.left, carries);
        return;
      }
      case PUT_MANY_PROMISED:
        for (const length of lengthsIn(body)) this.#putPromised(body, length, false);
        return;
      case PUT: {
        const carries = body.bool();
        const isFast = body.bool();
        queue.endPromises(this.session);
        const status = this.#put(body, body.left, carries);
        reply.i32(status).u32(this.#promiseAnew(isFast && status === 0));
        return;
      }
      case KEEP_ROOM:
        queue.endPromises(this.session);
        reply.i32(this.#keepRoom(body.u32()));
        return;
      case PUT_KEPT: {
        const carries = body.bool();
        this.#putKept(body, body.left, carries);
        return;
      }
      case PUT_MANY: {
        const isFast = body.bool();
        queue.endPromises(this.session);
        const status = this.#putMany(body);
        reply.i32(status).u32(this.#promiseAnew(isFast && status > 0));
        return;
      }
      case GIVE_BACK_ROOM:
        this.#promise.giveBack(body.u32());
        return;
      case TAKE:
        this.#take(body.u32(), body.u32(), reply);
        return;
      case COMMIT:
        this.#countTaken(this.#hand.commit(body.u32()));
        return;
      case RETURN:
        this.#handReturned(body.u32());
        return;
      case RECEIVE:
        this.#handReturned(body.u32());
        this.#beginTake();
        this.#receive(reply);
        return;
      case ACK:
        this.#acknowledge(body.f64());
        return;
      case ACK_AS_TAKEN:
        this.#countTaken(1);
        this.#acknowledge(body.f64());
        return;
      case NACK:
        this.#giveBack(body.f64(), 0);
        return;
      case UNDELIVER:
        this.#giveBack(body.f64(), 1);
        return;
      case TASK_DONE:
        if (this.#unfinished === 0) fail('ERR_CORRUPT', 'taskDone() of what was not taken');
        this.#countTaken(-1);
        return;
      case IS_FINISHED:
        reply.bool(queue.isFinished);
        return;
      case IS_FULL:
        queue.endPromises(this.session);
        reply.bool(!queue.hasRoom(0));
        return;
      case IS_READABLE:
        reply.bool(this.#isReadable());
        return;
      case HAS_ENDED:
        reply.bool(queue.hasEnded);
        return;
      case SIZE:
        reply.u32(queue.size);
        return;
      case STATS:
        reply.json(queue.stats());
        return;
      case END:
        queue.end();
        return;
      case COPY_TICKETS:
        reply.json(this.#copyTickets(body.json() as Ticket[]));
        return;
      default:
        super.serve(operation, body, reply);
    }
  }

  // Putting

  #put(body: Body, length: number, carries: boolean): number {
    this.#assertSize(length);
    const at = body.skip(length);
    const status = this.#queue.put(body.memory, at, length, carries);
    if (status === 0 && carries) this.#carried(body, at, length);
    return status;
  }

  /** That message, which has tickets in it, is in the queue. */
  #carried(body: Body, at: number, length: number): void {
    this.session.tickets.sent(this.#queue, body.memory.bytes.subarray(at, at + length));
  }

  #putPromised(body: Body, length: number, carries: boolean): void {
    this.#promise.use(this.#queue.roomFor(length));
    const at = body.skip(length);
    this.#queue.add(body.memory, at, length, carries);
    if (carries) this.#carried(body, at, length);
    if (this.#promise.isLow && !this.#isPromisingSoon) this.#promiseMore();
  }

  /** Before it is used up, so that who puts without a pause never has to ask. */
  #promiseMore(): void {
    this.#isPromisingSoon = true;
    this.session.later(() => {
      this.#isPromisingSoon = false;
      const more = this.isClosed ? 0 : this.#promise.extend();
      if (more > 0) this.session.beginPush(this.handle, MORE_ROOM).u32(more).end();
    });
  }

  #promiseAnew(isFast: boolean): number {
    if (isFast) return this.#promise.extend();
    this.#promise.startAnew();
    return 0;
  }

  endPromise(): void {
    this.#promise.end();
  }

  /** The queue has ended, and its end waits for those who were promised room. */
  wantRoomBack(): void {
    if (!this.#promise.isOutstanding) return;
    this.session.later(() => {
      if (!this.isClosed) this.session.beginPush(this.handle, ROOM_IS_WANTED).end();
    });
  }

  #assertSize(length: number): void {
    const { maxMessageBytes } = this.#queue.geometry;
    if (length <= maxMessageBytes) return;
    fail(
      'ERR_TOO_LARGE',
      `A message of ${length} bytes; queue '${this.#queue.name}' takes ${maxMessageBytes} at most`,
    );
  }

  /** The room stays for whoever was promised it, and the queue's end waits. */
  #keepRoom(length: number): number {
    const queue = this.#queue;
    this.#assertSize(length);
    if (this.#kept !== undefined) fail('ERR_CORRUPT', 'Room was kept already');
    if (queue.hasEnded) return ENDED;
    if (!queue.hasRoom(length)) return FULL;
    this.#kept = length;
    queue.promised(1);
    return 0;
  }

  #putKept(body: Body, length: number, carries: boolean): void {
    if (this.#kept !== length) {
      fail('ERR_CORRUPT', `${length} bytes where room was kept for ${this.#kept}`);
    }
    this.#kept = undefined;
    const at = body.skip(length);
    this.#queue.add(body.memory, at, length, carries);
    if (carries) this.#carried(body, at, length);
    this.#queue.promised(-1);
  }

  #putMany(body: Body): number {
    let count = 0;
    for (const length of lengthsIn(body)) {
      const status = this.#put(body, length, false);
      if (status === ENDED && count === 0) return ENDED;
      if (status !== 0) break;
      count++;
    }
    return count;
  }

  // Taking

  #take(limit: number, window: number, reply: FrameWriter): void {
    const first = this.#next(reply);
    if (first === undefined) return;
    const { length } = first;
    if (length > limit) {
      reply.i32(TOO_LARGE).u32(length);
      return;
    }
    const messages = this.#queue.lend(Math.min(window, LARGEST_HAND), LARGEST_HAND_BYTES);
    if (messages.length > 1) {
      this.#countTaken(this.#hand.give(messages, false));
      this.#say(reply, messages, 1);
      return;
    }
    // Whatever it is like, a single one is handed over now.
    if (messages.length === 1) this.#queue.taken(first);
    else this.#queue.remove(first);
    this.#queue.consumed(first);
    this.#countTaken(1);
    this.#say(reply, [first], first.deliveries);
  }

  /** The next message, for a take by request; undefined: `reply` says why there is none. */
  #next(reply: FrameWriter): Message | undefined {
    this.#beginTake();
    const message = this.#queue.next(this);
    if (typeof message !== 'number' && !message.carries) return message;
    reply.i32(typeof message === 'number' ? message : CARRIES);
    return undefined;
  }

  #beginTake(): void {
    this.#queue.recallUnseen(this.session);
    this.#hand.endForTake();
  }

  recallUnseen(): void {
    if (this.#hand.isUntouched) this.#hand.left();
  }

  #say(reply: FrameWriter, messages: readonly Message[], deliveries: number): void {
    reply.i32(messages.length).u32(deliveries);
    writeMessages(reply, messages);
  }

  /** `handedOut`: of those in hand, or NO_HAND. */
  #handReturned(handedOut: number): void {
    if (handedOut !== NO_HAND) this.#countTaken(-this.#hand.returned(handedOut));
  }

  #countTaken(difference: number): void {
    this.#unfinished += difference;
    this.#queue.unfinished(difference);
  }

  #isReadable(): boolean {
    // What is on its way to its session is what it would find.
    this.#queue.recallUnseen(this.session);
    const isReadable = this.isWorthALook(TAKE_SIDE);
    // Who looked takes nothing: the wake is somebody else's.
    if (isReadable) this.#queue.wake(TAKE_SIDE, 1);
    return isReadable;
  }

  // What is received

  #receive(reply: FrameWriter): void {
    const queue = this.#queue;
    const message = queue.next(this);
    if (typeof message === 'number') {
      reply.i32(message);
      return;
    }
    if (this.#held.size >= MAX_UNACKNOWLEDGED) {
      fail(
        'ERR_UNACKED',
        `This handle of queue '${queue.name}' holds ${this.#held.size} messages that are unacknowledged; acknowledge some, or give them back`,
      );
    }
    queue.remove(message);
    queue.held(1);
    const receipt = ++this.#receipts;
    this.#held.set(receipt, message);
    reply
      .i32(0)
      .f64(receipt)
      .u32(message.deliveries)
      .part(message.memory, message.at, message.length);
  }

  #acknowledge(receipt: number): void {
    this.#queue.consumed(this.#settle(receipt));
    this.#queue.held(-1);
  }

  /** `uncounted`: deliveries that were none. */
  #giveBack(receipt: number, uncounted: number): void {
    const message = this.#settle(receipt);
    message.deliveries -= uncounted;
    this.#queue.giveBack(message);
    this.#queue.held(-1);
  }

  #settle(receipt: number): Message {
    const message = this.#held.get(receipt);
    if (message === undefined) fail('ERR_CORRUPT', `No message has the receipt ${receipt}`);
    this.#held.delete(receipt);
    return message;
  }

  // Tickets

  /** All of them or none. */
  #copyTickets(tickets: readonly Ticket[]): Ticket[] {
    const copies: Ticket[] = [];
    try {
      for (const ticket of tickets) copies.push(this.session.tickets.copy(ticket, this.#queue));
    } catch (error) {
      for (const copy of copies) this.session.tickets.redeem(copy);
      throw error;
    }
    return copies;
  }

  // Waits, and the end

  protected override sayReady(side: Side, word: FrameWriter): void {
    // Who waited for room wants to put more than once, as a rule.
    if (side === PUT_SIDE) word.u32(this.#promise.extend(this.#queue.roomFor(this.wanted)));
    if (side === TAKE_SIDE) this.#push(word);
  }

  #push(word: FrameWriter): void {
    // It may have taken by a request meanwhile.
    const window = this.#hand.isOut ? 0 : this.#window;
    const messages = this.#queue.lend(window, LARGEST_HAND_BYTES);
    if (messages.length > 0) this.#hand.give(messages, true);
    word.u32(messages.length).bool(!this.#queue.hasMessages);
    writeMessages(word, messages);
  }

  override answerSoon(side: Side, epoch: number): void {
    if (side === JOIN_SIDE) {
      super.answerSoon(side, epoch);
      return;
    }
    // Until then it waits like the others: it may be withdrawn, and others may be quicker.
    this.waits.add(this, side, epoch);
    this.#queue.wake(side, 1);
  }

  protected override passOn(side: Side): void {
    // What was pushed with the answer was not seen, or is thrown away.
    if (side === TAKE_SIDE) this.recallUnseen();
    if (this.isWorthALook(side)) this.#queue.wake(side, 1);
  }

  protected override hearWaiting(side: Side, body: Body): void {
    if (side === PUT_SIDE) this.wanted = body.u32();
    if (side === TAKE_SIDE) {
      this.#hand.endForTake();
      this.#window = Math.min(body.u32(), LARGEST_HAND);
    }
    if (!this.isWorthALook(side)) this.#queue.countWait();
  }

  isWorthALook(side: Side): boolean {
    return this.#queue.isWorthALook(this, side);
  }

  protected unlink(): void {
    this.catalogue.unlink(this.#queue);
  }

  protected left(): void {
    const queue = this.#queue;
    for (const receipt of this.#held.keys()) this.#giveBack(receipt, 0);
    if (this.#kept !== undefined) queue.promised(-1);
    this.#promise.end();
    this.#hand.left();
    // What it has not finished nobody else could.
    this.#countTaken(-this.#unfinished);
    // It may have been rung for a message, and never have looked.
    if (queue.size > 0) queue.wake(TAKE_SIDE, 1);
    queue.left(this);
  }
}

function writeMessages(frame: FrameWriter, messages: readonly Message[]): void {
  for (const { length } of messages) frame.u32(length);
  // Those that stand behind each other go in one piece.
  let memory: ViewedBytes | undefined;
  let begin = 0;
  let end = 0;
  for (const message of messages) {
    if (message.memory !== memory || message.at !== end) {
      if (memory !== undefined) frame.part(memory, begin, end - begin);
      ({ memory, at: begin } = message);
      end = begin;
    }
    end += message.length;
  }
  if (memory !== undefined) frame.part(memory, begin, end - begin);
}

function lengthsIn(body: Body): number[] {
  const count = body.u32();
  if (count > BATCH) fail('ERR_CORRUPT', `A batch of ${count} messages; ${BATCH} at most`);
  const lengths: number[] = [];
  for (let i = 0; i < count; i++) lengths.push(body.u32());
  return lengths;
}

/** text name or '' for none, text mode, json options -> as `reportOpened` */
export function openQueue(session: Session, body: Body, reply: FrameWriter): void {
  const { catalogue } = session;
  const name = body.json() as string | null;
  const mode = body.text() as OpenMode;
  const options = body.json() as ChannelOptions;
  const known = name === null ? undefined : catalogue.find(name, mode);
  if (known !== undefined) {
    if (!(known instanceof HubQueue)) {
      fail('ERR_KIND', `'${known.name}' is a ${known.kind}, and no queue`);
    }
    assertAgreement(known.name, known.geometry, options);
    reportOpened(attach(session, known), reply);
    return;
  }
  const geometry = queueGeometry(options, name === null);
  const queue = new HubQueue(catalogue, name ?? catalogue.anonymousName(), geometry);
  catalogue.add(queue);
  reportOpened(attach(session, queue), reply);
}

/** text ticket, json codec or null -> as `reportOpened` */
export function openQueueTicket(session: Session, body: Body, reply: FrameWriter): void {
  const queue = session.catalogue.passengerOf(body.text());
  const codec = body.json() as string | null;
  if (queue === undefined || !queue.isThere) {
    fail('ERR_NOT_FOUND', 'The queue that was in the message is gone');
  }
  if (!(queue instanceof HubQueue)) {
    fail('ERR_KIND', `'${queue.name}', which was in the message, is no queue`);
  }
  if (codec !== null) assertAgreement(queue.name, queue.geometry, { codec });
  reportOpened(attach(session, queue), reply);
}

function attach(session: Session, queue: HubQueue): QueueAttachment {
  const { size } = queue.attachments;
  if (size >= queue.geometry.maxParticipants) {
    fail(
      'ERR_NO_SLOT',
      `Queue '${queue.name}' has ${size} participants, as many as it may; close handles that are no longer used, or create it with a larger maxParticipants`,
    );
  }
  return new QueueAttachment(session, queue);
}

/** u32 handle, u64 identity, text name, json ChannelGeometry */
function reportOpened({ handle, carrier }: QueueAttachment, reply: FrameWriter): void {
  reply.u32(handle).u64(carrier.identity).text(carrier.name).json(carrier.geometry);
}
