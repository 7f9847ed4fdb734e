/** Memory that all ends of pipes in this thread share. */

/** Messages up to this size are encoded and received in it. */
const BOX_BYTES = 2 ** 16;
/** Messages received at once, at most. */
export const BATCH = 512;

export const outbox = new Uint8Array(BOX_BYTES);
export const inbox = new Uint8Array(BOX_BYTES);
export const offsets = new Uint32Array(BATCH);
export const lengths = new Uint32Array(BATCH);
