/** A queue as one thread keeps it: what stands in it, what was received of it, and who waits. */

import { EMPTY, ENDED, FULL, JOIN, PUT, TAKE } from '../../../contract/channel.js';
import type { ChannelGeometry, ChannelStats, Side } from '../../../contract/channel.js';
import type { Listed } from '../operations.js';
import { isBeside, roomFor } from '../queue-room.js';
import type { ViewedBytes } from '../viewed-bytes.js';
import type { Catalogue, Named } from './catalogue.js';
import { Waits } from './hub-object.js';
import type { Wait } from './hub-object.js';
import { MessageRow } from './message-row.js';
import type { Message } from './message-row.js';
import { MessageStore } from './message-store.js';
import type { QueueAttachment } from './queue-attachment.js';
import type { Session } from './session.js';

export class HubQueue implements Named {
  readonly kind = 'queue';
  readonly identity: bigint;
  readonly attachments = new Set<QueueAttachment>();
  readonly waits = new Waits();
  readonly #messages = new MessageRow();
  readonly #store = new MessageStore();
  readonly #counts = {
    puts: 0,
    gets: 0,
    putBytes: 0,
    gotBytes: 0,
    waits: 0,
    wakes: 0,
    redelivered: 0,
  };
  readonly #catalogue: Catalogue;
  #highWater = 0;
  #hasEnded = false;
  /** Of the messages that take room, and so are here or in a hand. */
  #usedBytes = 0;
  #usedItems = 0;
  /** Of the messages larger than the capacity, those received and not yet acknowledged included. */
  #sideBytes = 0;
  #order = 0;
  /** In hands, and not taken. */
  #lent = 0;
  /** Handles that have messages in hand. */
  handsOut = 0;
  /** The room of what was taken and is in hand: it may be wanted again. */
  inHandBytes = 0;
  /** Messages that came, or came back, and whose waiters are to be told. */
  #unannounced = 0;
  #hasNewRoom = false;
  #isServingSoon = false;
  /** Received and not settled, by all. */
  #heldCount = 0;
  /** Handles that were promised room. */
  #promises = 0;
  /** How much, to all. */
  promisedBytes = 0;
  /** Taken without a `taskDone`, by all. */
  #unfinished = 0;

  constructor(
    catalogue: Catalogue,
    readonly name: string,
    readonly geometry: ChannelGeometry,
  ) {
    this.#catalogue = catalogue;
    this.identity = catalogue.nextIdentity();
  }

  // As something with a name

  get info(): Listed {
    const { capacityBytes, persist, anonymous } = this.geometry;
    return {
      name: this.name,
      kind: this.kind,
      totalBytes: capacityBytes + this.#sideBytes,
      participants: this.attachments.size,
      size: this.#usedItems,
      persist,
      anonymous,
    };
  }

  get isUnused(): boolean {
    return this.attachments.size === 0;
  }

  get isKept(): boolean {
    return this.geometry.persist || (!this.geometry.anonymous && this.size > 0);
  }

  get isThere(): boolean {
    return this.#catalogue.has(this);
  }

  ticketWasRedeemed(): void {
    this.#catalogue.removeIfUnused(this);
  }

  forgotten(): void {}

  // Looks

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get size(): number {
    return this.#messages.length + this.#lent;
  }

  /** Whether some stand here that are in nobody's hands. */
  get hasMessages(): boolean {
    return this.#messages.length > 0;
  }

  get isFinished(): boolean {
    return this.size === 0 && this.#heldCount === 0 && this.#unfinished === 0;
  }

  hasRoom(length: number): boolean {
    const { capacityBytes, maxItems, maxSideBytes } = this.geometry;
    if (maxItems > 0 && this.#usedItems >= maxItems) return false;
    // One that finds no other is let in whatever its size.
    if (this.#isBeside(length) && this.#sideBytes > 0 && this.#sideBytes + length > maxSideBytes) {
      return false;
    }
    return this.#usedBytes + this.roomFor(length) <= capacityBytes;
  }

  /** What may still be promised. By items nothing is: a promise counts bytes. */
  get unpromisedBytes(): number {
    const { capacityBytes, maxItems } = this.geometry;
    if (maxItems > 0 || this.#hasEnded) return 0;
    return Math.max(0, capacityBytes - this.#usedBytes - this.inHandBytes - this.promisedBytes);
  }

  roomFor(length: number): number {
    return roomFor(length, this.geometry.capacityBytes);
  }

  #isBeside(length: number): boolean {
    return isBeside(length, this.geometry.capacityBytes);
  }

  /** The next message for `taker`, or EMPTY or ENDED. */
  next(taker: QueueAttachment): Message | number {
    const message = this.#messages.first;
    if (message !== undefined) return message;
    if (!this.#hasEnded) return EMPTY;
    // What another one holds or has in hand may come back, and what was promised room may come.
    const mayCome =
      this.#heldCount > taker.heldCount ||
      this.handsOut > (taker.hasHand ? 1 : 0) ||
      this.#promises > 0;
    return mayCome ? EMPTY : ENDED;
  }

  isWorthALook(attachment: QueueAttachment, side: Side): boolean {
    if (side === JOIN) return this.isFinished;
    if (side === TAKE) return this.next(attachment) !== EMPTY;
    return this.#hasEnded || this.hasRoom(attachment.wanted);
  }

  stats(): ChannelStats {
    return {
      ...this.#counts,
      highWater: this.#highWater,
      participants: this.attachments.size,
      unacknowledged: this.#heldCount,
    };
  }

  // Steps

  /** Of `from[start, start + length)`, which is copied: 0, FULL or ENDED. */
  put(from: ViewedBytes, start: number, length: number, carries: boolean): number {
    if (this.#hasEnded) return ENDED;
    if (!this.hasRoom(length)) return FULL;
    this.add(from, start, length, carries);
    return 0;
  }

  /** The same for what was promised room, and so has it. */
  add(from: ViewedBytes, start: number, length: number, carries: boolean): void {
    const message = this.#store.keep(from, start, length, carries, this.#order++);
    this.#takeRoom(message);
    this.#messages.push(message);
    if (this.#isBeside(length)) this.#sideBytes += length;
    this.#counts.puts++;
    this.#counts.putBytes += length;
    this.#highWater = Math.max(this.#highWater, this.size);
    this.wake(TAKE, 1);
  }

  #takeRoom(message: Message): void {
    message.takesRoom = true;
    this.#usedItems++;
    this.#usedBytes += this.roomFor(message.length);
  }

  /** One more may put by a promise, or one less: until it has, the queue has not come to its end. */
  promised(difference: 1 | -1): void {
    this.#promises += difference;
    if (this.#hasEnded && this.#promises === 0) this.wake(TAKE, Infinity);
  }

  /** The message that `next` has said, taken or received. */
  remove(message: Message): void {
    this.#messages.shift();
    this.#handedOver(message);
  }

  #handedOver(message: Message): void {
    if (message.takesRoom) {
      message.takesRoom = false;
      this.#usedItems--;
      this.#usedBytes -= this.roomFor(message.length);
      this.wake(PUT, Infinity);
    }
    message.deliveries++;
    this.#counts.gets++;
    this.#counts.gotBytes += message.length;
    if (message.deliveries > 1) this.#counts.redelivered++;
    if (this.#hasEnded) this.wake(TAKE, Infinity);
  }

  /** Nobody has it any more, and nothing will be asked about it. */
  free(message: Message): void {
    this.#store.free(message);
  }

  /** The message is gone for good. */
  consumed({ length }: Message): void {
    if (!this.#isBeside(length)) return;
    this.#sideBytes -= length;
    this.wake(PUT, Infinity);
  }

  /**
   * A session asks about all the room there is, and has given back what it knew that it was promised: what it was promised since is on
   * its way, and void.
   */
  endPromises(session: Session): void {
    if (this.promisedBytes === 0) return;
    for (const attachment of this.attachments) {
      if (attachment.session === session) attachment.endPromise();
    }
  }

  // What hands have (MessageHand)

  /**
   * The next messages, up to `max`, for a hand: such as can come back as if they never had been away. None with tickets, which only
   * its receiver gets; none that was delivered before, for that is told; none beside the others.
   */
  lend(max: number, maxBytes: number): Message[] {
    const lent: Message[] = [];
    let bytes = 0;
    while (lent.length < max) {
      const message = this.#messages.first;
      if (message === undefined || message.carries || message.deliveries > 0) break;
      const { length } = message;
      bytes += length;
      if (bytes > maxBytes || this.#isBeside(length)) break;
      this.#messages.shift();
      lent.push(message);
    }
    this.#lent += lent.length;
    return lent;
  }

  taken(message: Message): void {
    this.#lent--;
    this.#handedOver(message);
  }

  /** It was taken, but nobody has seen it. Its room may be somebody else's by now: then there are a few too many. */
  notTaken(message: Message): void {
    this.#takeRoom(message);
    message.deliveries--;
    this.#counts.gets--;
    this.#counts.gotBytes -= message.length;
    this.#messages.insert(message);
    this.wake(TAKE, 1);
  }

  notLent(message: Message): void {
    this.#lent--;
    this.#messages.insert(message);
    this.wake(TAKE, 1);
  }

  /**
   * A session takes by a request, and has given back what it knew to be in its hands: what was pushed to it is on its way, and void.
   * So a thread that takes by one handle finds what another one waits for.
   */
  recallUnseen(session: Session): void {
    if (this.handsOut === 0) return;
    for (const attachment of this.attachments) {
      if (attachment.session === session) attachment.recallUnseen();
    }
  }

  /** Nothing more comes back of one. */
  handCameBack(): void {
    if (this.#hasEnded) this.wake(TAKE, Infinity);
  }

  /** Somebody has received one more, or settled one. */
  held(difference: 1 | -1): void {
    this.#heldCount += difference;
    if (difference > 0) return;
    if (this.#hasEnded) this.wake(TAKE, Infinity);
    this.#wakeJoiners();
  }

  giveBack(message: Message): void {
    this.#messages.insert(message);
    this.wake(TAKE, 1);
  }

  /** So many more have been taken, or fewer are unfinished. */
  unfinished(difference: number): void {
    this.#unfinished += difference;
    if (difference < 0) this.#wakeJoiners();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const attachment of this.attachments) attachment.wantRoomBack();
    this.wake(TAKE, Infinity);
    this.wake(PUT, Infinity);
  }

  left(attachment: QueueAttachment): void {
    this.attachments.delete(attachment);
    this.#catalogue.removeIfUnused(this);
  }

  /** Rings `count` of those who wait, or those for whom it is worth a look, when what is being read has been. */
  wake(side: Side, count: number): void {
    if (side === JOIN) {
      this.#counts.wakes += this.waits.wake(side, count);
      return;
    }
    if (!this.waits.hasAny(side)) return;
    if (side === TAKE) this.#unannounced += count;
    else this.#hasNewRoom = true;
    if (this.#isServingSoon || this.attachments.size === 0) return;
    this.#isServingSoon = true;
    // All have the same hub.
    const [anyone] = this.attachments;
    anyone?.session.later(() => this.#serveWaits());
  }

  /**
   * One is rung for each message that has come, as long as it is worth a look: those who wait for messages get some along with their
   * answers, so that mostly the first have them all.
   */
  #serveWaits(): void {
    this.#isServingSoon = false;
    for (; this.#unannounced > 0; this.#unannounced--) {
      const wait = this.waits.takeFirst(TAKE);
      if (wait === undefined) break;
      this.#answer(wait);
    }
    this.#unannounced = 0;
    if (!this.#hasNewRoom) return;
    this.#hasNewRoom = false;
    for (;;) {
      const wait = this.waits.takeFirst(PUT);
      if (wait === undefined) return;
      this.#answer(wait);
    }
  }

  #answer({ attachment, side, epoch }: Wait): void {
    this.#counts.wakes++;
    attachment.session.attempt(() => attachment.answer(side, epoch));
  }

  /** Somebody is about to wait. */
  countWait(): void {
    this.#counts.waits++;
  }

  #wakeJoiners(): void {
    if (this.isFinished) this.wake(JOIN, Infinity);
  }
}
