/** What all objects of a backend have in common: a name, waits, and an end. */

/** Which wait. What a side means, each kind of object says. */
export type Side = 0 | 1 | 2;

/**
 * Keeps an object alive while a handle of it is on its way inside a message, and says where it is. One line of Latin-1
 * text; what it says is the backend's affair.
 */
export type Ticket = string;

export type OpenMode = 'create' | 'open' | 'openOrCreate';

export interface SharedObject {
  readonly name: string;

  /** Asks for one `onReady(side)`. Returns true if the caller must look again at once instead of waiting. */
  arm(side: Side): boolean;
  /** Withdraws; nothing if not armed. If a wake was already in this waiter's hands it is passed on. */
  disarm(side: Side): void;
  /** Called on this thread's event loop, after `arm`, when it is worth looking; `side` is then no longer armed. */
  onReady: ((side: Side) => void) | undefined;
  /**
   * Blocks this thread until it is worth looking again, or `timeoutMs` has passed (Infinity: for ever).
   * Returns false on time-out. Called while `side` is not armed; enters JavaScript between sleeps of at most
   * 50 ms, so that V8 can end the thread.
   */
  waitSync(side: Side, timeoutMs: number): boolean;
  /** Whether armed waits keep the process alive (the default). */
  ref(): void;
  unref(): void;

  /** Tells it from every other object of the backend, also from one that had its name before. */
  identity(): bigint;
  close(): void;
  /** Removes the name, if it still is this object's. */
  unlink(): void;
}
