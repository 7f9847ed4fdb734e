/** What carries frames between a thread and its hub: bytes in order, both ways, until one side is gone. */

import type { JournalFile, JournalSource } from './journal.js';

/** A thread's end of it. */
export interface Line {
  /** What came; good until the next call. From the event loop, and from within `wait`. */
  onBytes: (bytes: Buffer) => void;
  /** Called once, from the event loop or from within `wait`: the hub is gone, or the line is. */
  onLost: (cause: Error) => void;
  /** Hands all of it over, blocking while the hub is slow to read. The memory is the caller's again. @throws what ended the line */
  write(bytes: Uint8Array): void;
  /**
   * Blocks until something came (true), or the time has passed. 0: one look. `isForReply`: the hub is going to say something at once, and
   * need not hear of anybody else before.
   */
  wait(timeoutMs: number, isForReply?: boolean): boolean;
  /** The journal that the hub has made for this thread; undefined: it cannot be opened. Without this there are none. */
  openJournal?(path: string): JournalFile | undefined;
  /** Whether it keeps the process alive; it does not in the beginning. */
  ref(): void;
  unref(): void;
  close(): void;
}

/** The hub's end of it. */
export interface Outlet {
  /**
   * Hands bytes over, without blocking. They are the line's from now on. False: the client has not read so much of what it was
   * sent that nothing it says should be served until the line calls `Session.resume`.
   */
  write(bytes: Buffer): boolean | void;
  /**
   * Calls `then` when everything has been read that was said over any line before this moment. Who asks something may know of it
   * by another way than the hub, and is to find it done. Undefined: it always has.
   */
  catchUp?(then: () => void): void;
  /** Whether the client has gone, or given up: asked before a request of his is served. */
  isDeserted?(): boolean;
  /** A file for the client's journal; undefined: there is no room for it. Without this there are none. */
  makeJournal?(): JournalSource | undefined;
  /** Ends the line. */
  close(): void;
}
