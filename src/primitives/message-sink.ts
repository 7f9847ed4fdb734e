import type { BatchPut } from './batch-put.js';
import type { Operation, PendingWaits } from './pending-waits.js';

/** Where something that writes a queue step by step puts its messages. */
export interface MessageSink<T> {
  /**
   * One look for room, unless others wait already: undefined if the message went in, else the put that is to
   * wait.
   * @throws as `Queue.put`
   */
  put(value: T): Operation<void> | undefined;
  /**
   * Several values as one put, not looked for room yet. They are left alone until it is over.
   * @throws as `Queue.putMany`
   */
  batch(values: Iterable<T>): BatchPut;
  /** Whether the event loop is to have a turn before the step just made is said to be done. Counts steps. */
  isTurnDue(): boolean;
  readonly waits: PendingWaits;
  /** Ends the queue. @throws ERR_CLOSED */
  end(): void;
}
