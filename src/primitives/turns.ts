/**
 * After so many calls that did not have to wait, the event loop gets a turn: awaiting what is there already
 * never leaves V8's microtasks, and a busy consumer would see neither timers nor signals nor sockets. A turn
 * costs 1.5-2 us: 2 ns per call.
 */
export const CALLS_PER_TURN = 1024;

/** What calls return that have nothing to wait for. */
export const DONE: Promise<void> = Promise.resolve();

/** Resolves when the event loop has had a turn. */
export function afterTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
