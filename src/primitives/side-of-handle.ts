import type { Side } from '../contract/shared-object.js';

/** The calls of one handle that wait on one side of its state. */
export interface SideOfHandle {
  readonly side: Side;
  /** The state rang. */
  rung(): void;
  /** Makes one for each of them. */
  rejectAll(errorOf: () => unknown): void;
}
