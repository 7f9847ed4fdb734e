/** What a state is made of: its bytes, and what can be locked or waited for in it. */

import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';

/** A handle of the state, and so one owner. */
export interface User {
  /** Whose it is: its handles are of one thread. */
  readonly session: object;
  /** Tells it something that it did not ask now, when what is being read has been. */
  push(operation: number, write: (word: FrameWriter) => void): void;
  /** Does in a while what follows if it does not come. Where that fails, it is let go, and nobody else. */
  after(ms: number, action: () => void): void;
}

/** What a part needs of its state. */
export interface Surroundings {
  /** Rings everybody for whom it is worth a look. */
  changed(): void;
}

export interface StatePart {
  /** Those whose waits are for something of this part. */
  readonly sides: readonly Side[];
  /** False: that is no operation of it. */
  serve(user: User, operation: number, body: Body, reply: FrameWriter): boolean;
  isWorthALook(user: User, side: Side): boolean;
  /** It begins to wait: what ARM adds. */
  hearWaiting(user: User, side: Side, body: Body): void;
  /** What READY adds. */
  sayReady(user: User, side: Side, word: FrameWriter): void;
  /** It does not wait any more, and has not had what it waited for. */
  gaveUp(user: User, side: Side): void;
  /** It closed, or died. */
  left(user: User): void;
}
