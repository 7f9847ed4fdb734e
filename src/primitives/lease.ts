import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import { InterprocError, invalidArgument } from '../errors.js';
import type { Lease, Leasing } from '../contract/leasing.js';
import { keepFromTravelling } from './passengers.js';

/** The queue that leases are of, as they see it. */
export interface LeasedQueue {
  readonly name: string;
  readonly leasing: Leasing;
  /** Whether the handle was closed, which ended its leases. */
  isClosed(): boolean;
}

/** What reserved slots and peeked messages have in common: memory of the queue's that is theirs until they end, once. */
class Hold {
  readonly #what: string;
  readonly #queue: LeasedQueue;
  readonly #lease: Lease;
  readonly #since = performance.now();
  readonly byteLength: number;
  #endedBy: string | undefined;

  constructor(what: string, queue: LeasedQueue, lease: Lease) {
    this.#what = what;
    this.#queue = queue;
    this.#lease = lease;
    this.byteLength = lease.bytes.length;
  }

  get isOver(): boolean {
    return this.#endedBy !== undefined || this.#queue.isClosed();
  }

  get bytes(): Uint8Array {
    this.#assertHeld('bytes');
    return this.#lease.bytes;
  }

  /** @throws ERR_NOT_OWNER, ERR_CLOSED */
  end(call: string, how: string, act: (leasing: Leasing, lease: Lease) => void): void {
    this.#assertHeld(call);
    this.#endedBy = how;
    act(this.#queue.leasing, this.#lease);
  }

  describe(name: string, facts: object, options: InspectOptionsStylized): string {
    const state =
      this.#endedBy !== undefined
        ? { [this.#endedBy]: true }
        : this.#queue.isClosed()
          ? { closed: true }
          : { pid: process.pid, ageMs: Math.round(performance.now() - this.#since) };
    const shown = { byteLength: this.byteLength, ...facts, ...state };
    return `${name} of ${inspect(this.#queue.name, options)} ${inspect(shown, options)}`;
  }

  #assertHeld(call: string): void {
    if (this.#endedBy !== undefined) {
      throw new InterprocError(
        'ERR_NOT_OWNER',
        `${call}: this ${this.#what} of queue '${this.#queue.name}' was ${this.#endedBy} before, and its memory is somebody else's now`,
      );
    }
    if (this.#queue.isClosed()) {
      throw new InterprocError(
        'ERR_CLOSED',
        `${call}: queue '${this.#queue.name}' was closed here, which gave this ${this.#what} back; end it before close()`,
      );
    }
  }
}

/**
 * Room in a queue that is yours to fill: the message is written where it will be read from, so it is not copied.
 *
 * Messages that are put after the reservation, by anybody, stay hidden behind it until `commit()` or `abort()`: fill it at
 * once. If this process dies, closes the queue, or forgets the slot *and* its bytes (garbage collection finds that), the slot
 * is aborted.
 *
 * @example
 * ```ts
 * import { Queue } from 'interproc';
 *
 * const frames = Queue.create('frames', { codec: 'raw', capacityBytes: 1 << 24 });
 * const slot = frames.reserve(1 << 20);
 * slot.bytes.fill(7); // or read a file, decode an image, ... into it
 * slot.commit();
 *
 * const frame = frames.peek();
 * [frame.bytes.length, frame.bytes[0]]; // => [ 1048576, 7 ]
 * frame.release();
 * frames.close();
 * ```
 */
export class ReservedSlot {
  readonly #hold: Hold;

  static {
    keepFromTravelling('reserved slot', (object) => #hold in object, 'commit it, or put its bytes');
  }

  /** Made by `reserve`. */
  constructor(queue: LeasedQueue, lease: Lease) {
    this.#hold = new Hold('slot', queue, lease);
  }

  /** How many bytes were reserved. */
  get byteLength(): number {
    return this.#hold.byteLength;
  }

  /**
   * The memory to fill, over an ArrayBuffer of its own, which must not be transferred. What it holds at first is arbitrary, often
   * parts of earlier messages: write all that you commit. At the end of the slot every array over it becomes empty (detached);
   * let calls that fill it in the background, such as `fs.read`, finish first.
   *
   * @throws ERR_NOT_OWNER it was committed or aborted before; ERR_CLOSED the queue was closed, which aborted it
   */
  get bytes(): Uint8Array {
    return this.#hold.bytes;
  }

  /**
   * Puts the first `length` bytes as one message, which is then in the queue. The room of the rest is free again when the
   * message has been read. Also after `end()`: it was put when it was reserved. O(1).
   *
   * @param length default: all that was reserved
   * @throws ERR_INVALID_ARG a `length` that is not within the slot, which stays yours; ERR_NOT_OWNER it was committed or aborted
   * before, or its ArrayBuffer was transferred away, which aborts it; ERR_CLOSED the queue was closed, which aborted it
   */
  commit(length: number = this.byteLength): void {
    if (!Number.isSafeInteger(length) || length < 0 || length > this.byteLength) {
      throw invalidArgument(
        'commit',
        `a whole number of bytes, 0 to the ${this.byteLength} reserved`,
        length,
      );
    }
    this.#hold.end('commit()', 'committed', (leasing, lease) => leasing.commit(lease, length));
  }

  /**
   * Puts nothing: what was hidden behind it can be had, and the room is free again as soon as the messages before it are gone.
   *
   * @throws ERR_NOT_OWNER it was committed or aborted before; ERR_CLOSED the queue was closed, which aborted it
   */
  abort(): void {
    this.#hold.end('abort()', 'aborted', (leasing, lease) => leasing.abandon(lease));
  }

  /** `using slot = q.reserve(n)`: aborts it at the end of the block unless it was committed. */
  [Symbol.dispose](): void {
    if (!this.#hold.isOver) this.abort();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    return this.#hold.describe('ReservedSlot', {}, options);
  }
}

/**
 * A message that is read where it lies, uncopied. It is in nobody else's hands until it is let go of: `release()` when it has
 * been dealt with, `nack()` if not. If this process dies, closes the queue, or forgets the message *and* its bytes (garbage
 * collection finds that), it goes to another consumer, marked as redelivered and ahead of newer messages.
 *
 * It keeps its room in the queue, and with it all room that came free behind it: hold it briefly. To hold a message for long,
 * `receive()` it.
 */
export class PeekedMessage {
  readonly #hold: Hold;

  static {
    keepFromTravelling('message in place', (object) => #hold in object, 'put its bytes');
  }

  /** How often it has been delivered, this time included: 1 for the first. */
  readonly deliveries: number;

  /** Made by `peek`. */
  constructor(queue: LeasedQueue, lease: Lease, deliveries: number) {
    this.#hold = new Hold('message', queue, lease);
    this.deliveries = deliveries;
  }

  /** The size of the message. */
  get byteLength(): number {
    return this.#hold.byteLength;
  }

  /** Whether somebody had it before and did not consume it: part of the work may have been done. */
  get redelivered(): boolean {
    return this.deliveries > 1;
  }

  /**
   * The message, over an ArrayBuffer of its own, which must not be transferred. Only read it: what is written there is what
   * another gets if this one is not released. At its end every array over it becomes empty (detached); copy what is to last
   * (`bytes.slice()`), and let calls that read it in the background, such as `fs.write`, finish first.
   *
   * @throws ERR_NOT_OWNER it was released or given back before; ERR_CLOSED the queue was closed, which gave it back
   */
  get bytes(): Uint8Array {
    return this.#hold.bytes;
  }

  /**
   * The message has been dealt with: it is gone for good, and its room is free. O(1).
   *
   * @throws ERR_NOT_OWNER it was released or given back before, or its ArrayBuffer was transferred away, which gives it back;
   * ERR_CLOSED the queue was closed, which gave it back
   */
  release(): void {
    this.#hold.end('release()', 'released', (leasing, lease) => leasing.release(lease));
  }

  /**
   * Gives it back, to be delivered again, perhaps to this very process; after `maxDeliveries` it goes to the dead-letter queue.
   *
   * @throws ERR_NOT_OWNER it was released or given back before; ERR_CLOSED the queue was closed, which gave it back
   */
  nack(): void {
    this.#hold.end('nack()', 'given back', (leasing, lease) => leasing.abandon(lease));
  }

  /** `using view = q.peek()`: gives it back at the end of the block unless it was released. */
  [Symbol.dispose](): void {
    if (!this.#hold.isOver) this.nack();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    return this.#hold.describe('PeekedMessage', { deliveries: this.deliveries }, options);
  }
}
