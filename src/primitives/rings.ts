import { InterprocError, invalidArgument, EOFError, TimeoutError } from '../errors.js';
import { EMPTY, ENDED, FULL, LARGE, PUT, TAKE } from '../contract/channel.js';
import type { Side } from '../contract/channel.js';
import type { ByteRing, RingRole, SpscByteRing } from '../contract/byte-ring.js';
import { keepFromTravelling } from './passengers.js';

export interface RingWait {
  /**
   * How long to wait, in milliseconds, from the call on. 0 or less: one look.
   * @default Infinity
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * The calls both rings have: bytes in, bytes out, trying or blocking this thread. Nothing is encoded, nothing is awaited; for that there is
 * `Queue`. One copy on each side; constant time per message.
 */
abstract class Ring<R extends ByteRing> {
  readonly #ring: R;
  #closed = false;

  static {
    keepFromTravelling(
      'ring',
      (object) => #ring in object,
      'put its name, and let the receiver open it',
    );
  }

  constructor(ring: R) {
    this.#ring = ring;
  }

  /** @throws ERR_CLOSED */
  protected get ring(): R {
    if (this.#closed) throw new InterprocError('ERR_CLOSED', `ring '${this.#ring.name}' is closed`);
    return this.#ring;
  }

  get name(): string {
    return this.#ring.name;
  }

  /** The room for messages, in bytes: what was asked for, rounded up to a power of two. */
  get capacityBytes(): number {
    return this.#ring.geometry.capacityBytes;
  }

  /** The longest message, in bytes. */
  get maxMessageBytes(): number {
    return this.#ring.geometry.maxMessageBytes;
  }

  /** Puts a copy of `bytes` in; false if there is no room. @throws ERR_TOO_LARGE, ERR_ENDED, ERR_CLOSED */
  tryPush(bytes: Uint8Array): boolean {
    const status = this.ring.tryPut(checkBytes(bytes, 'bytes'));
    if (status === ENDED)
      throw new InterprocError('ERR_ENDED', `ring '${this.name}' was ended: no more messages`);
    return status !== FULL;
  }

  /** Puts a copy of `bytes` in, blocking this thread while there is no room. @throws ERR_TIMEOUT, and what tryPush throws */
  pushSync(bytes: Uint8Array, options: RingWait = {}): void {
    const deadline = deadlineOf(options);
    while (!this.tryPush(bytes)) this.#wait(PUT, deadline, 'room');
  }

  /** The next message, in an array of its own; undefined if there is none. @throws ERR_EOF after the last, ERR_CORRUPT, ERR_CLOSED */
  tryPop(): Uint8Array | undefined {
    const { ring } = this;
    const length = this.#found(ring.tryTake());
    if (length === LARGE) return ring.takeLarge();
    return length === EMPTY ? undefined : ring.inbox.slice(0, length);
  }

  /** As tryPop, blocking this thread while there is none. @throws ERR_TIMEOUT, and what tryPop throws */
  popSync(options: RingWait = {}): Uint8Array {
    const deadline = deadlineOf(options);
    for (;;) {
      const message = this.tryPop();
      if (message !== undefined) return message;
      this.#wait(TAKE, deadline, 'a message');
    }
  }

  /** Copies the next message to the start of `buffer` and returns its length, -1 if there is none. @throws ERR_TOO_LARGE if it does not fit (it stays), and what tryPop throws */
  tryPopInto(buffer: Uint8Array): number {
    return this.#found(this.ring.tryTakeInto(checkBytes(buffer, 'buffer')));
  }

  /** As tryPopInto, blocking this thread while there is none: no allocation per message. @throws ERR_TIMEOUT, and what tryPopInto throws */
  popIntoSync(buffer: Uint8Array, options: RingWait = {}): number {
    const deadline = deadlineOf(options);
    for (;;) {
      const length = this.tryPopInto(buffer);
      if (length !== EMPTY) return length;
      this.#wait(TAKE, deadline, 'a message');
    }
  }

  #found(result: number): number {
    if (result === ENDED)
      throw new EOFError(`ring '${this.name}' was ended and has been read to its end`);
    return result;
  }

  #wait(side: Side, deadline: number, what: string): void {
    const left = deadline === Infinity ? Infinity : deadline - performance.now();
    if (left > 0) this.ring.waitSync(side, left);
    if (deadline !== Infinity && performance.now() >= deadline) {
      throw new TimeoutError(`ring '${this.name}': no ${what} within the time given`);
    }
  }

  /** No more messages: those in the ring can be read, then pops throw EOFError. */
  end(): void {
    this.ring.end();
  }

  get ended(): boolean {
    return this.ring.ended;
  }

  /** Lets go of the ring; the last one out removes it, unless it still holds messages or was created with `persist`. Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ring.close();
  }

  /** Removes the name at once; those who have the ring open go on. */
  unlink(): void {
    this.ring.unlink();
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')](): void {
    this.close();
  }
}

/** Many producers, many consumers: the ring under `Queue`. Lock-free; any participant may be killed at any instruction. */
export class MpmcRing extends Ring<ByteRing> {
  /** Messages in the ring. */
  get size(): number {
    return this.ring.size();
  }
}

/** One producer, one consumer, the fastest: one store publishes a message. */
export class SpscRing extends Ring<SpscByteRing> {
  get role(): RingRole {
    return this.ring.role;
  }

  /** Bytes in use, each message with its 4-byte length and rounded up to 8. */
  get usedBytes(): number {
    return this.ring.size();
  }

  /** Whether a living process holds the other end now. An end whose process died can be opened again and goes on where that one stopped. */
  get peerAlive(): boolean {
    return this.ring.peerAlive();
  }
}

function checkBytes(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  throw invalidArgument(name, 'a Uint8Array', bytes);
}

function deadlineOf({ timeoutMs }: RingWait): number {
  if (timeoutMs === undefined || timeoutMs === Infinity) return Infinity;
  if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
    throw invalidArgument('timeoutMs', 'a number of milliseconds', timeoutMs);
  }
  return performance.now() + timeoutMs;
}
