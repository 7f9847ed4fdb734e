import { InterprocError } from '../../errors.js';
import { EMPTY, ENDED, FULL, LARGE } from '../../contract/channel.js';
import type { Side } from '../../contract/channel.js';
import type { RingRole, SpscByteRing } from '../../contract/byte-ring.js';
import type { Addon, Constants, Token } from './addon.js';
import { guarded, statusError } from './failures.js';
import { waitInSlices } from './blocking.js';
import { LargeMessage } from './large-message.js';
import type { NativeThread, Rung } from './native-thread.js';

/** One end of a native byte ring for a single producer and a single consumer. */
export class NativeByteRing implements SpscByteRing, Rung {
  readonly name: string;
  readonly role: RingRole;
  readonly geometry: { readonly capacityBytes: number; readonly maxMessageBytes: number };

  readonly #thread: NativeThread;
  readonly #addon: Addon;
  readonly #constants: Constants;
  readonly #token: Token;
  readonly #large: LargeMessage;
  #closed = false;

  constructor(thread: NativeThread, token: Token, name: string, role: RingRole) {
    const { addon } = thread;
    this.name = name;
    this.role = role;
    this.geometry = addon.geometry(token);
    this.#thread = thread;
    this.#addon = addon;
    this.#constants = addon.constants;
    this.#token = token;
    this.#large = new LargeMessage(addon);
    thread.adopt(token, this);
  }

  get inbox(): Uint8Array {
    return this.#thread.inbox;
  }

  tryPut(bytes: Uint8Array): number {
    const result = this.#addon.putBytes(this.#token, bytes);
    return result === 0 ? 0 : this.#refused(result, bytes.length);
  }

  tryTake(): number {
    const result = this.#addon.take(this.#token);
    if (result >= 0) return result;
    if (result !== -this.#constants.tooLarge) return this.#refused(result, 0);
    const fetched = this.#large.fetch(this.name, (into) => this.#addon.takeInto(this.#token, into));
    return fetched === LARGE ? LARGE : this.#refused(fetched, 0);
  }

  takeLarge(): Uint8Array {
    return this.#large.handOver();
  }

  tryTakeInto(buffer: Uint8Array): number {
    const result = this.#addon.takeInto(this.#token, buffer);
    if (result >= 0) return result;
    if (result === -this.#constants.tooLarge) {
      const wanted = this.#addon.results[this.#constants.wanted];
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `${this.name}: the next message has ${wanted} bytes, the buffer ${buffer.length}; the message stays in the ring`,
      );
    }
    return this.#refused(result, 0);
  }

  #refused(result: number, length: number): number {
    const constants = this.#constants;
    if (result === -constants.empty) return EMPTY;
    if (result === -constants.full) return FULL;
    if (result === -constants.ended) return ENDED;
    const detail =
      result === -constants.tooLarge
        ? `a message of ${length} bytes; this ring takes ${this.geometry.maxMessageBytes} at most`
        : '';
    throw statusError(constants, -result, this.name, detail);
  }

  /** An end waits for one thing only, so `side` is given by the role. */
  waitSync(side: Side, timeoutMs: number): boolean {
    return waitInSlices(this.#addon, this.#token, side, timeoutMs);
  }

  // Byte rings are not waited for on the event loop.
  rang(): void {}

  peerAlive(): boolean {
    return this.#addon.peerAlive(this.#token);
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

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#thread.release(this.#token, this);
  }

  unlink(): void {
    guarded(this.#constants, this.name, () => this.#addon.unlink(this.#token));
  }
}
