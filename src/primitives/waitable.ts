/** What `wait` asks of the objects that it waits for. It knows none of their classes. */

/** Under which an object says how it is waited for. */
export const WAITABLE: unique symbol = Symbol('interproc.waitable');

/** Somebody who wants to know when it is worth looking, and takes nothing. */
export interface Watcher {
  /** It is worth a look; who was told is no longer registered. Must not throw. */
  worthALook(): void;
  /** It cannot be waited for any more, for this reason. No longer registered either. */
  failed(error: unknown): void;
}

/** How an object is waited for. */
export interface Readiness {
  /**
   * Whether a call that takes something (a message, a client) would not have to wait, be it that it would fail. Takes nothing.
   * @throws ERR_CLOSED, ERR_MOVED, ERR_DIRECTION
   */
  isReady(): boolean;
  /** Registers for one call. Those who take are served first: who is told may find that there is nothing left. */
  watch(watcher: Watcher): void;
  /** Nothing if it is not registered. */
  unwatch(watcher: Watcher): void;
}

/** What `wait` takes: connections, queues, listeners. */
export interface Waitable {
  readonly [WAITABLE]: Readiness;
}
