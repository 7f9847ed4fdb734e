/**
 * The contract inside one thread, as plainly as it can be written: for unit tests, and to run the conformance
 * suite against something that is not native.
 */

import { InterprocError } from '../../src/errors.js';
import { BROKERED_CAPABILITIES } from '../../src/backends/brokered/capabilities.js';
import type { Capabilities } from '../../src/contract/capabilities.js';
import type { ErrorCode } from '../../src/errors.js';
import {
  CARRIES,
  CHANNEL_DEFAULTS,
  DEFAULT_CODEC,
  defaultSideBytes,
  EMPTY,
  ENDED,
  FULL,
  JOIN,
  LARGE,
  PUT,
  TAKE,
} from '../../src/contract/channel.js';
import type {
  Backend,
  Channel,
  ChannelCapabilities,
  ChannelGeometry,
  ChannelOptions,
  ChannelStats,
  OpenMode,
  Registry,
  SegmentInfo,
  SharedObject,
  Side,
  Ticket,
} from '../../src/contract/channel.js';
import type { State, StateKind, StateOptions } from '../../src/contract/state.js';
import type { PipeEnd, PipeOpener, PipeOptions } from '../../src/contract/pipe.js';
import type {
  ClientEnd,
  ListenerEnd,
  ListenerOpener,
  ListenerOptions,
} from '../../src/contract/listener.js';
import { MemoryListener, SharedListener } from './memory-listener.js';
import type { ListenerKeeper } from './memory-listener.js';
import { MemoryPipeEnd, SharedEnd, sharedPipe } from './memory-pipe.js';
import type { PipeKeeper } from './memory-pipe.js';
import { MemoryState, SharedState } from './memory-state.js';

const BLOCK_BYTES = 64;
const SMALLEST_CAPACITY = 4096;
const LARGEST_CAPACITY = 2 ** 32;
/** Small, so that tests meet messages that do not fit. */
const OUTBOX_BYTES = 1024;
const LEDGER_ENTRIES = 1024;
const BATCH = 64;
const TICKETS = /~ticket-[0-9]{8}/g;
/** What the inbox is overwritten with by every call: nothing may be left in it. */
const SCRIBBLE = 0xdb;

interface Message {
  readonly bytes: Uint8Array;
  readonly carries: boolean;
  readonly order: number;
  deliveries: number;
}

interface Wait {
  readonly channel: MemoryChannel;
  readonly side: Side;
  isRung: boolean;
}

function fail(code: ErrorCode, message: string): never {
  throw new InterprocError(code, message);
}

/** What the channels of one name share. */
let identities = 0n;

class SharedQueue {
  readonly identity = ++identities;
  readonly channels = new Set<MemoryChannel>();
  readonly returned: Message[] = [];
  readonly messages: Message[] = [];
  readonly held = new Map<number, { message: Message; holder: MemoryChannel }>();
  readonly counts = {
    puts: 0,
    gets: 0,
    putBytes: 0,
    gotBytes: 0,
    waits: 0,
    wakes: 0,
    redelivered: 0,
  };
  waits: Wait[] = [];
  highWater = 0;
  ended = false;
  usedBytes = 0;
  /** Of the messages larger than the capacity, those received and not yet acknowledged included. */
  sideBytes = 0;
  order = 0;
  receipts = 0;

  constructor(
    readonly name: string,
    readonly geometry: ChannelGeometry,
  ) {}

  get size(): number {
    return this.messages.length + this.returned.length;
  }

  get isFinished(): boolean {
    const isAnyTaken = [...this.channels].some(({ unfinished }) => unfinished > 0);
    return this.size === 0 && this.held.size === 0 && !isAnyTaken;
  }

  /** To be called when something was finished. */
  wakeJoiners(): void {
    if (this.isFinished) this.wake(JOIN, Infinity);
  }

  hasRoom(length: number): boolean {
    const { capacityBytes, maxItems } = this.geometry;
    if (maxItems > 0 && this.messages.length >= maxItems) return false;
    if (this.isBeside(length) && this.sideBytes > 0) {
      if (this.sideBytes + length > this.geometry.maxSideBytes) return false;
    }
    return this.usedBytes + this.cost(length) <= capacityBytes;
  }

