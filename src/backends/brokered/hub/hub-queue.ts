/** A queue as one thread keeps it: what stands in it, what was received of it, and who waits. */

import { EMPTY, ENDED, FULL, JOIN, PUT, TAKE } from '../../../contract/channel.js';
import type {
  ChannelGeometry,
  ChannelStats,
  SegmentInfo,
  Side,
} from '../../../contract/channel.js';
import { isBeside, roomFor } from '../queue-room.js';
import type { Catalogue, Named } from './catalogue.js';
import { Waits } from './hub-object.js';
import { MessageRow } from './message-row.js';
import type { Message } from './message-row.js';
import type { QueueAttachment } from './queue-attachment.js';

export class HubQueue implements Named {
  readonly kind = 'queue';
  readonly identity: bigint;
  readonly attachments = new Set<QueueAttachment>();
  readonly waits = new Waits();
  /** Given back, to be delivered again before all others: in their old order. They take no room. */
  readonly #returned: Message[] = [];
  readonly #messages = new MessageRow();
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
  #usedBytes = 0;
  /** Of the messages larger than the capacity, those received and not yet acknowledged included. */
  #sideBytes = 0;
  #order = 0;
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

  get info(): SegmentInfo {
    const { capacityBytes, persist, anonymous } = this.geometry;
    return {
      name: this.name,
      kind: this.kind,
      totalBytes: capacityBytes + this.#sideBytes,
      participants: this.attachments.size,
      size: this.#messages.length,
      persist,
      anonymous,
      problem: undefined,
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
    return this.#messages.length + this.#returned.length;
  }

  get isFinished(): boolean {
    return this.size === 0 && this.#heldCount === 0 && this.#unfinished === 0;
  }

  hasRoom(length: number): boolean {
    const { capacityBytes, maxItems, maxSideBytes } = this.geometry;
    if (maxItems > 0 && this.#messages.length >= maxItems) return false;
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
    return Math.max(0, capacityBytes - this.#usedBytes - this.promisedBytes);
  }

  roomFor(length: number): number {
    return roomFor(length, this.geometry.capacityBytes);
  }

  #isBeside(length: number): boolean {
    return isBeside(length, this.geometry.capacityBytes);
  }

  /** The next message for `taker`, or EMPTY or ENDED. */
  next(taker: QueueAttachment): Message | number {
    const message = this.#returned[0] ?? this.#messages.first;
    if (message !== undefined) return message;
    if (!this.#hasEnded) return EMPTY;
    // What another one holds may come back, and what was promised room may come.
    return this.#heldCount > taker.heldCount || this.#promises > 0 ? EMPTY : ENDED;
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

  /** 0, FULL or ENDED. `bytes` are the queue's from now on. */
  put(bytes: Uint8Array, carries: boolean): number {
    if (this.#hasEnded) return ENDED;
    if (!this.hasRoom(bytes.length)) return FULL;
    this.add(bytes, carries);
    return 0;
  }

  /** The same for what was promised room, and so has it. */
  add(bytes: Uint8Array, carries: boolean): void {
    this.#messages.push({ bytes, carries, order: this.#order++, deliveries: 0 });
    this.#usedBytes += this.roomFor(bytes.length);
    if (this.#isBeside(bytes.length)) this.#sideBytes += bytes.length;
    this.#counts.puts++;
    this.#counts.putBytes += bytes.length;
    this.#highWater = Math.max(this.#highWater, this.size);
    this.wake(TAKE, 1);
  }

  /** One more may put by a promise, or one less: until it has, the queue has not come to its end. */
  promised(difference: 1 | -1): void {
    this.#promises += difference;
    if (this.#hasEnded && this.#promises === 0) this.wake(TAKE, Infinity);
  }

  /** The message that `next` has said, taken or received. */
  remove(message: Message): void {
    if (this.#returned[0] === message) {
      this.#returned.shift();
    } else {
      this.#messages.shift();
      this.#usedBytes -= this.roomFor(message.bytes.length);
      this.wake(PUT, Infinity);
    }
    message.deliveries++;
    this.#counts.gets++;
    this.#counts.gotBytes += message.bytes.length;
    if (message.deliveries > 1) this.#counts.redelivered++;
    if (this.#hasEnded) this.wake(TAKE, Infinity);
  }

  /** The message is gone for good. */
  consumed({ bytes }: Message): void {
    if (!this.#isBeside(bytes.length)) return;
    this.#sideBytes -= bytes.length;
    this.wake(PUT, Infinity);
  }

  /** Somebody has received one more, or settled one. */
  held(difference: 1 | -1): void {
    this.#heldCount += difference;
    if (difference > 0) return;
    if (this.#hasEnded) this.wake(TAKE, Infinity);
    this.#wakeJoiners();
  }

  giveBack(message: Message): void {
    const at = this.#returned.findIndex(({ order }) => order > message.order);
    this.#returned.splice(at < 0 ? this.#returned.length : at, 0, message);
    this.wake(TAKE, 1);
  }

  /** So many more have been taken, or fewer are unfinished. */
  unfinished(difference: number): void {
    this.#unfinished += difference;
    if (difference < 0) this.#wakeJoiners();
  }

  end(): void {
    this.#hasEnded = true;
    for (const attachment of this.attachments) attachment.wantRoomBack();
    this.wake(TAKE, Infinity);
    this.wake(PUT, Infinity);
  }

  left(attachment: QueueAttachment): void {
    this.attachments.delete(attachment);
    this.#catalogue.removeIfUnused(this);
  }

  wake(side: Side, count: number): void {
    this.#counts.wakes += this.waits.wake(side, count);
  }

  /** Somebody is about to wait. */
  countWait(): void {
    this.#counts.waits++;
  }

  #wakeJoiners(): void {
    if (this.isFinished) this.wake(JOIN, Infinity);
  }
}
