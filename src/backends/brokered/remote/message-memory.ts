/** What all queues of a thread share: where messages stand before they are put, and after they were taken. */

import { BATCH } from '../channel-operations.js';

/** A larger message is handed over in an array of its own. */
const INBOX_BYTES = 2 ** 18;
const OUTBOX_BYTES = 2 ** 16;

export const outbox = new Uint8Array(OUTBOX_BYTES);
export const inbox = new Uint8Array(INBOX_BYTES);
export const offsets = new Uint32Array(BATCH);
export const lengths = new Uint32Array(BATCH);
