/**
 * What this thread holds of each object, through whichever handle: a call that would block the thread until this very thread gives
 * something back is a deadlock, and is told before it begins.
 */

/** What one handle holds. */
export interface Held {
  /** The lock, or the right to write. */
  exclusively: boolean;
  /** How often the right to read. */
  shared: number;
}

class Site {
  readonly all = new Set<Held>();
}

// By identity. A site lives as long as one of its handles does.
const sites = new Map<bigint, WeakRef<Site>>();
const emptied = new FinalizationRegistry((identity: bigint) => {
  if (sites.get(identity)?.deref() === undefined) sites.delete(identity);
});
// A handle that was forgotten is closed by its backend, and holds nothing any more.
const forgotten = new FinalizationRegistry(({ site, held }: { site: Site; held: Held }) => {
  site.all.delete(held);
});

function siteOf(identity: bigint): Site {
  const known = sites.get(identity)?.deref();
  if (known !== undefined) return known;
  const made = new Site();
  sites.set(identity, new WeakRef(made));
  emptied.register(made, identity);
  return made;
}

/** What one handle holds, and what the others of its thread do. */
export class HeldHere {
  readonly own: Held = { exclusively: false, shared: 0 };
  readonly #site: Site;

  /** `handle`: what lives as long as the handle does. */
  constructor(identity: bigint, handle: object) {
    this.#site = siteOf(identity);
    this.#site.all.add(this.own);
    forgotten.register(handle, { site: this.#site, held: this.own }, this.own);
  }

  /** Whether a handle of this thread has it exclusively. O(handles of the object in this thread) */
  get isExclusive(): boolean {
    for (const held of this.#site.all) if (held.exclusively) return true;
    return false;
  }

  get isShared(): boolean {
    for (const held of this.#site.all) if (held.shared > 0) return true;
    return false;
  }

  /** The handle is closed. */
  leave(): void {
    this.#site.all.delete(this.own);
    forgotten.unregister(this.own);
  }
}
