/**
 * What a thread and the hub share: the memory of a line, in 32-bit words, each with a line of 128 bytes to itself, and behind
 * them a ring of bytes each way. Positions count bytes modulo 2^32.
 *
 * Where the hub is in another process, its end of the line has a relay, which goes between: read 'relay' for 'hub' then.
 *
 *   word        written by          holds
 *   LAYOUT      thread, once        which of these layouts it is
 *   STATE       hub                 OFFERED -> ACCEPTED -> OVER, or OFFERED -> REFUSED
 *   TO_HUB      thread: tail, hub: head
 *   TO_THREAD   hub: tail, thread: head
 *   MODE        both                how the thread is to be woken; thread-bell.ts
 *   BELL        nobody              0: the thread's event loop is notified about it
 *   WANTED      both                1: the hub has more to send than there is room for
 *
 * And one word that all threads share with it, HUB_MODE: how the hub is to be woken; hub-bell.ts.
 *
 * All accesses are Atomics, which JavaScript makes sequentially consistent, but those to the bytes of the rings: these are
 * written before the tail is stored, and read after it was loaded.
 */

/** Changes with this layout and with all that is said to find a hub: threads with another one are refused by name. */
export const LAYOUT_VERSION = 1;

const WORDS_APART = 32;

export const LAYOUT = 0;
export const STATE = 1;
export const TO_HUB_TAIL = 1 * WORDS_APART;
export const TO_HUB_HEAD = 2 * WORDS_APART;
export const TO_THREAD_TAIL = 3 * WORDS_APART;
export const TO_THREAD_HEAD = 4 * WORDS_APART;
export const MODE = 5 * WORDS_APART;
export const BELL = 6 * WORDS_APART;
export const WANTED = 7 * WORDS_APART;
const WORDS = 8 * WORDS_APART;

export const OFFERED = 0;
export const ACCEPTED = 1;
export const REFUSED = 2;
export const OVER = 3;

/** Of each ring: enough that a run of messages seldom waits for room, and larger frames go in few pieces. */
export const RING_BYTES = 2 ** 17;

export const LINE_BYTES = 4 * WORDS + 2 * RING_BYTES;

export interface LineMemory {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly toHub: Uint8Array;
  readonly toThread: Uint8Array;
}

export function newLineMemory(): LineMemory {
  const memory = viewsOf(new SharedArrayBuffer(LINE_BYTES));
  Atomics.store(memory.words, LAYOUT, LAYOUT_VERSION);
  return memory;
}

export function viewsOf(shared: SharedArrayBuffer): LineMemory {
  return {
    shared,
    words: new Int32Array(shared, 0, WORDS),
    toHub: new Uint8Array(shared, 4 * WORDS, RING_BYTES),
    toThread: new Uint8Array(shared, 4 * WORDS + RING_BYTES, RING_BYTES),
  };
}
