/** Pipes inside one thread, as plainly as they can be written: what connections are tested on besides the native ones. */

import { InterprocError } from '../../src/errors.js';
import type { ErrorCode } from '../../src/errors.js';
import { DEFAULT_CODEC } from '../../src/contract/channel.js';
import {
  CARRYING,
  EMPTY,
  ENDED,
  FULL,
  LARGE,
  PIPE_DEFAULTS,
  RECEIVE,
  SEND,
} from '../../src/contract/pipe.js';
import type {
  EndIndex,
  PipeEnd,
  PipeGeometry,
  PipeOptions,
  PipeStats,
} from '../../src/contract/pipe.js';
import type { SharedObject, Side, Ticket } from '../../src/contract/shared-object.js';

const BLOCK_BYTES = 64;
const SMALLEST_CAPACITY = 4096;
const LARGEST_CAPACITY = 2 ** 32;
const BATCH = 64;
/** What the inbox is overwritten with by every call: nothing may be left in it. */
const SCRIBBLE = 0xdb;

/** What the pipes of a backend need of it. */
export interface PipeKeeper {
  readonly capabilities: { readonly blocking: boolean };
  // As in a thread: all objects share them.
  readonly outbox: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  inbox: Uint8Array;
  /** What the rest of the world does while this thread is blocked; true if it may do more. */
  readonly whileBlocked: (() => boolean) | undefined;
  /** A ticket for what is behind `passenger`, carried by messages to `carrier`. */
  issueTicketFor(passenger: SharedObject, carrier: SharedEnd): Ticket;
  redeemTicket(ticket: Ticket): void;
  ticketsTo(message: Uint8Array, carrier: SharedEnd): Ticket[];
  /** Nobody will ever have this end again. */
  lost(end: SharedEnd): void;
}

/** A message, or a part of one. */
interface Entry {
  readonly bytes: Uint8Array;
  readonly marks: number;
  /** Of a part: which message, and how long that is. */
  readonly part?: { readonly message: number; readonly totalBytes: number };
}

interface Assembly {
  readonly message: number;
  readonly bytes: Uint8Array;
  readonly marks: number;
  received: number;
}

interface Wait {
  readonly end: MemoryPipeEnd;
  readonly side: Side;
  isRung: boolean;
}

function fail(code: ErrorCode, message: string): never {
  throw new InterprocError(code, message);
}

function cost(length: number): number {
  return Math.max(1, Math.ceil(length / BLOCK_BYTES)) * BLOCK_BYTES;
}

/** One end, whoever has it, and what is on its way to it. */
export class SharedEnd {
  owner: MemoryPipeEnd | undefined;
  isGone = false;
  peer: SharedEnd = this;
  usedBytes = 0;
  entries: Entry[] = [];
  assembly: Assembly | undefined;
  /** A message that came in parts, until it is consumed. */
  assembled: Entry | undefined;
  waits: Wait[] = [];
  readonly counts = { sent: 0, received: 0, sentBytes: 0, receivedBytes: 0 };

  constructor(
    readonly identity: bigint,
    readonly name: string,
    readonly index: EndIndex,
    readonly geometry: PipeGeometry,
  ) {}

  get room(): number {
    return this.geometry.capacityBytes - this.usedBytes;
  }

  /** To be called on the end that it is for. */
  arrive(entry: Entry): void {
    this.entries.push(entry);
    this.usedBytes += cost(entry.bytes.length);
    this.wake(RECEIVE);
  }

  /** The next message, which stays; parts of one are put together. */
  next(): Entry | number {
    if (this.assembled !== undefined) return this.assembled;
    for (;;) {
      const entry = this.entries[0];
      if (entry === undefined) return this.peer.isGone ? ENDED : EMPTY;
      if (entry.part === undefined) {
        this.assembly = undefined;
        return entry;
      }
      this.#shift(entry);
      this.assembled = this.#assemble(entry, entry.part);
      if (this.assembled !== undefined) return this.assembled;
    }
  }

