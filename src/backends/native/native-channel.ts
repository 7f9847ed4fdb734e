import { InterprocError } from '../../errors.js';
import { CARRIES, EMPTY, ENDED, FULL, LARGE } from '../../contract/channel.js';
import type {
  Channel,
  ChannelGeometry,
  ChannelStats,
  SharedObject,
  Ticket,
} from '../../contract/channel.js';
import { NO_TOKEN } from './addon.js';
import type { Addon, Constants, Token } from './addon.js';
import { CAPABILITIES } from './capabilities.js';
import { issueTicket, NAMELESS, redeemTicket, ticketsOf } from './carrier.js';
import { guarded, statusError } from './failures.js';
import { LargeMessage } from './large-message.js';
import { NativeLeasing } from './native-leasing.js';
import { NativeObject } from './native-object.js';
import { findTicketFiles, formatTicket } from './tickets.js';
import type { NativeThread } from './native-thread.js';

/**
 * Up to this size a message is copied into the outbox, above it the native call reads the caller's array: handing over a
 * small array costs more than copying it (V8 first moves its bytes off its heap, about a microsecond once for each array).
 */
const OUTBOX_BYTES = 4096;

/** A native queue as the contract wants it. */
export class NativeChannel extends NativeObject implements Channel {
  readonly geometry: ChannelGeometry;
  readonly capabilities = CAPABILITIES;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly outbox: Uint8Array;
  readonly isQuiet = false;
  readonly leasing: NativeLeasing;

  // Of this class's own as well: the hot calls read private fields faster than inherited ones.
  readonly #addon: Addon;
  readonly #constants: Constants;
  #token: Token;
  readonly #results: Float64Array;
  readonly #large: LargeMessage;

  /** `copiesLeases`: the bytes of leases are private copies, even where they could be the queue's own memory. */
  constructor(
    thread: NativeThread,
    token: Token,
    name: string,
    directory: string,
    geometry: ChannelGeometry,
    copiesLeases: boolean,
  ) {
    super(thread, token, name, directory);
    const { addon } = thread;
    this.geometry = geometry;
    this.offsets = addon.offsets;
    this.lengths = addon.lengths;
    this.outbox = addon.outbox();
    this.#addon = addon;
    this.#constants = addon.constants;
    this.#token = token;
    this.#results = addon.results;
    this.#large = new LargeMessage(addon);
    this.leasing = new NativeLeasing(thread, this, copiesLeases);
  }

  override close(): void {
    super.close();
    this.#token = NO_TOKEN;
  }

  get inbox(): Uint8Array {
    return this.thread.inbox;
  }

  tryPutOutbox(length: number): number {
    const result = this.#addon.putOutbox(this.#token, length);
    return result === 0 ? 0 : this.#putStatus(result, length);
  }

  tryPut(bytes: Uint8Array): number {
    const { length } = bytes;
    if (length <= OUTBOX_BYTES) {
      this.outbox.set(bytes);
      return this.tryPutOutbox(length);
    }
    const result = this.#addon.putBytes(this.#token, bytes);
    return result === 0 ? 0 : this.#putStatus(result, length);
  }

  tryPutCarrying(bytes: Uint8Array): number {
    const result = this.#addon.putCarrying(this.#token, bytes);
    return result === 0 ? 0 : this.#putStatus(result, bytes.length);
  }

  tryPutMany(messages: readonly Uint8Array[], from: number): number {
    const { outbox, offsets, lengths } = this;
    const last = Math.min(messages.length, from + this.#constants.batch);
    let offset = 0;
    let index = from;
    for (; index < last; index++) {
      const message = messages[index] as Uint8Array;
      const { length } = message;
      if (offset + length > outbox.length) break;
      outbox.set(message, offset);
      offsets[index - from] = offset;
      lengths[index - from] = length;
      offset = (offset + length + 7) & ~7;
    }
    if (index === from) {
      const status = this.tryPut(messages[from] as Uint8Array);
      return status === 0 ? 1 : status === FULL ? 0 : status;
    }
    const result = this.#addon.putPacked(this.#token, index - from);
    if (result > 0) return result;
    const status = this.#putStatus(result, lengths[0] as number);
    return status === FULL ? 0 : status;
  }

  #putStatus(result: number, length: number): number {
    const constants = this.#constants;
    if (result === -constants.full) return FULL;
    if (result === -constants.ended) return ENDED;
    const detail =
      result === -constants.tooLarge
        ? `a message of ${length} bytes; this queue takes ${this.geometry.maxMessageBytes} at most`
        : `a message of ${length} bytes was not put`;
    throw statusError(constants, -result, this.name, detail, this.#errnoOf(result));
  }

  tryTake(): number {
    const result = this.#addon.take(this.#token);
    return result >= 0 ? result : this.#takeOrFetch(result);
  }

  tryTakeInto(buffer: Uint8Array): number {
    const result = this.#addon.takeInto(this.#token, buffer);
    if (result >= 0) return result;
    if (result === -this.#constants.tooLarge) {
      const wanted = this.#results[this.#constants.wanted];
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `${this.name}: the next message has ${wanted} bytes, the buffer ${buffer.length}; the message stays in the queue`,
      );
    }
    return this.#takeStatus(result);
  }

