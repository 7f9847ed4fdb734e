import { InterprocError } from '../../errors.js';
import { EMPTY, ENDED, FULL, LARGE, RECEIVE, SEND } from '../../contract/pipe.js';
import type { EndIndex, PipeEnd, PipeGeometry, PipeStats } from '../../contract/pipe.js';
import type { SharedObject, Ticket } from '../../contract/shared-object.js';
import { NO_TOKEN } from './addon.js';
import type { Addon, Constants, NativePipeGeometry, Token } from './addon.js';
import { CAPABILITIES } from './capabilities.js';
import { issueTicket, redeemTicket, ticketsOf } from './carrier.js';
import { statusError } from './failures.js';
import { isShort, NOT_PLAIN, NOTHING, ReceivingRing, SendingRing } from './frame-ring.js';
import { arrayOf } from './large-message.js';
import { NativeObject } from './native-object.js';
import type { NativeThread } from './native-thread.js';

/**
 * A sender that never waits asks the kernel whether somebody is there to receive: at the first send of a moment of its thread, so
 * that one which sends now and then learns of a death at once, and this often, for one that leaves the event loop no turn.
 */
const SENDS_PER_LOOK = 1024;

/** What an end keeps at most, to assemble in it what is then copied into the caller's buffer. */
const SCRATCH_BYTES = 8 * 2 ** 20;

/** A message that comes in parts, as far as it has come. */
interface Parts {
  readonly bytes: Uint8Array;
  readonly marks: number;
  filled: number;
}

/** The words of a pipe that its ends read and write without a call into native code. */
class PipeWords {
  readonly words: Int32Array;
  readonly out: SendingRing | undefined;
  readonly in: ReceivingRing | undefined;
  readonly #listedAt: readonly [number, number];
  readonly #others: number;
  readonly #peerAt: number;
  readonly #closed: number;

  constructor(
    constants: Constants,
    { end, slot }: NativePipeGeometry,
    [words, outgoing, incoming]: [ArrayBuffer, ArrayBuffer?, ArrayBuffer?],
  ) {
    this.words = new Int32Array(words);
    const { pipeDirections, pipeDirectionStride, pipeHead, pipeListed, pipeListedStride } =
      constants;
    const outAt = pipeDirections + end * pipeDirectionStride;
    const inAt = pipeDirections + (1 - end) * pipeDirectionStride;
    this.out = outgoing && new SendingRing(this.words, outAt, outAt + pipeHead, outgoing);
    this.in = incoming && new ReceivingRing(this.words, inAt, inAt + pipeHead, incoming);
    this.#listedAt = [pipeListed, pipeListed + pipeListedStride];
    this.#others = ~(1 << slot);
    this.#peerAt = constants.pipeEnds + (1 - end) * 2;
    this.#closed = constants.pipeClosed;
  }

