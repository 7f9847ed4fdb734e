/** Who holds the other end of a line through shared memory, as a thread knows of his life. */
export interface Partner {
  /** It has ended. From the event loop; set by the line. */
  onEnd: () => void;
  /** The same, asked by a thread that is blocked. */
  hasEnded(): boolean;
  /** Why it may have ended. */
  readonly cause: string;
  /** Whether it keeps the event loop alive; it does not in the beginning. */
  ref(): void;
  unref(): void;
  /** The thread wants nothing of it any more. */
  close(): void;
}
