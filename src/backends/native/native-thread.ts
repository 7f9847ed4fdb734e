/** What one thread shares among its native objects: the addon, and the way from the doorbell to each of them. */

import type { Side } from '../../contract/channel.js';
import type { Lease } from '../../contract/leasing.js';
import type { EndIndex } from '../../contract/pipe.js';
import type { Addon, Token } from './addon.js';

export interface Rung {
  rang(side: Side): void;
}

interface WatchedLease {
  readonly owner: { readonly token: Token };
  readonly number: number;
}

/**
 * Where the addon keeps it: it rings one for all of the thread, also where this package was evaluated more than once (by two
 * addresses, by a tool that reloads modules).
 */
const KEPT = Symbol.for('interproc.native-thread');

const MOMENT_MS = 50;

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}

/** Which ends of which pipes, by identity: a thread that holds both and blocks on one would never go on. */
class EndsHere {
  readonly #ends = new Map<bigint, number>();
  /** Also of those whose handle nobody can reach any more. */
  readonly #byToken = new Map<Token, readonly [pipe: bigint, end: EndIndex]>();

  add(token: Token, pipe: bigint, end: EndIndex): void {
    this.#byToken.set(token, [pipe, end]);
    this.#ends.set(pipe, (this.#ends.get(pipe) ?? 0) | (1 << end));
  }

  remove(token: Token): void {
    const [pipe, end] = this.#byToken.get(token) ?? [];
    if (pipe === undefined || end === undefined) return;
    this.#byToken.delete(token);
    const left = (this.#ends.get(pipe) ?? 0) & ~(1 << end);
    if (left === 0) this.#ends.delete(pipe);
    else this.#ends.set(pipe, left);
  }

  has(pipe: bigint, end: EndIndex): boolean {
    return ((this.#ends.get(pipe) ?? 0) & (1 << end)) !== 0;
  }
}

export class NativeThread {
  readonly addon: Addon;
  /** Where native code leaves messages, for all objects of the thread, unless they are larger than it. */
  readonly inbox: Uint8Array;
  /** The same memory, and that of the outbox, as words: what is short is copied faster by a loop. */
  readonly inboxWords: Int32Array;
  readonly outboxWords: Int32Array;
  /** The ends of pipes that this thread holds. */
  readonly ends = new EndsHere();
  /** Closes what was forgotten: a handle that nobody can reach keeps neither a slot nor a segment. */
  readonly #forgotten: FinalizationRegistry<Token>;
  /** Ends leases that nobody can reach: neither the lease nor an array over its memory. */
  readonly #forgottenLeases: FinalizationRegistry<WatchedLease>;
  // Weak, so that the doorbell keeps no forgotten handle alive; one with a pending wait is held by `#waiting`.
  readonly #byToken = new Map<Token, WeakRef<Rung>>();
  readonly #waiting = new Set<Rung>();
  #moment = 0;
  #momentEnds = false;

  static of(addon: Addon & { [KEPT]?: NativeThread }): NativeThread {
    return (addon[KEPT] ??= new NativeThread(addon));
  }

  private constructor(addon: Addon) {
    this.addon = addon;
    this.inbox = addon.inbox();
    this.inboxWords = wordsOf(this.inbox);
    this.outboxWords = wordsOf(addon.outbox());
    this.#forgotten = new FinalizationRegistry((token) => {
      this.#byToken.delete(token);
      this.ends.remove(token);
      addon.close(token);
    });
    const { sides } = addon.constants;
    // The object may be closed, and another one have its token: no two leases of a thread have the same number.
    this.#forgottenLeases = new FinalizationRegistry(({ owner, number }) => {
      addon.abandon(owner.token, number);
    });
    addon.onBell((count) => {
      // Copied first: what the handlers do may ring again.
      const rung = addon.rung.slice(0, count);
      for (const entry of rung) {
        const side = entry % sides;
        this.#byToken
          .get((entry - side) / sides)
          ?.deref()
          ?.rang(side as Side);
      }
    });
  }

  /** Another number every 50 ms, for as long as somebody calls `beginMoment` and the event loop turns. */
  get moment(): number {
    return this.#moment;
  }

  /** What is found out now is good for this moment, which ends. One timer serves all objects of the thread. */
  beginMoment(): number {
    if (!this.#momentEnds) {
      this.#momentEnds = true;
      setTimeout(() => {
        this.#momentEnds = false;
        this.#moment++;
      }, MOMENT_MS).unref();
    }
    return this.#moment;
  }

  adopt(token: Token, owner: Rung): void {
    this.#byToken.set(token, new WeakRef(owner));
    this.#forgotten.register(owner, token, owner);
  }

  release(token: Token, owner: Rung): void {
    this.#byToken.delete(token);
    this.#waiting.delete(owner);
    this.#forgotten.unregister(owner);
    this.ends.remove(token);
    this.addon.close(token);
  }

  /**
   * Until the buffer of its bytes is garbage: the lease and all arrays over its memory lead to that. Keeps `owner` so long: while
   * anybody can reach the bytes, the memory must be there.
   */
  watchLease(lease: Lease & { readonly number: number }, owner: WatchedLease['owner']): void {
    const watched = { owner, number: lease.number };
    this.#forgottenLeases.register(lease.bytes.buffer, watched, lease);
  }

  unwatchLease(lease: Lease): void {
    this.#forgottenLeases.unregister(lease);
  }

  /** While it waits, the doorbell must find it, whoever else has forgotten it. */
  hold(owner: Rung): void {
    this.#waiting.add(owner);
  }

  letGo(owner: Rung): void {
    this.#waiting.delete(owner);
  }
}