  /** Whether the other end may sleep, waiting for that. To be asked after the RMW that changed something. */
  someoneSleeps(side: typeof RECEIVE | typeof SEND): boolean {
    return (Atomics.load(this.words, this.#listedAt[side]) & this.#others) !== 0;
  }

  peerIsClosed(): boolean {
    return (Atomics.load(this.words, this.#peerAt) & 7) === this.#closed;
  }
}

/** A native end of a pipe as the contract wants it. Small messages go by JavaScript's own Atomics, the others by native code. */
export class NativePipeEnd extends NativeObject implements PipeEnd {
  readonly geometry: PipeGeometry;
  readonly index: EndIndex;
  readonly capabilities = CAPABILITIES;
  readonly tellsUnasked = false;
  readonly canSend: boolean;
  readonly canReceive: boolean;
  readonly wholeBytes: number;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  readonly outbox: Uint8Array;

  // As in NativeChannel: the hot calls read private fields faster than inherited ones.
  readonly #thread: NativeThread;
  readonly #addon: Addon;
  readonly #constants: Constants;
  readonly #results: Float64Array;
  readonly #found: NativePipeGeometry;
  #token: Token;
  /** Undefined: not asked for yet. Null: this runtime, or the user, wants copies. */
  #words: PipeWords | null | undefined;
  #sends = 0;
  /** The moment in which the kernel was asked for the other end last. */
  #askedAt = -1;
  #marks = 0;
  #parts: Parts | undefined;
  #large: Uint8Array | undefined;
  #scratch: Uint8Array | undefined;
  #sent = 0;
  #received = 0;
  #sentBytes = 0;
  #receivedBytes = 0;

  /** `copies`: everything goes by native code, even where it need not. */
  constructor(
    thread: NativeThread,
    token: Token,
    name: string,
    directory: string,
    copies: boolean,
  ) {
    super(thread, token, name, directory);
    const { addon } = thread;
    const found = addon.geometry(token) as unknown as NativePipeGeometry;
    this.#thread = thread;
    this.#addon = addon;
    this.#constants = addon.constants;
    this.#results = addon.results;
    this.#found = found;
    this.#token = token;
    const { capacityBytes, maxMessageBytes, duplex, codec } = found;
    this.geometry = Object.freeze({ capacityBytes, maxMessageBytes, duplex, codec });
    this.index = found.end;
    this.canSend = duplex || found.end === 1;
    this.canReceive = duplex || found.end === 0;
    this.wholeBytes = capacityBytes - 8;
    this.offsets = addon.offsets;
    this.lengths = addon.lengths;
    this.outbox = addon.outbox();
    if (copies || found.lost) this.#words = null;
    thread.ends.add(token, this.identity(), found.end);
  }

  get inbox(): Uint8Array {
    return this.thread.inbox;
  }

  /** Made at the first message: idle connections cost no buffers. */
  #fast(): PipeWords | null {
    if (this.#words !== undefined) return this.#words;
    const buffers = this.#token === NO_TOKEN ? undefined : this.#addon.pipeBuffers(this.#token);
    this.#words =
      buffers === undefined ? null : new PipeWords(this.#constants, this.#found, buffers);
    return this.#words;
  }

  override close(): void {
    super.close();
    this.#token = NO_TOKEN;
    this.#words = null;
    this.#parts = undefined;
    this.#large = undefined;
  }

  // Sending

  trySend(bytes: Uint8Array, marks: number): number {
    const { length } = bytes;
    if (this.#isPeerDead()) return ENDED;
    const fast = marks === 0 ? this.#fast() : null;
    const out = fast?.out;
    if (fast != null && out !== undefined) {
      if (fast.peerIsClosed()) return ENDED;
      if (!out.send(bytes)) return this.#noRoom(length);
      if (fast.someoneSleeps(RECEIVE)) this.#addon.pipeRing(this.#token, RECEIVE);
      this.#count(length);
      return 0;
    }
    const result = this.#addon.pipeSend(this.#token, bytes, marks);
    return result === 0 ? this.#count(length) : this.#sendStatus(result, length);
  }

  trySendOutbox(length: number, marks: number): number {
    if (this.#isPeerDead()) return ENDED;
    const fast = marks === 0 && isShort(length) ? this.#fast() : null;
    const out = fast?.out;
    if (fast != null && out !== undefined) {
      if (fast.peerIsClosed()) return ENDED;
      if (!out.sendWords(this.thread.outboxWords, length)) return this.#noRoom(length);
      if (fast.someoneSleeps(RECEIVE)) this.#addon.pipeRing(this.#token, RECEIVE);
      this.#count(length);
      return 0;
    }
    const result = this.#addon.pipeSendOutbox(this.#token, length, marks);
    return result === 0 ? this.#count(length) : this.#sendStatus(result, length);
  }

  trySendParts(bytes: Uint8Array, from: number, marks: number): number {
    if (this.#isPeerDead()) return ENDED;
    this.#results[this.#constants.pipeLength] = from;
    const result = this.#addon.pipeSendParts(this.#token, bytes, marks);
    if (result === 0) this.#count(bytes.length);
    else if (this.#sendStatus(result, bytes.length) === ENDED) return ENDED;
    return (this.#results[this.#constants.pipeLength] as number) - from;
  }

  trySendMany(messages: readonly Uint8Array[], from: number): number {
    const fast = this.#fast();
    const out = fast?.out;
    if (fast == null || out === undefined) return this.#sendOneByOne(messages, from);
    if (this.#isPeerDead() || fast.peerIsClosed()) return ENDED;
    const count = out.sendMany(messages, from);
    if (count === 0) {
      const status = this.#noRoom((messages[from] as Uint8Array).length);
      return status === FULL ? 0 : status;
    }
    if (fast.someoneSleeps(RECEIVE)) this.#addon.pipeRing(this.#token, RECEIVE);
    this.#sent += count;
    for (let i = from; i < from + count; i++) {
      this.#sentBytes += (messages[i] as Uint8Array).length;
    }
    return count;
  }

  #sendOneByOne(messages: readonly Uint8Array[], from: number): number {
    let index = from;
    for (; index < messages.length; index++) {
      const status = this.trySend(messages[index] as Uint8Array, 0);
      if (status !== 0) return index > from || status === FULL ? index - from : status;
    }
    return index - from;
  }

  #count(length: number): 0 {
    this.#sent++;
    this.#sentBytes += length;
    return 0;
  }

  #isPeerDead(): boolean {
    if (++this.#sends % SENDS_PER_LOOK === 0) return this.peerIsGone();
    if (this.#askedAt === this.#thread.moment) return false;
    this.#askedAt = this.#thread.beginMoment();
    return this.#askForPeer(false);
  }

  /** What a wait for room would wait for, in case one follows. */
  #noRoom(length: number): number {
    this.#addon.pipeWant(this.#token, length);
    return this.#words?.peerIsClosed() === true ? ENDED : FULL;
  }

  #sendStatus(result: number, length: number): number {
    const constants = this.#constants;
    // Larger than the ring: never, as a whole.
    if (result === -constants.full || result === -constants.tooLarge) return FULL;
    if (result === -constants.ended) return ENDED;
    throw statusError(constants, -result, this.name, `a message of ${length} bytes was not sent`);
  }

  // Receiving

  tryReceive(): number {
    const inbound = this.#plain();
    if (inbound !== undefined) {
      const at = inbound.front();
      if (at === NOTHING) return this.#nothing();
      if (at !== NOT_PLAIN && inbound.length <= this.inbox.length) {
        const { length } = inbound;
        inbound.copyInto(at, this.inbox, this.thread.inboxWords);
        this.#popped(inbound, length);
        return length;
      }
    }
    return this.#receiveSlowly();
  }

  tryReceiveCopy(): Uint8Array | number {
    const inbound = this.#plain();
    if (inbound !== undefined) {
      const at = inbound.front();
      if (at === NOTHING) return this.#nothing();
      if (at !== NOT_PLAIN) {
        const message = inbound.copy(at);
        this.#popped(inbound, message.length);
        return message;
      }
    }
    const length = this.#receiveSlowly();
    if (length === LARGE) return this.takeLarge();
    return length < 0 ? length : this.inbox.slice(0, length);
  }

  tryReceiveInto(buffer: Uint8Array, offset: number): number {
    const inbound = this.#plain();
    if (inbound !== undefined) {
      const at = inbound.front();
      if (at === NOTHING) return this.#nothing();
      if (at !== NOT_PLAIN && inbound.length <= buffer.length - offset) {
        const { length } = inbound;
        inbound.copyTo(at, buffer, offset);
        this.#popped(inbound, length);
        return length;
      }
    }
    const length = this.#receiveSlowly(true);
    if (length < 0 && length !== LARGE) return length;
    const bytes = length === LARGE ? this.#largeMessage() : this.inbox.subarray(0, length);
    if (bytes.length > buffer.length - offset) {
      this.#large = length === LARGE ? bytes : bytes.slice();
      return LARGE;
    }
    this.#large = undefined;
    buffer.set(bytes, offset);
    return bytes.length;
  }

  tryReceiveMany(max: number): number {
    const inbound = this.#plain();
    const count =
      inbound?.receiveMany(
        Math.min(max, this.#constants.batch),
        this.inbox,
        this.offsets,
        this.lengths,
      ) ?? 0;
    if (count > 0) {
      this.#marks = 0;
      if (this.#words?.someoneSleeps(SEND) === true) this.#addon.pipeRing(this.#token, SEND);
      this.#received += count;
      for (let i = 0; i < count; i++) this.#receivedBytes += this.lengths[i] as number;
      return count;
    }
    const length = this.tryReceive();
    if (length < 0) return length;
    this.offsets[0] = 0;
    this.lengths[0] = length;
    return 1;
  }

  takeLarge(): Uint8Array {
    const bytes = this.#largeMessage();
    this.#large = undefined;
    return bytes.buffer === this.#scratch?.buffer ? bytes.slice() : bytes;
  }

  #largeMessage(): Uint8Array {
    if (this.#large === undefined) throw new Error('no large message was received');
    return this.#large;
  }

  get marks(): number {
    return this.#marks;
  }

  finish(): void {
    this.#addon.pipeFinish(this.#token);
  }

  nextLength(): number {
    const begun = this.#large ?? this.#parts?.bytes;
    if (begun !== undefined) return begun.length;
    const result = this.#addon.pipeLook(this.#token);
    return result >= 0 ? result : this.#receiveStatus(result);
  }

  isReadable(): boolean {
    if (this.#large !== undefined) return true;
    if (this.#parts === undefined) {
      const result = this.#addon.pipeLook(this.#token);
      if (result === -this.#constants.empty) return false;
      this.#marks = result < 0 ? 0 : (this.#results[this.#constants.pipeMarks] as number);
      if (result < 0 || this.#results[this.#constants.pipeInParts] === 0) return true;
      this.#beginParts(result);
    }
    // What has come is kept for the next receive.
    const status = this.#fillParts();
    return status !== EMPTY;
  }

  /** The way without native code, if it is open: not in the middle of a message. */
  #plain(): ReceivingRing | undefined {
    if (this.#parts !== undefined || this.#large !== undefined) return undefined;
    return this.#fast()?.in;
  }

  #popped(inbound: ReceivingRing, length: number): void {
    inbound.pop();
    this.#marks = 0;
    this.#received++;
    this.#receivedBytes += length;
    if (this.#words?.someoneSleeps(SEND) === true) this.#addon.pipeRing(this.#token, SEND);
  }

  /** The ring was seen empty. */
  #nothing(): number {
    if (this.#words?.peerIsClosed() !== true) return EMPTY;
    // Closed after its last message: one more look decides.
    return this.#receiveSlowly();
  }

  /** `intoScratch`: the message is copied on at once, so that its memory can serve for the next as well. */
  #receiveSlowly(intoScratch = false): number {
    const constants = this.#constants;
    for (;;) {
      if (this.#large !== undefined) return LARGE;
      if (this.#parts !== undefined) {
        const status = this.#fillParts();
        if (this.#parts !== undefined || status === ENDED) return status;
        continue;
      }
      const result = this.#addon.pipeReceive(this.#token);
      this.#marks = this.#results[constants.pipeMarks] as number;
      if (result >= 0) return this.#countReceived(result);
      if (result !== -constants.tooLarge) return this.#receiveStatus(result);
      const length = this.#results[constants.pipeLength] as number;
      if (this.#results[constants.pipeInParts] !== 0) {
        this.#beginParts(length, intoScratch);
        continue;
      }
      const bytes = intoScratch ? this.#scratchOf(length) : arrayOf(length, this.name);
      const taken = this.#addon.pipeReceiveInto(this.#token, bytes);
      if (taken < 0) return this.#receiveStatus(taken);
      this.#large = bytes;
      this.#countReceived(length);
    }
  }

  #countReceived(length: number): number {
    this.#received++;
    this.#receivedBytes += length;
    return length;
  }

  #beginParts(length: number, intoScratch = false): void {
    const marks = this.#results[this.#constants.pipeMarks] as number;
    const bytes = intoScratch ? this.#scratchOf(length) : arrayOf(length, this.name);
    this.#parts = { bytes, marks, filled: 0 };
  }

  /** Fresh memory costs more than the copies of a message in it. */
  #scratchOf(length: number): Uint8Array {
    if (length > SCRATCH_BYTES) return arrayOf(length, this.name);
    if (this.#scratch === undefined || this.#scratch.length < length) {
      this.#scratch = arrayOf(length, this.name);
    }
    return this.#scratch.subarray(0, length);
  }

  /** Takes what has come: EMPTY, ENDED, or 0; then it is complete, or was given up by its sender. */
  #fillParts(): number {
    const parts = this.#parts as Parts;
    const { pipeLength, lost } = this.#constants;
    this.#results[pipeLength] = parts.filled;
    const result = this.#addon.pipeFill(this.#token, parts.bytes);
    parts.filled = this.#results[pipeLength] as number;
    if (result === -this.#constants.empty) return EMPTY;
    this.#parts = undefined;
    if (result === 0) {
      this.#large = parts.bytes;
      this.#marks = parts.marks;
      this.#countReceived(parts.bytes.length);
      return 0;
    }
    return result === -lost ? 0 : this.#receiveStatus(result);
  }

  #receiveStatus(result: number): number {
    const constants = this.#constants;
    if (result === -constants.empty) return EMPTY;
    if (result === -constants.ended) return ENDED;
    throw statusError(constants, -result, this.name);
  }

  // The other end

  peerIsGone(): boolean {
    return this.#askForPeer(true);
  }

  /** `deep`: also for an end on its way, whether something still carries it, which takes much longer. */
  #askForPeer(deep: boolean): boolean {
    const result = this.#addon.pipePeerGone(this.#token, deep ? 1 : 0);
    if (result < 0) throw statusError(this.#constants, -result, this.name);
    return result !== 0;
  }

  get peerIsHere(): boolean {
    return this.thread.ends.has(this.identity(), (1 - this.index) as EndIndex);
  }

  // Moving, and what moves in its messages

  /** @throws ERR_ENCODE if a part of a message would be left behind */
  override assertMovable(): void {
    if (this.#parts === undefined && this.#large === undefined) return;
    throw new InterprocError(
      'ERR_ENCODE',
      `An end of pipe '${this.name}' cannot be sent away: it has received a part of a message; receive the rest first`,
    );
  }

  depart(): void {
    this.#addon.pipeDepart(this.#token);
    this.close();
  }

  stay(): void {
    this.#addon.pipeStay(this.#token);
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

  stats(): PipeStats {
    return {
      sent: this.#sent,
      received: this.#received,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
    };
  }

  override unlink(): void {
    // It has no name that anybody could know.
  }
}
