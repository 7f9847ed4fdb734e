/** What a backend promises of objects whose bytes stay where they are: values, arrays, memory, locks. */

import type { Capabilities } from './capabilities.js';
import type { LockParts } from './locks.js';
import type { SharedObject, Side } from './shared-object.js';

export type StateKind =
  | 'value'
  | 'array'
  | 'memory'
  | 'list'
  | 'lock'
  | 'rlock'
  | 'semaphore'
  | 'boundedSemaphore'
  | 'condition'
  | 'event'
  | 'barrier'
  | 'rwlock';

export const STATE_DEFAULTS = Object.freeze({ maxParticipants: 64 } as const);

/** How the object is made. */
export interface StateOptions {
  readonly kind: StateKind;
  /** 0 for what has no bytes of its own. */
  readonly byteLength: number;
  /** What the bytes mean; the backend only keeps it. 3,071 bytes of UTF-8 at most, without NUL. */
  readonly schema: string;
  /** A number of the kind's own: permits at most, parties. */
  readonly parameter: number;
  readonly persist: boolean;
  readonly maxParticipants: number;
}

/** What was fixed when the object was created. */
export interface StateGeometry extends StateOptions {
  readonly anonymous: boolean;
}

/** What an element of a value or an array is to its backend: bits of some size, and a way to calculate with them. */
export type CellType =
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64';

export type CellOperation =
  'load' | 'store' | 'add' | 'sub' | 'and' | 'or' | 'xor' | 'exchange' | 'compareExchange';

/** Operations on elements of one type; 64-bit integers are bigints. */
export interface TypedCells {
  /**
   * One step on the element at a byte that is a multiple of its size; returns what was there (of `store`, nothing that means
   * anything). `load` and `store` are single accesses, never torn; the others are atomic, sequentially consistent, and tell those who wait. For
   * `compareExchange` two floats are equal as by `Object.is`. Throws ERR_INVALID_ARG for what is not inside, ERR_UNSUPPORTED
   * for bits of floats.
   */
  operate(
    operation: CellOperation,
    byteOffset: number,
    value?: number | bigint,
    expected?: number | bigint,
  ): number | bigint;
}

/** What values and arrays need beyond their bytes. */
export interface Cells {
  /**
   * One word, there where `buffer` is. If its lowest bit is set after the caller has changed the bytes by one of
   * JavaScript's Atomics, somebody waits, and `notify` is due.
   */
  readonly watch: Uint32Array | undefined;
  ofType(type: CellType): TypedCells;
  /** To be called before each look at the bytes that may end in `arm(JOIN)` or `waitSync(JOIN)`. */
  beforeLook(): void;
  /** The bytes have changed: whoever waits looks again. Nothing if nobody does. */
  notify(): void;
  /**
   * Of a value that has a `parameter`, the bytes of it: copies all of it, as one write left it, and returns which. `into` is
   * `wholeBytes` long.
   */
  readWhole(into: Uint8Array): bigint;
  /**
   * The opposite: all of it or, whoever is killed, nothing. With `expected`, only over the write that a `readWhole` returned;
   * else false. Blocks while another process that lives is in the middle of it.
   */
  writeWhole(from: Uint8Array, expected: bigint | undefined): boolean;
}

const WORD_BYTES = 8;

/** The length of the copies of a value of so many bytes that is read and written whole. */
export function wholeBytes(byteLength: number): number {
  return Math.ceil(byteLength / WORD_BYTES) * WORD_BYTES;
}

export interface State extends SharedObject {
  readonly geometry: StateGeometry;
  /** Whether `waitSync` works. */
  readonly capabilities: Pick<Capabilities, 'blocking'>;
  /** Of values and arrays. */
  readonly cells: Cells | undefined;
  /** What can be locked or waited for in it. */
  readonly parts: LockParts;
  /** Nobody here waits on `side` any more, and what was waited for was not had: gives up this handle's place among those waiting. */
  leave(side: Side): void;
  /**
   * Over its bytes, the same one at each use: changes by other processes show. Detached at `close`. Undefined
   * where there are no bytes, or the runtime allows no such buffer: then `read` and `write` it is.
   */
  readonly buffer: ArrayBuffer | undefined;
  /** Copies the bytes from `offset` on. Throws ERR_INVALID_ARG for a range that is not inside. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
}
