/**
 * The messages of a queue, and their memory: small ones stand together in slabs, for an array of its own costs more than all else
 * that is done with one. What is freed is used again, by any queue of this thread: as garbage it would cost as much. Nobody has to
 * free one: it is garbage then, as its slab is with its last message.
 *
 * A slab is of one queue, whose messages go mostly in the order in which they came: so it is full of messages, or of none.
 */

import { copyBytes, ViewedBytes } from '../viewed-bytes.js';
import type { Message } from './message-row.js';

const SLAB_BYTES = 2 ** 13;
/** A larger message has memory of its own. */
const LARGEST_BYTES = 2 ** 10;
/** Of what is free, so much is kept. */
const MAX_FREE_SLABS = 128;
const MAX_FREE_MESSAGES = 2 ** 14;

interface Slab {
  readonly memory: ViewedBytes;
  filled: number;
  /** Messages in it that were not freed. */
  live: number;
}

class StoredMessage implements Message {
  deliveries = 0;
  takesRoom = false;

  constructor(
    public slab: Slab | undefined,
    public memory: ViewedBytes,
    public at: number,
    public length: number,
    public carries: boolean,
    public order: number,
  ) {}
}

const NOWHERE = ViewedBytes.ofLength(0);

/** Of this thread. */
const freeSlabs: Slab[] = [];
const freeMessages: StoredMessage[] = [];

export class MessageStore {
  // Made at the first use: most queues are idle.
  #slab: Slab | undefined;

  /** Of `from[start, start + length)`, which is copied. */
  keep(from: ViewedBytes, start: number, length: number, carries: boolean, order: number): Message {
    if (length > LARGEST_BYTES) {
      const memory = ViewedBytes.ofLength(length);
      copyBytes(from, start, memory, 0, length);
      return new StoredMessage(undefined, memory, 0, length, carries, order);
    }
    const slab = this.#slabWith(length);
    const { memory, filled: at } = slab;
    slab.filled += length;
    slab.live++;
    copyBytes(from, start, memory, at, length);
    const message = freeMessages.pop();
    if (message === undefined) return new StoredMessage(slab, memory, at, length, carries, order);
    message.slab = slab;
    message.memory = memory;
    message.at = at;
    message.length = length;
    message.carries = carries;
    message.order = order;
    message.deliveries = 0;
    return message;
  }

  /** Nobody has that message any more. */
  free(message: Message): void {
    if (!(message instanceof StoredMessage) || message.slab === undefined) return;
    const { slab } = message;
    message.slab = undefined;
    message.memory = NOWHERE;
    if (freeMessages.length < MAX_FREE_MESSAGES) freeMessages.push(message);
    slab.live--;
    if (slab.live > 0) return;
    slab.filled = 0;
    if (slab !== this.#slab && freeSlabs.length < MAX_FREE_SLABS) freeSlabs.push(slab);
  }

  #slabWith(length: number): Slab {
    const slab = this.#slab;
    if (slab !== undefined && slab.filled + length <= SLAB_BYTES) return slab;
    return (this.#slab = freeSlabs.pop() ?? newSlab());
  }
}

function newSlab(): Slab {
  return { memory: ViewedBytes.ofLength(SLAB_BYTES), filled: 0, live: 0 };
}
