/** The door to native/binding: what the compiled addon exports, as it is. Numbers come from the addon, never retyped here. */

import { createRequire } from 'node:module';

/** Written by the native calls, read here right after: indices are in `Constants`. */
export type ResultWords = Float64Array;

export interface NativeQueue {
  /** These return a length or 0, or a negative status: see `Constants`. */
  putOutbox(length: number): number;
  put(bytes: Uint8Array): number;
  /** Puts messages packed in the outbox, lengths in `lengths`, `count` of them. Returns how many went in, or a negative status if none. */
  putPacked(count: number): number;
  take(): number;
  takeInto(bytes: Uint8Array): number;
  takeMany(max: number): number;
  receive(): number;
  ack(receipt: number): number;
  nack(receipt: number): number;
  arm(side: number): number;
  disarm(side: number): void;
  /** Sleeps until rung, `milliseconds` or the slice limit have passed: 1 look again, 0 not yet. */
  waitSlice(side: number, milliseconds: number): number;
  end(): number;
  ended(): boolean;
  size(): number;
  isFull(): boolean;
  stats(): Record<string, number>;
  geometry(): Record<string, number | string | boolean>;
  close(): void;
  unlink(): number;
  setRef(ref: boolean): void;
  /** This queue's number at this thread's doorbell: what `dispatch` reports. */
  readonly token: number;
}

export interface Addon {
  readonly constants: Readonly<Record<string, number>>;
  /** Private memory of this thread, shared by all its queues. */
  outbox(): Uint8Array;
  inbox(): Uint8Array;
  /** Makes the inbox at least this large. */
  growInbox(bytes: number): Uint8Array;
  growOutbox(bytes: number): Uint8Array;
  readonly lengths: Uint32Array;
  readonly offsets: Uint32Array;
  readonly results: ResultWords;
  /** `dispatch(count)`: `rung[0..count)` holds token * 2 + side of queues worth a look. Called on this thread's event loop. */
  onBell(dispatch: (count: number) => void): void;
  readonly rung: Uint32Array;
  openQueue(directory: string, name: string, mode: number, options: Record<string, unknown>): NativeQueue;
  list(directory: string): Record<string, unknown>[];
  prune(directory: string, dryRun: boolean): string[];
}

export function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  return require('../../../build/Release/interproc.node') as Addon;
}
