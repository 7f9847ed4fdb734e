import type { Surroundings, User } from './state-part.js';

/** Who has waited for so long comes next, before those who just come. */
const PATIENCE_MS = 4;
/** Who is called and does not come for so long is busy or stopped: the next one is called. */
const LAPSE_MS = 20;

interface Place {
  readonly since: number;
  calledAt: number | undefined;
}

/**
 * Those who wait for what only so many can have, in the order in which they came.
 *
 * What is free goes to whoever comes first, which is fast, and unfair; so the first who wait are called at the same time, and
 * once they have waited long enough it is kept for them a moment. To be called is no possession: a thread that is busy with
 * something else could do nothing with it. Its other handles may come before it, for while it is blocked nobody else can.
 */
export class Succession {
  readonly #places = new Map<User, Place>();
  readonly #surroundings: Surroundings;
  readonly #freeNow: () => number;
  #isWatched = false;

  constructor(surroundings: Surroundings, freeNow: () => number) {
    this.#surroundings = surroundings;
    this.#freeNow = freeNow;
  }

  has(user: User): boolean {
    return this.#places.has(user);
  }

  hasOthers(user: User): boolean {
    return this.#places.size > (this.#places.has(user) ? 1 : 0);
  }

  /** It waits, with the place it had if it had one. */
  come(user: User): void {
    const place = this.#places.get(user);
    if (place === undefined) {
      this.#places.set(user, { since: performance.now(), calledAt: undefined });
    } else place.calledAt = undefined;
    this.#call();
  }

  /** It has got what it waited for, or wants it no more. */
  leave(user: User): void {
    this.#places.delete(user);
  }

  isCalled(user: User): boolean {
    return this.#places.get(user)?.calledAt !== undefined;
  }

  /** Whether something is free that is not kept for others, who come before it. So it is for whoever is called. */
  mayTake(user: User): boolean {
    const free = this.#freeNow();
    if (free <= 0 || this.#places.size === 0) return free > 0;
    const now = performance.now();
    let kept = 0;
    for (const [other, { since, calledAt }] of this.#places) {
      if (other === user) break;
      if (other.session === user.session || calledAt === undefined) continue;
      if (now - since > PATIENCE_MS) kept++;
    }
    return free > kept;
  }

  /** Something may have come free. */
  offer(): void {
    this.#call();
    this.#surroundings.changed();
  }

  #call(): void {
    if (this.#places.size === 0) return;
    let free = this.#freeNow();
    for (const [user, place] of this.#places) {
      if (free-- <= 0) return;
      place.calledAt ??= performance.now();
      this.#watch(user);
    }
  }

  #watch(user: User): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    user.after(LAPSE_MS, () => {
      this.#isWatched = false;
      this.#lapse();
    });
  }

  /** Who was called and has not come does so one day by itself, and is not to keep others from anything until then. */
  #lapse(): void {
    const now = performance.now();
    let hasLapsed = false;
    for (const [user, { calledAt }] of this.#places) {
      if (calledAt === undefined) continue;
      if (now - calledAt > LAPSE_MS) {
        this.#places.delete(user);
        hasLapsed = true;
      } else this.#watch(user);
    }
    if (hasLapsed) this.offer();
  }
}
