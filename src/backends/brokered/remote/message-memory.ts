/** What all queues and pipes of a thread share: where messages stand before they are put, and after they were taken. */

import { BATCH } from '../channel-operations.js';
import { ViewedBytes } from '../viewed-bytes.js';
import { OutboxWord } from './outbox-word.js';

/** A larger message is handed over in an array of its own. */
const INBOX_BYTES = 2 ** 18;
const OUTBOX_BYTES = 2 ** 16;

export const outboxWord = new OutboxWord(OUTBOX_BYTES);
export const { outbox } = outboxWord;
export const inboxMemory = ViewedBytes.ofLength(INBOX_BYTES);
export const inbox = new Uint8Array(inboxMemory.bytes.buffer);
export const offsets = new Uint32Array(BATCH);
export const lengths = new Uint32Array(BATCH);
