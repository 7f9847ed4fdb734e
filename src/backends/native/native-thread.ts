/** What one thread shares among its native objects: the addon, and the way from the doorbell to each of them. */

import type { Side } from '../../contract/channel.js';
import type { Addon, Token } from './addon.js';

export interface Rung {
  rang(side: Side): void;
}

/**
 * Where the addon keeps it: it rings one for all of the thread, also where this package was evaluated more than once (by two
 * addresses, by a tool that reloads modules).
 */
const KEPT = Symbol.for('interproc.native-thread');

export class NativeThread {
  readonly addon: Addon;
  /** Where native code leaves messages, for all objects of the thread, unless they are larger than it. */
  readonly inbox: Uint8Array;
  /** Closes what was forgotten: a handle that nobody can reach keeps neither a slot nor a segment. */
  readonly #forgotten: FinalizationRegistry<Token>;
  /** Ends leases that nobody can reach: neither the lease nor an array over its memory. */
  readonly #forgottenLeases: FinalizationRegistry<readonly [token: Token, lease: number]>;
  // Weak, so that the doorbell keeps no forgotten handle alive; one with a pending wait is held by `#waiting`.
  readonly #byToken = new Map<Token, WeakRef<Rung>>();
  readonly #waiting = new Set<Rung>();

  static of(addon: Addon & { [KEPT]?: NativeThread }): NativeThread {
    return (addon[KEPT] ??= new NativeThread(addon));
  }

  private constructor(addon: Addon) {
    this.addon = addon;
    this.inbox = addon.inbox();
    this.#forgotten = new FinalizationRegistry((token) => {
      this.#byToken.delete(token);
      addon.close(token);
    });
    const { sides } = addon.constants;
    // The object may be closed, and another one have its token: no two leases of a thread have the same number.
    this.#forgottenLeases = new FinalizationRegistry(([token, lease]) => {
      addon.abandon(token, lease);
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

  adopt(token: Token, owner: Rung): void {
    this.#byToken.set(token, new WeakRef(owner));
    this.#forgotten.register(owner, token, owner);
  }

  release(token: Token, owner: Rung): void {
    this.#byToken.delete(token);
    this.#waiting.delete(owner);
    this.#forgotten.unregister(owner);
    this.addon.close(token);
  }

  watchLease(lease: object, token: Token, number: number): void {
    this.#forgottenLeases.register(lease, [token, number], lease);
  }

  unwatchLease(lease: object): void {
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