  tryTakeMany(max: number): number {
    // More than a crossing holds would not fit into the call's 32 bits.
    const result = this.#addon.takeMany(this.#token, Math.min(max, this.#constants.batch));
    return result > 0 ? result : this.#takeOrFetch(result);
  }

  tryReceive(): number {
    const result = this.#addon.receive(this.#token);
    if (result >= 0) return result;
    if (result !== -this.#constants.tooLarge) return this.#takeStatus(result);
    return this.#fetch((into) => this.#addon.receiveInto(this.#token, into));
  }

  takeLarge(): Uint8Array {
    return this.#large.handOver();
  }

  #takeOrFetch(result: number): number {
    if (result !== -this.#constants.tooLarge) return this.#takeStatus(result);
    return this.#fetch((into) => this.#addon.takeInto(this.#token, into));
  }

  #fetch(take: (into: Uint8Array) => number): number {
    const result = this.#large.fetch(this.name, take);
    return result === LARGE ? LARGE : this.#takeStatus(result);
  }

  #takeStatus(result: number): number {
    const constants = this.#constants;
    if (result === -constants.empty) return EMPTY;
    if (result === -constants.ended) return ENDED;
    if (result === -constants.carries) return CARRIES;
    const detail =
      result === -constants.unacked ? 'too many messages are unacknowledged by this handle' : '';
    throw statusError(constants, -result, this.name, detail, this.#errnoOf(result));
  }

  /** What the system said, of a message that could not be written or read. */
  #errnoOf(result: number): number {
    const { noSpace, permission, system, errno } = this.#constants;
    const isSystem = [noSpace, permission, system].includes(-result);
    return isSystem ? (this.#results[errno] as number) : 0;
  }

  get deliveries(): number {
    return this.#results[this.#constants.deliveries] as number;
  }

  get receipt(): number {
    return this.#results[this.#constants.receipt] as number;
  }

  ack(receipt: number): void {
    const result = this.#addon.ack(this.#token, receipt);
    if (result !== 0) throw statusError(this.#constants, -result, this.name);
  }

  nack(receipt: number): void {
    const result = this.#addon.nack(this.#token, receipt);
    if (result !== 0) throw statusError(this.#constants, -result, this.name);
  }

  undeliver(receipt: number): void {
    const result = this.#addon.undeliver(this.#token, receipt);
    if (result !== 0) throw statusError(this.#constants, -result, this.name);
  }

  ackAsTaken(receipt: number): void {
    const result = this.#addon.ackAsTaken(this.#token, receipt);
    if (result !== 0) throw statusError(this.#constants, -result, this.name);
  }

  taskDone(): boolean {
    const result = this.#addon.taskDone(this.#token);
    if (result === 0) return true;
    if (result === -this.#constants.notOwner) return false;
    throw statusError(this.#constants, -result, this.name);
  }

  hasUnfinished(): boolean {
    return this.#isSo(this.#addon.hasUnfinished(this.#token));
  }

  isFinished(): boolean {
    return this.#isSo(this.#addon.finished(this.#token));
  }

  #isSo(result: number): boolean {
    if (result < 0) throw statusError(this.#constants, -result, this.name);
    return result !== 0;
  }

  issueTicket(passenger: SharedObject): Ticket {
    return issueTicket(this.thread, this, passenger);
  }

  redeemTicket(ticket: Ticket): void {
    redeemTicket(this, ticket);
  }

  ticketsIn(message: Uint8Array): Ticket[] {
    return ticketsOf(this, message);
  }

  copyTickets(message: Uint8Array, source: Channel): Ticket[] {
    const tickets: Ticket[] = [];
    try {
      findTicketFiles(message, source.identity(), (file, offset) => {
        const copied = guarded(this.#constants, this.name, () =>
          this.#addon.copyTicket(this.#token, file),
        );
        if (copied === undefined) return;
        tickets.push(formatTicket(copied, NAMELESS));
        message.set(Buffer.from(copied, 'latin1'), offset);
      });
    } catch (error) {
      for (const ticket of tickets) this.redeemTicket(ticket);
      throw error;
    }
    return tickets;
  }

  end(): void {
    this.#addon.end(this.#token);
  }

  get ended(): boolean {
    return this.#addon.ended(this.#token);
  }

  size(): number {
    return this.#addon.size(this.#token);
  }

  isReadable(): boolean {
    return this.#addon.isReadable(this.#token);
  }

  isFull(): boolean {
    return this.#addon.isFull(this.#token);
  }

  stats(): ChannelStats {
    return this.#addon.stats(this.#token) as unknown as ChannelStats;
  }
}
