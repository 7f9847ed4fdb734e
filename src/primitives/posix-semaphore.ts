import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import { abortReason, InterprocError, TimeoutError } from '../errors.js';
import { TAKE } from '../contract/channel.js';
import type { PosixSemaphore as Semaphore } from '../contract/posix.js';
import { NOT_YET, PendingWaits } from './pending-waits.js';
import type { Operation, WaitedFor } from './pending-waits.js';
import { signalOf, syncTimeoutOf, timeoutOf } from './wait-options.js';
import type { SyncWaitOptions, WaitOptions } from './wait-options.js';

/**
 * The time between two looks of a wait on the event loop: after a success the shortest, doubled at each look in vain. A look
 * wakes the event loop, which takes 100-200 us of processor time with an empty timer as well (Node 20, a busy 2-core machine of
 * 2026): every 32 ms 0.5 % of a processor, every 16 ms 0.8 %. A thousand waits took 5 % with 16 ms.
 */
const SHORTEST_LOOK_MS = 1;
const LONGEST_LOOK_MS = 32;

/** Rings again and again: what is behind it rings for nobody. */
class Looks implements WaitedFor {
  readonly name: string;
  readonly #ring: () => void;
  #intervalMs = SHORTEST_LOOK_MS;
  #timer: NodeJS.Timeout | undefined;
  #isRefd = true;

  constructor(name: string, ring: () => void) {
    this.name = name;
    this.#ring = ring;
  }