  isBeside(length: number): boolean {
    return length > this.geometry.capacityBytes;
  }

  cost(length: number): number {
    if (this.isBeside(length)) return BLOCK_BYTES;
    return Math.max(1, Math.ceil(length / BLOCK_BYTES)) * BLOCK_BYTES;
  }

  /** The message is gone for good. */
  letGo({ bytes }: Message): void {
    if (this.isBeside(bytes.length)) this.sideBytes -= bytes.length;
    this.wake(PUT, Infinity);
  }

  put(bytes: Uint8Array, carries: boolean): number {
    const { maxMessageBytes } = this.geometry;
    if (bytes.length > maxMessageBytes) {
      fail('ERR_TOO_LARGE', `a message of ${bytes.length} bytes; ${maxMessageBytes} at most`);
    }
    if (this.ended) return ENDED;
    if (!this.hasRoom(bytes.length)) return FULL;
    // The slice of a Buffer, which it may be, shares its memory.
    this.messages.push({
      bytes: new Uint8Array(bytes),
      carries,
      order: this.order++,
      deliveries: 0,
    });
    this.usedBytes += this.cost(bytes.length);
    if (this.isBeside(bytes.length)) this.sideBytes += bytes.length;
    this.counts.puts++;
    this.counts.putBytes += bytes.length;
    this.highWater = Math.max(this.highWater, this.size);
    this.wake(TAKE, 1);
    return 0;
  }

  next(taker: MemoryChannel): Message | number {
    const message = this.returned[0] ?? this.messages[0];
    if (message !== undefined) return message;
    if (!this.ended) return EMPTY;
    const isHeldElsewhere = [...this.held.values()].some(({ holder }) => holder !== taker);
    return isHeldElsewhere ? EMPTY : ENDED;
  }

  remove(message: Message): void {
    if (this.returned[0] === message) {
      this.returned.shift();
    } else {
      this.messages.shift();
      this.usedBytes -= this.cost(message.bytes.length);
      this.wake(PUT, Infinity);
    }
    message.deliveries++;
    this.counts.gets++;
    this.counts.gotBytes += message.bytes.length;
    if (message.deliveries > 1) this.counts.redelivered++;
    if (this.ended) this.wake(TAKE, Infinity);
  }

  giveBack(receipt: number, message: Message): void {
    this.held.delete(receipt);
    this.returned.push(message);
    this.returned.sort((a, b) => a.order - b.order);
    this.wake(TAKE, 1);
  }

  isWorthALook(channel: MemoryChannel, side: Side): boolean {
    if (side === JOIN) return this.isFinished;
    if (side === TAKE) return this.next(channel) !== EMPTY;
    return this.ended || this.hasRoom(channel.wanted);
  }

  wake(side: Side, count: number): void {
    for (const wait of this.waits) {
      if (count <= 0) return;
      if (wait.side !== side || wait.isRung) continue;
      count--;
      wait.isRung = true;
      this.counts.wakes++;
      setImmediate(() => wait.channel.answer(wait));
    }
  }
}

class MemoryChannel implements Channel {
  readonly name: string;
  readonly geometry: ChannelGeometry;
  readonly capabilities: ChannelCapabilities;
  readonly outbox: Uint8Array;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly isQuiet = false;
  readonly leasing = undefined;
  deliveries = 0;
  receipt = 0;
  wanted = 0;
  /** Messages taken without a taskDone. */
  unfinished = 0;
  onReady: ((side: Side) => void) | undefined = undefined;
  readonly #backend: MemoryBackend;
  readonly #queue: SharedQueue;
  #large: Uint8Array | undefined;
  #isClosed = false;

  constructor(backend: MemoryBackend, queue: SharedQueue) {
    this.#backend = backend;
    this.#queue = queue;
    this.name = queue.name;
    this.geometry = queue.geometry;
    this.capabilities = backend.capabilities;
    this.outbox = backend.outbox;
    this.offsets = backend.offsets;
    this.lengths = backend.lengths;
    queue.channels.add(this);
  }

  get inbox(): Uint8Array {
    return this.#backend.inbox;
  }

  #enter(): SharedQueue {
    if (this.#isClosed) fail('ERR_CLOSED', `channel ${this.name} is closed`);
    this.inbox.fill(SCRIBBLE);
    return this.#queue;
  }

