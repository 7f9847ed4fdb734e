/**
 * The bytes of a state in a file, which the hub alone writes, and everybody reads without asking.
 *
 *   block     u32 done | u32 0 | payload | u32 begun | u32 0
 *
 * The hub counts the changes of each block: `begun` is written before the payload, `done` after it, each by a call of its own. A
 * reader copies a block from its beginning to its end. If both say the same, then no change was under way: the one that `done`
 * speaks of was over before, and none had begun after it. That holds where loads are made in the order of the addresses, as on x86.
 *
 * A value that is read and written whole is one block, its version in front; everything else is cut into blocks of one cache line,
 * so that no element lies in two.
 */

import type { StateGeometry } from '../../contract/state.js';
import { wholeBytes } from '../../contract/state.js';

export const HEAD_BYTES = 8;
export const TAIL_BYTES = 8;
export const VERSION_BYTES = 8;
/** A cache line has 64. */
const LINE_PAYLOAD_BYTES = 48;
/** A whole value that is larger is asked for. */
const MAX_WHOLE_BYTES = 2 ** 12;
/** An object that is larger has no file: the hub holds a copy of what is in it. */
const MAX_FILE_STATE_BYTES = 2 ** 26;

export interface StateLayout {
  readonly payloadBytes: number;
  readonly blockBytes: number;
  readonly blocks: number;
  /** The payload is a version and a whole value. */
  readonly isWhole: boolean;
}

/** undefined: what is like that has no file. */
export function layoutOf({ kind, byteLength, parameter }: StateGeometry): StateLayout | undefined {
  // Elsewhere a copy may be made in another order.
  if (process.arch !== 'x64' || byteLength === 0 || byteLength > MAX_FILE_STATE_BYTES) {
    return undefined;
  }
  const isWhole = kind === 'value' && parameter > 0;
  const whole = VERSION_BYTES + wholeBytes(parameter);
  if (isWhole && (whole > MAX_WHOLE_BYTES || wholeBytes(parameter) > byteLength)) return undefined;
  const payloadBytes = isWhole ? whole : LINE_PAYLOAD_BYTES;
  return {
    payloadBytes,
    blockBytes: HEAD_BYTES + payloadBytes + TAIL_BYTES,
    blocks: isWhole ? 1 : Math.ceil(byteLength / payloadBytes),
    isWhole,
  };
}
