import { abortReason, InterprocError } from '../errors.js';
import { JOIN } from '../contract/channel.js';
import type { Channel } from '../contract/channel.js';
import { block } from './blocking.js';
import { NOT_YET, PendingWaits } from './pending-waits.js';
import type { Operation } from './pending-waits.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/** `taskDone` and `join` of one handle: what Python's JoinableQueue adds to a queue. */
export class Joining {
  readonly #channel: Channel;
  readonly #waits: PendingWaits;
  readonly #look: Operation<void>;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#waits = new PendingWaits(channel, JOIN);
    this.#look = { attempt: () => (channel.isFinished() ? undefined : NOT_YET) };
  }

  taskDone(): void {
    if (this.#channel.taskDone()) return;
    throw new InterprocError(
      'ERR_NOT_OWNER',
      `taskDone(): nothing that this handle of queue '${this.#channel.name}' got is unfinished; call it once for each message that a get handed over, on the handle that got it (a received one is finished by its ack())`,
    );
  }

  /** Undefined if there is nothing to wait for. */
  join(options: WaitOptions | undefined): Promise<void> | undefined {
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted === true) throw abortReason(signal);
    if (this.#channel.isFinished()) return undefined;
    if (timeoutMs === 0) throw this.#waits.timeoutError(0);
    return this.#waits.add(this.#look, timeoutMs, signal);
  }

  joinSync(options: SyncWaitOptions | undefined): void {
    const timeoutMs = syncTimeoutOf(options);
    if (this.#channel.isFinished()) return;
    if (timeoutMs === Infinity && this.#channel.hasUnfinished()) {
      throw new InterprocError(
        'ERR_DEADLOCK',
        `joinSync(): this handle of queue '${this.#channel.name}' got, holds or leases what it has not finished, and could not while this thread is blocked; call taskDone() or ack(), or end the lease, first, or await join()`,
      );
    }
    block(this.#channel, JOIN, this.#waits, this.#look, timeoutMs);
  }

  /** The channel rang. */
  rung(): void {
    this.#waits.rung();
  }

  rejectAll(errorOf: () => unknown): void {
    this.#waits.rejectAll(errorOf);
  }
}