  tryPutOutbox(length: number): number {
    return this.tryPut(this.outbox.subarray(0, length));
  }

  tryPut(bytes: Uint8Array): number {
    return this.#put(bytes, false);
  }

  tryPutCarrying(bytes: Uint8Array): number {
    return this.#put(bytes, true);
  }

  #put(bytes: Uint8Array, carries: boolean): number {
    const queue = this.#enter();
    this.wanted = bytes.length;
    const status = queue.put(bytes, carries);
    // What did not go in stays where it is.
    if (status !== FULL) this.outbox.fill(SCRIBBLE);
    return status;
  }

  tryPutMany(messages: readonly Uint8Array[], from: number): number {
    let count = 0;
    for (const message of messages.slice(from, from + BATCH)) {
      const status = this.tryPut(message);
      if (status === ENDED && count === 0) return ENDED;
      if (status !== 0) break;
      count++;
    }
    return count;
  }

  #takeInto(target: Uint8Array | undefined): number {
    const queue = this.#enter();
    const message = queue.next(this);
    if (typeof message === 'number') return message;
    if (message.carries) return CARRIES;
    const { bytes } = message;
    if (target !== undefined && bytes.length > target.length) {
      fail('ERR_TOO_LARGE', `a message of ${bytes.length} bytes, a buffer of ${target.length}`);
    }
    queue.remove(message);
    queue.letGo(message);
    this.unfinished++;
    return this.#deliver(message, target, 0);
  }

  /** Its length, or LARGE. */
  #deliver(message: Message, target: Uint8Array | undefined, offset: number): number {
    const { bytes } = message;
    this.deliveries = message.deliveries;
    if (target === undefined && this.#queue.isBeside(bytes.length)) {
      this.#large = bytes.slice();
      return LARGE;
    }
    if (target === undefined && offset + bytes.length > this.inbox.length) {
      const larger = new Uint8Array(2 * (offset + bytes.length));
      larger.set(this.inbox);
      this.#backend.inbox = larger;
    }
    (target ?? this.inbox).set(bytes, offset);
    return bytes.length;
  }

  takeLarge(): Uint8Array {
    const large = this.#large;
    if (large === undefined) throw new Error('takeLarge without LARGE');
    this.#large = undefined;
    return large;
  }

  tryTake(): number {
    return this.#takeInto(undefined);
  }

  tryTakeInto(buffer: Uint8Array): number {
    return this.#takeInto(buffer);
  }

  tryTakeMany(max: number): number {
    const queue = this.#enter();
    let offset = 0;
    for (let count = 0; count < Math.min(max, BATCH); count++) {
      const message = queue.next(this);
      if (typeof message === 'number') return count > 0 ? count : message;
      if (message.carries) return count > 0 ? count : CARRIES;
      if (message.deliveries > 0 && count > 0) return count;
      if (queue.isBeside(message.bytes.length) && count > 0) return count;
      queue.remove(message);
      queue.letGo(message);
      this.unfinished++;
      if (this.#deliver(message, undefined, offset) === LARGE) return LARGE;
      this.offsets[count] = offset;
      this.lengths[count] = message.bytes.length;
      offset += message.bytes.length;
      if (message.deliveries > 1) return 1;
    }
    return Math.min(max, BATCH);
  }

  tryReceive(): number {
    const queue = this.#enter();
    const message = queue.next(this);
    if (typeof message === 'number') return message;
    const own = [...queue.held.values()].filter(({ holder }) => holder === this);
    if (own.length >= LEDGER_ENTRIES) fail('ERR_UNACKED', `${own.length} are unacknowledged`);
    queue.remove(message);
    this.receipt = ++queue.receipts;
    queue.held.set(this.receipt, { message, holder: this });
    return this.#deliver(message, undefined, 0);
  }

  ack(receipt: number): void {
    const queue = this.#enter();
    const held = queue.held.get(receipt);
    if (held?.holder !== this) fail('ERR_NOT_OWNER', `receipt ${receipt}`);
    queue.held.delete(receipt);
    queue.letGo(held.message);
    if (queue.ended) queue.wake(TAKE, Infinity);
    queue.wakeJoiners();
  }

  ackAsTaken(receipt: number): void {
    const isOurs = this.#queue.held.get(receipt)?.holder === this;
    if (isOurs) this.unfinished++;
    this.ack(receipt);
  }

  taskDone(): boolean {
    const queue = this.#enter();
    if (this.unfinished === 0) return false;
    this.unfinished--;
    queue.wakeJoiners();
    return true;
  }

  hasUnfinished(): boolean {
    const { held } = this.#enter();
    return this.unfinished > 0 || [...held.values()].some(({ holder }) => holder === this);
  }

  isFinished(): boolean {
    return this.#enter().isFinished;
  }

  nack(receipt: number): void {
    const queue = this.#enter();
    const held = queue.held.get(receipt);
    if (held?.holder !== this) fail('ERR_NOT_OWNER', `receipt ${receipt}`);
    queue.giveBack(receipt, held.message);
  }

  undeliver(receipt: number): void {
    const held = this.#queue.held.get(receipt);
    if (held?.holder === this) held.message.deliveries--;
    this.nack(receipt);
  }

  arm(side: Side): boolean {
    const queue = this.#enter();
    if (queue.waits.some((wait) => wait.channel === this && wait.side === side)) {
      throw new Error(`armed twice: side ${side} of ${this.name}`);
    }
    if (queue.isWorthALook(this, side)) return true;
    queue.counts.waits++;
    queue.waits.push({ channel: this, side, isRung: false });
    return false;
  }

  disarm(side: Side): void {
    const queue = this.#enter();
    const wait = queue.waits.find((one) => one.channel === this && one.side === side);
    if (wait === undefined) return;
    queue.waits = queue.waits.filter((one) => one !== wait);
    if (wait.isRung && queue.isWorthALook(this, side)) queue.wake(side, 1);
  }

  /** The bell: nothing if the wait was withdrawn in the meantime. */
  answer(wait: Wait): void {
    const queue = this.#queue;
    if (!queue.waits.includes(wait)) return;
    queue.waits = queue.waits.filter((one) => one !== wait);
    this.onReady?.(wait.side);
  }

  waitSync(side: Side, timeoutMs: number): boolean {
    const queue = this.#enter();
    if (queue.waits.some((wait) => wait.channel === this && wait.side === side)) {
      throw new Error(`blocks while armed: side ${side} of ${this.name}`);
    }
    let isAnyActing = true;
    while (isAnyActing) {
      isAnyActing = this.#backend.whileBlocked?.() === true;
      if (queue.isWorthALook(this, side)) return true;
    }
    if (timeoutMs === Infinity) {
      throw new Error('blocked for ever: nobody else acts in this thread');
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeoutMs);
    return false;
  }

  ref(): void {
    this.#enter();
  }

  unref(): void {
    this.#enter();
  }

  identity(): bigint {
    return this.#enter().identity;
  }

  issueTicket(passenger: SharedObject): Ticket {
    return this.#backend.issueTicketFor(passenger, this.#enter());
  }

  /** What is behind it. */
  get queue(): SharedQueue {
    return this.#enter();
  }

  redeemTicket(ticket: Ticket): void {
    this.#backend.redeemTicket(ticket);
  }

  ticketsIn(message: Uint8Array): Ticket[] {
    return this.#backend.ticketsTo(message, this.#queue);
  }

  copyTickets(message: Uint8Array, source: Channel): Ticket[] {
    const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    return source.ticketsIn(message).map((ticket) => {
      const copied = this.#backend.copyTicket(ticket, this.#queue);
      text.write(copied, text.indexOf(ticket), 'latin1');
      return copied;
    });
  }

  end(): void {
    const queue = this.#enter();
    queue.ended = true;
    queue.wake(TAKE, Infinity);
    queue.wake(PUT, Infinity);
  }

  get ended(): boolean {
    return this.#enter().ended;
  }

  size(): number {
    return this.#enter().size;
  }

  isReadable(): boolean {
    const queue = this.#enter();
    const isReadable = queue.isWorthALook(this, TAKE);
    if (isReadable) queue.wake(TAKE, 1);
    return isReadable;
  }

  isFull(): boolean {
    return !this.#enter().hasRoom(0);
  }

  stats(): ChannelStats {
    const queue = this.#enter();
    return {
      ...queue.counts,
      highWater: queue.highWater,
      participants: queue.channels.size,
      unacknowledged: queue.held.size,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    const queue = this.#queue;
    for (const [receipt, { message, holder }] of queue.held) {
      if (holder === this) queue.giveBack(receipt, message);
    }
    if (queue.ended) queue.wake(TAKE, Infinity);
    this.disarm(TAKE);
    this.disarm(PUT);
    this.disarm(JOIN);
    this.#isClosed = true;
    queue.channels.delete(this);
    queue.wakeJoiners();
    this.#backend.left(queue);
  }

  unlink(): void {
    this.#backend.unlink(this.#enter());
  }
}

/** What a ticket can be for, and what carries it: a queue, or a pipe to the end that receives. */
type Ticketed = SharedQueue | SharedState | SharedEnd;
type Carrier = SharedQueue | SharedEnd | SharedListener;

export class MemoryBackend
  implements Backend, Registry, PipeOpener, PipeKeeper, ListenerOpener, ListenerKeeper
{
  readonly kind = 'memory';
  readonly registry: Registry = this;
  readonly directory = undefined;
  readonly hasBroker = undefined;
  readonly capabilities: Capabilities;
  /** What the rest of the world does while this thread is blocked; true if it may do more. */
  whileBlocked: (() => boolean) | undefined;
  // As in a thread: all channels share them.
  readonly outbox = new Uint8Array(OUTBOX_BYTES);
  readonly offsets = new Uint32Array(BATCH);
  readonly lengths = new Uint32Array(BATCH);
  inbox = new Uint8Array(OUTBOX_BYTES);
  readonly #objects = new Map<string, SharedQueue | SharedState>();
  readonly #tickets = new Map<Ticket, { object: Ticketed; carrier: Carrier }>();
  /** Those that somebody has, or a message. */
  readonly #ends = new Set<SharedEnd>();
  readonly #listeners = new Map<string, SharedListener>();
  #issued = 0;
  #anonymous = 0;

  constructor(capabilities: Partial<Omit<ChannelCapabilities, 'leases'>> = {}) {
    this.capabilities = { ...BROKERED_CAPABILITIES, betweenProcesses: false, ...capabilities };
  }

  openChannel(name: string | undefined, mode: OpenMode, options: ChannelOptions): Channel {
    const known = this.#find(name, mode);
    if (known !== undefined) {
      if (known instanceof SharedState) fail('ERR_KIND', `'${name}' is a ${known.geometry.kind}`);
      this.#checkAgreement(known, options);
      return new MemoryChannel(this, known);
    }
    const queue = new SharedQueue(
      name ?? `~${++this.#anonymous}`,
      geometryOf(options, name === undefined),
    );
    this.#objects.set(queue.name, queue);
    return new MemoryChannel(this, queue);
  }

  #find(name: string | undefined, mode: OpenMode): SharedQueue | SharedState | undefined {
    const known = name === undefined ? undefined : this.#objects.get(name);
    if (name !== undefined && this.#listeners.has(name)) {
      fail(mode === 'create' ? 'ERR_EXISTS' : 'ERR_KIND', `'${name}' is a listener`);
    }
    if (known === undefined && mode === 'open') fail('ERR_NOT_FOUND', `no object '${name}'`);
    if (known !== undefined && mode === 'create') fail('ERR_EXISTS', `'${name}' is there`);
    return known;
  }

  issueTicketFor(passenger: SharedObject, carrier: Carrier): Ticket {
    if (passenger instanceof MemoryPipeEnd) {
      const ticket = this.issueTicket(passenger.enter(), carrier);
      passenger.isOffered = true;
      return ticket;
    }
    const object =
      passenger instanceof MemoryState ? passenger.enter() : (passenger as MemoryChannel).queue;
    return this.issueTicket(object, carrier);
  }

  issueTicket(object: Ticketed, carrier: Carrier): Ticket {
    const isThere =
      object instanceof SharedEnd
        ? this.#ends.has(object)
        : this.#objects.get(object.name) === object;
    if (!isThere) fail('ERR_NOT_FOUND', `'${object.name}' was unlinked`);
    const ticket = `~ticket-${String(++this.#issued).padStart(8, '0')}`;
    this.#tickets.set(ticket, { object, carrier });
    return ticket;
  }

  redeemTicket(ticket: Ticket): void {
    const known = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (known?.object instanceof SharedEnd) this.#endLeft(known.object);
    else if (known !== undefined) this.left(known.object);
  }

  /** It is lost if nobody has it and no message either. */
  #endLeft(end: SharedEnd): void {
    if (end.owner !== undefined) return;
    if ([...this.#tickets.values()].some(({ object }) => object === end)) return;
    this.lost(end);
  }

  lost(end: SharedEnd): void {
    this.#ends.delete(end);
    end.lose();
    for (const [ticket, { carrier }] of this.#tickets) {
      if (carrier === end) this.redeemTicket(ticket);
    }
  }

  ticketsTo(message: Uint8Array, carrier: Carrier): Ticket[] {
    const tickets = Buffer.from(message).toString('latin1').match(TICKETS) ?? [];
    return tickets.filter((ticket) => this.isCarriedBy(ticket, carrier));
  }

  openPipe(options: PipeOptions): [PipeEnd, PipeEnd] {
    const [first, second] = sharedPipe(++identities, `~pipe-${++this.#anonymous}`, options);
    this.#ends.add(first);
    this.#ends.add(second);
    return [new MemoryPipeEnd(this, first), new MemoryPipeEnd(this, second)];
  }

  openPipeTicket(ticket: Ticket): PipeEnd {
    const known = this.#tickets.get(ticket)?.object;
    if (!(known instanceof SharedEnd)) fail('ERR_NOT_FOUND', 'it is gone');
    if (known.owner === undefined && this.#ends.has(known)) return new MemoryPipeEnd(this, known);
    // Somebody was handed the message before.
    const lost = sharedPipe(known.identity, known.name, known.geometry)[known.index];
    lost.peer.lose();
    return new MemoryPipeEnd(this, lost);
  }

  openListener(name: string, options: ListenerOptions): ListenerEnd {
    const { backlog, isKeyed } = options;
    this.#find(name, 'create');
    // What its pipes are like.
    const [{ geometry }] = sharedPipe(0n, name, options);
    const shared = new SharedListener(++identities, name, {
      ...geometry,
      backlog,
      isKeyed,
    });
    this.#listeners.set(name, shared);
    return new MemoryListener(this, shared, true);
  }

  openBacklog(name: string): ClientEnd {
    const known = this.#listeners.get(name);
    if (known?.listens === true) return new MemoryListener(this, known, false);
    return fail(this.#objects.has(name) ? 'ERR_KIND' : 'ERR_NOT_FOUND', `no listener '${name}'`);
  }

  unlisten(listener: SharedListener): void {
    if (this.#listeners.get(listener.name) === listener) this.#listeners.delete(listener.name);
  }

  isCarriedBy(ticket: Ticket, carrier: Carrier): boolean {
    return this.#tickets.get(ticket)?.carrier === carrier;
  }

  copyTicket(ticket: Ticket, carrier: Carrier): Ticket {
    const known = this.#tickets.get(ticket);
    if (known === undefined) fail('ERR_NOT_FOUND', 'no such ticket');
    return this.issueTicket(known.object, carrier);
  }

  openState(
    name: string | undefined,
    mode: OpenMode,
    options: StateOptions,
    initial?: Uint8Array,
  ): State {
    const known = this.#find(name, mode);
    if (known !== undefined) {
      if (known instanceof SharedQueue || known.geometry.kind !== options.kind) {
        fail('ERR_KIND', `'${name}' is no ${options.kind}`);
      }
      return new MemoryState(this, known);
    }
    const made = new SharedState(
      ++identities,
      name ?? `~${++this.#anonymous}`,
      { ...options, anonymous: name === undefined },
      initial,
    );
    this.#objects.set(made.name, made);
    return new MemoryState(this, made);
  }

  openStateTicket(ticket: Ticket, kind: StateKind): State {
    const object = this.#tickets.get(ticket)?.object;
    if (!(object instanceof SharedState) || this.#objects.get(object.name) !== object)
      fail('ERR_NOT_FOUND', 'it is gone');
    if (object.geometry.kind !== kind) fail('ERR_KIND', `'${object.name}' is no ${kind}`);
    return new MemoryState(this, object);
  }

  beside(): this {
    return this;
  }

  openTicket(ticket: Ticket, codec?: string): Channel {
    const object = this.#tickets.get(ticket)?.object;
    if (!(object instanceof SharedQueue) || this.#objects.get(object.name) !== object)
      fail('ERR_NOT_FOUND', 'it is gone');
    if (codec !== undefined) this.#checkAgreement(object, { codec });
    return new MemoryChannel(this, object);
  }

  #checkAgreement({ name, geometry }: SharedQueue, options: ChannelOptions): void {
    const wanted: object = geometryOf(options, geometry.anonymous);
    for (const [key, value] of Object.entries(options)) {
      const there: unknown = Reflect.get(geometry, key);
      if (value === undefined || there === Reflect.get(wanted, key)) continue;
      fail('ERR_MISMATCH', `${key} of '${name}' is ${String(there)}, not ${String(value)}`);
    }
  }

  left(object: SharedQueue | SharedState): void {
    const { anonymous, persist } = object.geometry;
    const isOpen =
      object instanceof SharedQueue ? object.channels.size > 0 : object.states.size > 0;
    const holds = object instanceof SharedQueue && !anonymous && object.size > 0;
    if (isOpen || persist || holds) return;
    for (const ticket of this.#tickets.values()) {
      if (ticket.object === object && ticket.carrier !== object) return;
    }
    this.unlink(object);
    for (const [ticket, { carrier }] of this.#tickets) {
      if (carrier === object) this.redeemTicket(ticket);
    }
  }

  unlink(object: SharedQueue | SharedState): void {
    if (this.#objects.get(object.name) === object) this.#objects.delete(object.name);
  }

  list(): SegmentInfo[] {
    const pipes = new Map([...this.#ends].map(({ name, geometry }) => [name, geometry]));
    return [
      ...this.#objectsListed(),
      ...[...this.#listeners.values()].map(({ name, terms, users, waiting }) => ({
        name,
        kind: 'listener',
        totalBytes: terms.backlog,
        participants: users,
        size: waiting.length,
        persist: false,
        anonymous: false,
        problem: undefined,
      })),
      ...[...pipes].map(([name, { capacityBytes }]) => ({
        name,
        kind: 'pipe',
        totalBytes: 2 * capacityBytes,
        participants: [...this.#ends].filter((end) => end.name === name).length,
        size: 0,
        persist: false,
        anonymous: true,
        problem: undefined,
      })),
    ];
  }

  #objectsListed(): SegmentInfo[] {
    return [...this.#objects.values()].map((object) => ({
      name: object.name,
      ...(object instanceof SharedQueue
        ? {
            kind: 'queue',
            totalBytes: object.geometry.capacityBytes,
            participants: object.channels.size,
            size: object.size,
          }
        : {
            kind: object.geometry.kind,
            totalBytes: object.bytes.length,
            participants: object.states.size,
            // A value that is written whole has room for two.
            size:
              object.geometry.kind === 'value' && object.geometry.parameter > 0
                ? object.geometry.parameter
                : object.bytes.length,
          }),
      persist: object.geometry.persist,
      anonymous: object.geometry.anonymous,
      problem: undefined,
    }));
  }

  /** Everybody leaves cleanly here: nothing is ever left over. */
  prune(): string[] {
    return [];
  }
}

function geometryOf(options: ChannelOptions, anonymous: boolean): ChannelGeometry {
  let capacityBytes = SMALLEST_CAPACITY;
  if ((options.capacityBytes ?? 0) > LARGEST_CAPACITY) {
    fail('ERR_INVALID_ARG', `capacityBytes is ${options.capacityBytes}`);
  }
  while (capacityBytes < (options.capacityBytes ?? 65_536)) capacityBytes *= 2;
  return {
    capacityBytes,
    maxMessageBytes:
      options.maxMessageBytes ?? Math.max(CHANNEL_DEFAULTS.maxMessageBytes, capacityBytes),
    maxSideBytes: options.maxSideBytes ?? defaultSideBytes(capacityBytes),
    maxItems: options.maxItems ?? 0,
    maxDeliveries: options.maxDeliveries ?? 0,
    deadLetter: options.deadLetter,
    codec: options.codec ?? DEFAULT_CODEC,
    persist: options.persist ?? false,
    anonymous,
    maxParticipants: options.maxParticipants ?? 64,
  };
}
