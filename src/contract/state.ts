/** What a backend promises of objects whose bytes stay where they are: values, arrays, memory, locks. */

import type { SharedObject } from './shared-object.js';

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

export interface State extends SharedObject {
  readonly geometry: StateGeometry;
  /**
   * Over its bytes, the same one at each use: changes by other processes show. Detached at `close`. Undefined
   * where there are no bytes, or the runtime allows no such buffer: then `read` and `write` it is.
   */
  readonly buffer: ArrayBuffer | undefined;
  /** Copies the bytes from `offset` on. Throws ERR_INVALID_ARG for a range that is not inside. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
}
