import { InterprocError } from '../../errors.js';
import { EMPTY, ENDED, FULL } from '../../contract/channel.js';
import type { Channel } from '../../contract/channel.js';
import type { Lease, LeaseInfo, Leasing } from '../../contract/leasing.js';
import type { Addon, Constants } from './addon.js';
import { statusError } from './failures.js';
import type { NativeObject } from './native-object.js';
import type { NativeThread } from './native-thread.js';

class NativeLease implements Lease {
  constructor(
    readonly number: number,
    readonly bytes: Uint8Array,
  ) {}
}

type LeasedChannel = Channel & Pick<NativeObject, 'token'>;

/** Leases of a native queue. */
export class NativeLeasing implements Leasing {
  readonly #thread: NativeThread;
  readonly #addon: Addon;
  readonly #constants: Constants;
  readonly #channel: LeasedChannel;
  readonly #copies: number;

  constructor(thread: NativeThread, channel: LeasedChannel, copies: boolean) {
    this.#thread = thread;
    this.#addon = thread.addon;
    this.#constants = thread.addon.constants;
    this.#channel = channel;
    this.#copies = copies ? 1 : 0;
  }

  tryReserve(length: number): Lease | number {
    const result = this.#addon.reserve(this.#channel.token, length, this.#copies);
    return typeof result === 'number' ? this.#refused(result, length) : this.#granted(result);
  }

  tryPeek(): Lease | number {
    const result = this.#addon.peek(this.#channel.token, this.#copies);
    return typeof result === 'number' ? this.#refused(result, undefined) : this.#granted(result);
  }

  commit(lease: NativeLease, length: number): void {
    this.#ended(lease, this.#addon.commit(this.#channel.token, lease.number, length));
  }

  release(lease: NativeLease): void {
    this.#ended(lease, this.#addon.release(this.#channel.token, lease.number));
  }

  abandon(lease: NativeLease): void {
    this.#ended(lease, this.#addon.abandon(this.#channel.token, lease.number));
  }

  list(): LeaseInfo[] {
    const { leaseSlot } = this.#constants;
    return this.#addon
      .leases(this.#channel.token)
      .map((notice) => ({ ...notice, kind: notice.kind === leaseSlot ? 'slot' : 'message' }));
  }

  #granted(bytes: Uint8Array): NativeLease {
    const number = this.#addon.results[this.#constants.lease] as number;
    const lease = new NativeLease(number, bytes);
    this.#thread.watchLease(lease, this.#channel);
    return lease;
  }

  /** `length`: of a slot; undefined for a message. */
  #refused(result: number, length: number | undefined): number {
    const constants = this.#constants;
    if (result === -constants.empty) return EMPTY;
    if (result === -constants.full) return FULL;
    if (result === -constants.ended) return ENDED;
    let detail = '';
    if (result === -constants.noLease) {
      detail = `this handle holds ${constants.maxLeases} slots and messages in place, as many as it may`;
    } else if (result === -constants.tooLarge) {
      const { capacityBytes, maxMessageBytes } = this.#channel.geometry;
      const most = Math.min(capacityBytes, maxMessageBytes);
      detail =
        length === undefined
          ? `the next message is larger than the ${capacityBytes} bytes of the queue and stands beside it: take it by get() or receive()`
          : `a slot of ${length} bytes; those of this queue have ${most} at most, larger messages are put`;
    }
    throw statusError(constants, -result, this.#channel.name, detail);
  }

  #ended(lease: NativeLease, result: number): void {
    this.#thread.unwatchLease(lease);
    if (result === 0) return;
    if (result === -this.#constants.notOwner) {
      throw new InterprocError(
        'ERR_NOT_OWNER',
        `${this.#channel.name}: the ArrayBuffer of a lease was transferred away or marked as untransferable, so the lease was given up; hand on a copy of its bytes (slice()) instead`,
      );
    }
    throw statusError(this.#constants, -result, this.#channel.name);
  }
}
