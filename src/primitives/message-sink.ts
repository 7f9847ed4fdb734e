import type { Operation, PendingWaits } from './pending-waits.js';

/** Several values that go in order, and how many have gone. */
export interface BatchOfMessages extends Operation<unknown> {
  readonly accepted: number;
}

/** Where something that writes to a queue or a connection step by step puts its messages. */
export interface MessageSink<T> {
  /**
   * One look for room, unless others wait already: undefined if the message went in, else the put that is to
   * wait.
   * @throws as `Queue.put`, `Connection.send`
   */
  put(value: T): Operation<void> | undefined;
  /**
   * Several values as one put, not looked for room yet. They are left alone until it is over.
   * @throws as `Queue.putMany`, `Connection.sendMany`
   */
  batch(values: Iterable<T>): BatchOfMessages;
  /** Whether the event loop is to have a turn before the step just made is said to be done. Counts steps. */
  isTurnDue(): boolean;
  readonly waits: PendingWaits;
  /** Ends the queue, or closes the connection. @throws ERR_CLOSED */
  end(): void;
}
