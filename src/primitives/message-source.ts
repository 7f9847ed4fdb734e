import type { NotYet, PendingWaits } from './pending-waits.js';

/**
 * Where something that reads a queue or a connection step by step gets its messages from: a look at a time, and a place among
 * those who wait.
 */
export interface MessageSource<T> {
  /** @throws ERR_CLOSED */
  assertOpen(): void;
  /**
   * One look; NOT_YET also when others wait already, or when the event loop is to have a turn first.
   * @throws EOFError, ERR_CLOSED
   */
  takeNow(): T | NotYet;
  /** One look. @throws EOFError */
  take(): T | NotYet;
  readonly waits: PendingWaits;
  /** Whether the last `takeNow` did not look, to give the event loop a turn. */
  isTurnDue(): boolean;
}