  #assemble(
    { bytes, marks }: Entry,
    { message, totalBytes }: NonNullable<Entry['part']>,
  ): Entry | undefined {
    if (this.assembly?.message !== message) {
      this.assembly = { message, bytes: new Uint8Array(totalBytes), marks, received: 0 };
    }
    this.assembly.bytes.set(bytes, this.assembly.received);
    this.assembly.received += bytes.length;
    if (this.assembly.received < totalBytes) return undefined;
    const whole = { bytes: this.assembly.bytes, marks };
    this.assembly = undefined;
    return whole;
  }

  #shift(entry: Entry): void {
    this.entries.shift();
    this.usedBytes -= cost(entry.bytes.length);
    this.peer.wake(SEND);
  }

  consume(message: Entry): void {
    if (message === this.assembled) this.assembled = undefined;
    else this.#shift(message);
    this.counts.received++;
    this.counts.receivedBytes += message.bytes.length;
  }

  nextLength(): number {
    const entry = this.entries[0];
    if (this.assembled !== undefined) return this.assembled.bytes.length;
    if (entry !== undefined) return entry.part?.totalBytes ?? entry.bytes.length;
    if (this.peer.isGone) return ENDED;
    return this.assembly?.bytes.length ?? EMPTY;
  }

  /** Nobody has it any more. */
  lose(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.peer.wake(RECEIVE);
    this.peer.wake(SEND);
  }

  isWorthALook(side: Side): boolean {
    if (side === RECEIVE) return this.next() !== EMPTY;
    return this.peer.isGone || this.peer.room >= cost(this.owner?.wanted ?? 0);
  }

  wake(side: Side): void {
    for (const wait of this.waits) {
      if (wait.side !== side || wait.isRung) continue;
      wait.isRung = true;
      setImmediate(() => wait.end.answer(wait));
    }
  }
}

export class MemoryPipeEnd implements PipeEnd {
  readonly name: string;
  readonly geometry: PipeGeometry;
  readonly index: EndIndex;
  readonly capabilities: { readonly blocking: boolean };
  readonly canSend: boolean;
  readonly canReceive: boolean;
  readonly outbox: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly wholeBytes: number;
  readonly tellsUnasked = false;
  onReady: ((side: Side) => void) | undefined = undefined;
  marks = 0;
  /** What the last look for room was about. */
  wanted = 0;
  isOffered = false;
  readonly #keeper: PipeKeeper;
  readonly #shared: SharedEnd;
  #unfinished: Entry | undefined;
  #large: Uint8Array | undefined;
  #parts = 0;
  #isClosed = false;

  constructor(keeper: PipeKeeper, shared: SharedEnd) {
    this.#keeper = keeper;
    this.#shared = shared;
    shared.owner = this;
    this.name = shared.name;
    this.geometry = shared.geometry;
    this.index = shared.index;
    this.capabilities = keeper.capabilities;
    this.canSend = this.geometry.duplex || this.index === 1;
    this.canReceive = this.geometry.duplex || this.index === 0;
    this.outbox = keeper.outbox;
    this.offsets = keeper.offsets;
    this.lengths = keeper.lengths;
    this.wholeBytes = this.geometry.capacityBytes - BLOCK_BYTES;
  }

  get inbox(): Uint8Array {
    return this.#keeper.inbox;
  }

  enter(): SharedEnd {
    if (this.#isClosed) fail('ERR_CLOSED', `end ${this.index} of ${this.name} is closed`);
    if (this.isOffered) throw new Error('used while it is on its way');
    this.inbox.fill(SCRIBBLE);
    return this.#shared;
  }

  #sending(): SharedEnd {
    if (!this.canSend) throw new Error('sends on the end that receives');
    return this.enter();
  }