  arm(): boolean {
    const timer = setTimeout(() => {
      this.#timer = undefined;
      this.#ring();
    }, this.#intervalMs);
    this.#timer = this.#isRefd ? timer : timer.unref();
    this.#intervalMs = Math.min(2 * this.#intervalMs, LONGEST_LOOK_MS);
    return false;
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** There is something going on: look sooner. */
  hurry(): void {
    this.#intervalMs = SHORTEST_LOOK_MS;
  }

  setRef(isRefd: boolean): void {
    this.#isRefd = isRefd;
    if (isRefd) this.#timer?.ref();
    else this.#timer?.unref();
  }
}

class PermitWaits extends PendingWaits {
  readonly #name: string;

  constructor(looks: Looks) {
    super(looks, TAKE);
    this.#name = looks.name;
  }

  override timeoutError(timeoutMs: number): TimeoutError {
    return new TimeoutError(
      `semaphore '${this.#name}': no permit came free within ${timeoutMs} ms`,
    );
  }
}

/**
 * A named semaphore of POSIX (`sem_open`), for work with programs that know nothing of this package: those in C, C++, Rust, Go, and
 * Python's `posix_ipc`. A number of permits: `wait` takes one, `post` adds one, anybody may do either.
 *
 * *What it does not do.* The permits that a process holds when it dies are lost: nobody gets them back, and whoever waits for
 * them waits for ever. Nothing removes it but `unlink()`, and it keeps its value until then. No order is promised among
 * those who wait. Between programs that use this package, take `Semaphore`, which knows who holds what.
 *
 * *An awaited wait looks again and again*, at first after 1 ms, in the end every 32, which takes half a percent of a processor: by so
 * much the permit may come late. A semaphore of POSIX rings no bell that an event loop could hear, and the alternative, a thread that blocks in
 * `sem_wait` for each wait, could not be called back: a permit that it got after the time-out or the abort would be lost. `waitSync`
 * sleeps in the kernel and is woken at once. Awaited waits of one handle are served in their order.
 *
 * One that is forgotten is closed when garbage collection finds it. Handles do not travel in messages: send the name. Every
 * method throws ERR_CLOSED after `close()`.
 *
 * @example
 * ```ts
 * import { PosixSemaphore } from 'interproc/posix';
 *
 * // One program ...
 * const printers = PosixSemaphore.create('/printers', 2);
 * await printers.wait();
 * // ... and another, in any language: sem_open("/printers", 0).
 * const same = PosixSemaphore.open('/printers');
 * [same.tryWait(), same.tryWait()]; // => [ true, false ]
 * same.post();
 * printers.post();
 * same.value; // => 2
 *
 * same.close();
 * printers.unlink(); // nobody else does
 * printers.close();
 * ```
 */
export class PosixSemaphore {
  /** With a leading slash. */
  readonly name: string;

  readonly #semaphore: Semaphore;
  readonly #unlink: () => void;
  readonly #looks: Looks;
  readonly #pending: PendingWaits;
  readonly #take: Operation<void>;
  #isClosed = false;

  /** Made by `create`, `open` and `openOrCreate`. */
  constructor(name: string, semaphore: Semaphore, unlink: () => void) {
    this.name = name;
    this.#semaphore = semaphore;
    this.#unlink = unlink;
    this.#looks = new Looks(name, () => this.#pending.rung());
    this.#pending = new PermitWaits(this.#looks);
    this.#take = {
      attempt: () => {
        if (!semaphore.tryWait()) return NOT_YET;
        this.#looks.hurry();
        return undefined;
      },
    };
  }

  /**
   * Takes a permit, as soon as there is one for it; the event loop goes on meanwhile. It may come 32 ms later than it could
   * (see above). An aborted or timed-out wait has taken nothing. A pending one keeps the process alive, unless `unref()`ed.
   *
   * @throws (rejects) ERR_TIMEOUT; the signal's reason; ERR_INVALID_ARG; ERR_CLOSED, also when the handle closes while it waits
   */
  async wait(options?: WaitOptions): Promise<void> {
    this.#assertOpen('wait()');
    const timeoutMs = timeoutOf(options);
    const signal = signalOf(options);
    if (signal?.aborted === true) throw abortReason(signal);
    if (this.#pending.isIdle) {
      if (this.#semaphore.tryWait()) return;
      this.#looks.hurry();
    }
    if (timeoutMs === 0) throw this.#pending.timeoutError(0);
    await this.#pending.add(this.#take, timeoutMs, signal);
  }

  /**
   * Takes a permit, blocking this thread until there is one. It sleeps 50 ms at a time, so that `worker.terminate()` finds it.
   *
   * @throws ERR_TIMEOUT; ERR_INVALID_ARG; ERR_CLOSED
   */
  waitSync(options?: SyncWaitOptions): void {
    this.#assertOpen('waitSync()');
    const timeoutMs = syncTimeoutOf(options);
    if (!this.#semaphore.waitSync(timeoutMs)) throw this.#pending.timeoutError(timeoutMs);
  }

  /** Takes a permit if there is one, and returns whether there was. @throws ERR_CLOSED */
  tryWait(): boolean {
    this.#assertOpen('tryWait()');
    return this.#semaphore.tryWait();
  }

  /**
   * Adds a permit, whether or not this process has taken one, and wakes one who waits.
   *
   * @throws ERR_FULL the value is 2,147,483,647; ERR_CLOSED
   */
  post(): void {
    this.#assertOpen('post()');
    this.#semaphore.post();
  }

  /** How many permits there are to take at this moment. @throws ERR_CLOSED */
  get value(): number {
    this.#assertOpen('value');
    return this.#semaphore.value();
  }

  /** Pending waits keep the process alive, as they do by default. @throws ERR_CLOSED */
  ref(): this {
    this.#assertOpen('ref()');
    this.#looks.setRef(true);
    return this;
  }

  /** Pending waits do not keep the process alive. @throws ERR_CLOSED */
  unref(): this {
    this.#assertOpen('unref()');
    this.#looks.setRef(false);
    return this;
  }

  /** Lets go of it: pending waits reject with ERR_CLOSED. The semaphore stays, with its value and its name. Again is no error. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pending.rejectAll(() => this.#closedError('wait()'));
    this.#semaphore.close();
  }

  /**
   * Removes the name at once, whichever semaphore has it now; those who have this one open go on with it. After `close()` there is
   * `PosixSemaphore.unlink(name)`.
   *
   * @throws ERR_NOT_FOUND nothing has this name any more; ERR_PERMISSION; ERR_CLOSED
   */
  unlink(): void {
    this.#assertOpen('unlink()');
    this.#unlink();
  }

  /** `using semaphore = …`: closes it at the end of the block. Posts nothing. */
  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](_depth: number, options: InspectOptionsStylized): string {
    const facts = this.#isClosed ? { closed: true } : { value: this.value };
    return `PosixSemaphore ${inspect(this.name, options)} ${inspect(facts, options)}`;
  }

  #assertOpen(call: string): void {
    if (this.#isClosed) throw this.#closedError(call);
  }

  #closedError(call: string): InterprocError {
    return new InterprocError(
      'ERR_CLOSED',
      `${call}: semaphore '${this.name}' was closed here; open it again`,
    );
  }
}