  #receiving(): SharedEnd {
    if (!this.canReceive) throw new Error('receives on the end that sends');
    return this.enter();
  }

  trySendOutbox(length: number, marks: number): number {
    return this.trySend(this.outbox.subarray(0, length), marks);
  }

  trySend(bytes: Uint8Array, marks: number): number {
    const { peer, counts } = this.#sending();
    if (bytes.length > this.geometry.maxMessageBytes) throw new Error('a message too large');
    if (peer.isGone) return ENDED;
    this.wanted = bytes.length;
    if (bytes.length > this.wholeBytes || peer.room < cost(bytes.length)) return FULL;
    peer.arrive({ bytes: bytes.slice(), marks });
    counts.sent++;
    counts.sentBytes += bytes.length;
    // What did not go stays where it is.
    this.outbox.fill(SCRIBBLE);
    return 0;
  }

  trySendParts(bytes: Uint8Array, from: number, marks: number): number {
    const { peer, counts } = this.#sending();
    if (peer.isGone) return ENDED;
    if (from === 0) this.#parts++;
    let gone = from;
    this.wanted = BLOCK_BYTES;
    while (gone < bytes.length && peer.room >= BLOCK_BYTES) {
      const part = bytes.slice(gone, gone + Math.min(peer.room, 8 * BLOCK_BYTES));
      const { length } = bytes;
      peer.arrive({ bytes: part, marks, part: { message: this.#parts, totalBytes: length } });
      gone += part.length;
    }
    if (gone === bytes.length) counts.sent++;
    counts.sentBytes += gone - from;
    return gone - from;
  }

  trySendMany(messages: readonly Uint8Array[], from: number): number {
    let count = 0;
    for (const message of messages.slice(from, from + BATCH)) {
      const status = this.trySend(message, 0);
      if (status === ENDED && count === 0) return ENDED;
      if (status !== 0) break;
      count++;
    }
    return count;
  }

  /** Whether it is larger than what the inbox is for. */
  #isLarge({ bytes }: Entry): boolean {
    return bytes.length > this.wholeBytes;
  }

  #receiveNext(): Entry | number {
    const shared = this.#receiving();
    const message = shared.next();
    if (typeof message === 'number') return message;
    this.marks = message.marks;
    if ((message.marks & CARRYING) === 0) shared.consume(message);
    else this.#unfinished = message;
    return message;
  }

  #deliver({ bytes }: Entry, offset: number): void {
    if (offset + bytes.length > this.inbox.length) {
      const larger = new Uint8Array(2 * (offset + bytes.length));
      larger.set(this.inbox);
      this.#keeper.inbox = larger;
    }
    this.inbox.set(bytes, offset);
  }

  tryReceive(): number {
    const message = this.#receiveNext();
    if (typeof message === 'number') return message;
    if (this.#isLarge(message)) {
      this.#large = message.bytes.slice();
      return LARGE;
    }
    this.#deliver(message, 0);
    return message.bytes.length;
  }

  takeLarge(): Uint8Array {
    const large = this.#large;
    if (large === undefined) throw new Error('takeLarge without LARGE');
    this.#large = undefined;
    return large;
  }

  tryReceiveCopy(): Uint8Array | number {
    const message = this.#receiveNext();
    return typeof message === 'number' ? message : message.bytes.slice();
  }

  tryReceiveInto(buffer: Uint8Array, offset: number): number {
    const message = this.#receiveNext();
    if (typeof message === 'number') return message;
    const { bytes } = message;
    if (bytes.length > buffer.length - offset) {
      this.#large = bytes.slice();
      return LARGE;
    }
    buffer.set(bytes, offset);
    return bytes.length;
  }

  tryReceiveMany(max: number): number {
    const shared = this.#receiving();
    let offset = 0;
    let count = 0;
    while (count < Math.min(max, BATCH)) {
      const next = shared.next();
      if (typeof next === 'number') return count > 0 ? count : next;
      if (count > 0 && (next.marks !== 0 || this.#isLarge(next))) return count;
      if (this.#isLarge(next)) return this.tryReceive();
      const message = this.#receiveNextAgain(next);
      this.#deliver(message, offset);
      this.offsets[count] = offset;
      this.lengths[count] = message.bytes.length;
      offset += message.bytes.length;
      count++;
      if (message.marks !== 0) return 1;
    }
    return count;
  }

  /** As #receiveNext, of a message that was looked at, and without touching the inbox. */
  #receiveNextAgain(message: Entry): Entry {
    this.marks = message.marks;
    if ((message.marks & CARRYING) === 0) this.#shared.consume(message);
    else this.#unfinished = message;
    return message;
  }

  finish(): void {
    const shared = this.enter();
    if (this.#unfinished === undefined) throw new Error('finish without a CARRYING message');
    shared.consume(this.#unfinished);
    this.#unfinished = undefined;
  }

  nextLength(): number {
    return this.#receiving().nextLength();
  }

  isReadable(): boolean {
    const next = this.#receiving().next();
    this.marks = typeof next === 'number' ? 0 : next.marks;
    return next !== EMPTY;
  }

  peerIsGone(): boolean {
    return this.enter().peer.isGone;
  }

  /** Unless somebody acts while this thread is blocked. */
  get peerIsHere(): boolean {
    return this.#shared.peer.owner !== undefined && this.#keeper.whileBlocked === undefined;
  }

  issueTicket(passenger: SharedObject): Ticket {
    const { peer } = this.enter();
    if (passenger instanceof MemoryPipeEnd) {
      const shared = passenger.enter();
      if (shared === peer || shared.peer === peer) {
        fail('ERR_ENCODE', 'an end of a connection cannot travel over it');
      }
    }
    return this.#keeper.issueTicketFor(passenger, peer);
  }

  redeemTicket(ticket: Ticket): void {
    this.#keeper.redeemTicket(ticket);
  }

  ticketsIn(message: Uint8Array): Ticket[] {
    return this.#isClosed ? [] : this.#keeper.ticketsTo(message, this.#shared);
  }

  depart(): void {
    if (!this.isOffered) throw new Error('departs without a ticket');
    this.isOffered = false;
    this.#leave();
  }

  stay(): void {
    if (!this.isOffered) throw new Error('stays without a ticket');
    this.isOffered = false;
  }

  arm(side: Side): boolean {
    const shared = this.enter();
    if (shared.waits.some((wait) => wait.side === side)) {
      throw new Error(`armed twice: side ${side} of ${this.name}`);
    }
    if (shared.isWorthALook(side)) return true;
    shared.waits.push({ end: this, side, isRung: false });
    return false;
  }

  disarm(side: Side): void {
    const shared = this.enter();
    shared.waits = shared.waits.filter((wait) => wait.side !== side);
  }

  /** The bell: nothing if the wait was withdrawn in the meantime. */
  answer(wait: Wait): void {
    const shared = this.#shared;
    if (!shared.waits.includes(wait)) return;
    shared.waits = shared.waits.filter((one) => one !== wait);
    this.onReady?.(wait.side);
  }

  waitSync(side: Side, timeoutMs: number): boolean {
    const shared = this.enter();
    if (shared.waits.some((wait) => wait.side === side)) {
      throw new Error(`blocks while armed: side ${side} of ${this.name}`);
    }
    let isAnyActing = true;
    while (isAnyActing) {
      isAnyActing = this.#keeper.whileBlocked?.() === true;
      if (shared.isWorthALook(side)) return true;
    }
    if (timeoutMs === Infinity) {
      throw new Error('blocked for ever: nobody else acts in this thread');
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeoutMs);
    return false;
  }

  ref(): void {
    this.enter();
  }

  unref(): void {
    this.enter();
  }

  identity(): bigint {
    return this.#shared.identity;
  }

  close(): void {
    if (this.#isClosed) return;
    if (this.isOffered) throw new Error('closed while it is on its way');
    this.#leave();
    this.#keeper.lost(this.#shared);
  }

  #leave(): void {
    if (this.#shared.waits.length > 0) throw new Error('leaves while it is armed');
    this.#isClosed = true;
    this.#shared.owner = undefined;
  }

  unlink(): void {
    throw new Error('a pipe has no name to remove');
  }

  stats(): PipeStats {
    return { ...this.enter().counts };
  }
}

/** Both ends of a new pipe. */
export function sharedPipe(
  identity: bigint,
  name: string,
  options: PipeOptions,
): [SharedEnd, SharedEnd] {
  if ((options.capacityBytes ?? 0) > LARGEST_CAPACITY) {
    fail('ERR_INVALID_ARG', `capacityBytes is ${options.capacityBytes}`);
  }
  let capacityBytes = SMALLEST_CAPACITY;
  while (capacityBytes < (options.capacityBytes ?? PIPE_DEFAULTS.capacityBytes)) capacityBytes *= 2;
  const geometry = Object.freeze({
    capacityBytes,
    maxMessageBytes: options.maxMessageBytes ?? PIPE_DEFAULTS.maxMessageBytes,
    duplex: options.duplex ?? true,
    codec: options.codec ?? DEFAULT_CODEC,
  });
  const first = new SharedEnd(identity, name, 0, geometry);
  const second = new SharedEnd(identity, name, 1, geometry);
  first.peer = second;
  second.peer = first;
  return [first, second];
}
