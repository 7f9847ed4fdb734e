// @ts-check
/**
 * Messages whose receiver can tell that each is whole, in order and the right one, without reading every byte of it: the
 * JavaScript side of native/bench/verified_message.h, word for word and check for check, so that checking costs all
 * contenders the same share.
 *
 *     A message is cut into pages of 4 KiB (a shorter message is one page). In the page with index k of message `id`:
 *
 *       word 0                     id + k
 *       word last                  mix(id + k)
 *       word i between             pattern(i), written once, the same in all messages
 *
 * The receiver checks word 0 and the last of every page, and adds one word of it, at a place that moves with `id`, to a
 * checksum: over the run, every word of the message is looked at.
 */

import { monotonicNanoseconds } from './monotonic-clock.mjs';

const PAGE_BYTES = 4096;
/** The id of the message that ends a run; there is one for each consumer. */
const STOP = -1;
/** Words are signed here: V8 keeps such numbers in registers, and the other half of the unsigned ones on its heap. */
const MAX_ID = 0x7fff_ffff;

/**
 * What both sides add up over all messages; equal at the end, or something was lost, doubled or changed.
 * @typedef {object} MessageTotals
 * @property {number} count
 * @property {number} ids
 * @property {number} mixes
 * @property {number} samples
 */

/**
 * @typedef {object} MessageParameters
 * @property {number} bytes a power of two, at least 16, or a multiple of 4096
 * @property {number} producers
 * @property {number} consumers
 */

/**
 * A message of the sender's own, and its words for the stamp.
 * @typedef {object} Message
 * @property {Uint8Array<ArrayBuffer>} bytes
 * @property {Int32Array} words
 */

/** @param {number} id */
function mix(id) {
  return Math.imul(id ^ (id >>> 15), 0x9e3779b1);
}

/** @param {number} index */
function pattern(index) {
  return Math.imul(index, 0x85ebca6b);
}

/**
 * Byte by byte, because a view of other words would move a small array out of V8's heap, and that costs more than many
 * a contender's whole message.
 * @param {Uint8Array} bytes
 * @param {number} index of the word
 */
function wordAt(bytes, index) {
  const offset = index * 4;
  return (
    (bytes[offset] ?? 0) |
    ((bytes[offset + 1] ?? 0) << 8) |
    ((bytes[offset + 2] ?? 0) << 16) |
    ((bytes[offset + 3] ?? 0) << 24)
  );
}

/** @param {MessageParameters} parameters */
function geometryOf({ bytes, producers }) {
  const pageBytes = Math.min(bytes, PAGE_BYTES);
  if (bytes < 16 || (pageBytes & (pageBytes - 1)) !== 0 || bytes % pageBytes !== 0) {
    throw new RangeError(
      `a message of ${bytes} bytes cannot be verified: a power of two from 16, or whole pages of ${PAGE_BYTES}`,
    );
  }
  return {
    pageWords: pageBytes / 4,
    pages: bytes / pageBytes,
    idsPerProducer: Math.floor(MAX_ID / producers),
  };
}

/** Stamps the messages of one producer. */
export class MessageSource {
  #parameters;
  #pageWords;
  #pages;
  #nextId;
  /** @type {Uint8Array<ArrayBuffer> | undefined} */
  #template;
  /** @type {Message | undefined} */
  #turned;
  #startedAt = 0;
  #count = 0;
  #ids = 0;
  #mixes = 0;
  #samples = 0;

  /**
   * @param {MessageParameters} parameters
   * @param {number} producer its number among the producers
   */
  constructor(parameters, producer = 0) {
    const { pageWords, pages, idsPerProducer } = geometryOf(parameters);
    this.#parameters = parameters;
    this.#pageWords = pageWords;
    this.#pages = pages;
    this.#nextId = producer * idsPerProducer;
  }

  /** @returns {Message} */
  createMessage() {
    const bytes = new Uint8Array(this.#parameters.bytes);
    const words = new Int32Array(bytes.buffer);
    for (let i = 0; i < words.length; i += 1) words[i] = pattern(i % this.#pageWords);
    return { bytes, words };
  }

  /**
   * A message in memory that somebody else provides, and that holds anything yet: `write` it before it is stamped.
   * @param {Uint8Array<ArrayBuffer>} bytes at the start of their buffer
   * @returns {Message}
   */
  messageIn(bytes) {
    return { bytes, words: new Int32Array(bytes.buffer, 0, bytes.length / 4) };
  }

  /**
   * Writes all of it but the stamp, as one does who makes each message anew.
   * @param {Message} message
   */
  write({ bytes }) {
    this.#template ??= this.createMessage().bytes;
    bytes.set(this.#template);
  }

  /** The clock of the run starts here. */
  start() {
    this.#startedAt = monotonicNanoseconds();
  }

  /**
   * Makes it the next message.
   * @param {Message} message
   */
  stamp({ words }) {
    const id = this.#nextId;
    const pageWords = this.#pageWords;
    const sampled = id & (pageWords - 1);
    const stamp = mix(id);
    let samples = this.#samples;
    for (let k = 0, first = 0; k < this.#pages; k += 1, first += pageWords) {
      words[first] = id + k;
      words[first + pageWords - 1] = k === 0 ? stamp : mix(id + k);
      samples = (samples + (words[first + sampled] ?? 0)) | 0;
    }
    this.#nextId = id + 1;
    this.#count += 1;
    this.#ids = (this.#ids + id) | 0;
    this.#mixes = (this.#mixes + stamp) | 0;
    this.#samples = samples;
  }

  /**
   * Makes it the message that ends a consumer's run.
   * @param {Message} message
   */
  stampStop({ words }) {
    words[0] = STOP;
  }

  /** The next message, in the memory of the one before it: for ways that copy it, or are done with it, when they return. */
  next() {
    const message = (this.#turned ??= this.createMessage());
    this.stamp(message);
    return message.bytes;
  }

  /** The message that ends a consumer's run, in the same memory. */
  stop() {
    const message = (this.#turned ??= this.createMessage());
    this.stampStop(message);
    return message.bytes;
  }

  /** How many consumers this producer has to stop, so that each is stopped once, and only after all it could get. */
  get stops() {
    const { producers, consumers } = this.#parameters;
    if (consumers % producers !== 0) {
      throw new RangeError(`${producers} producers cannot share ${consumers} consumers evenly`);
    }
    return consumers / producers;
  }

  report() {
    return {
      startedAt: this.#startedAt,
      totals: totalsOf(this.#count, this.#ids, this.#mixes, this.#samples),
    };
  }
}

/**
 * What a consumer knows so far.
 * @typedef {object} CheckState
 * @property {number} bytes
 * @property {number} pageWords
 * @property {number} pages
 * @property {number} idsPerProducer
 * @property {boolean} isOnlyConsumer
 * @property {Int32Array} nextIds per producer, the lowest that may come next
 * @property {number} count
 * @property {number} ids
 * @property {number} mixes
 * @property {number} samples
 */

// The errors are made apart: with their texts among them, the checks cost three times as much.

/**
 * @param {string} what
 * @param {number} found
 * @param {number} due
 */
function wrongMessage(what, found, due) {
  return new Error(`a wrong message: its ${what} is ${found}, due was ${due}`);
}

/**
 * @param {number} id
 * @param {number} page
 */
function tornMessage(id, page) {
  return new Error(
    `a torn message: page ${page} of message ${id} does not begin or end as it should`,
  );
}

/**
 * Returns false if it is the message that ends the run.
 * @param {CheckState} state
 * @param {number} id
 * @param {number} length
 */
function isDue(state, id, length) {
  if (length !== state.bytes) throw wrongMessage('length', length, state.bytes);
  if (id === STOP) return false;
  const { nextIds } = state;
  const producer = nextIds.length === 1 ? 0 : Math.floor(id / state.idsPerProducer);
  const next = nextIds[producer] ?? MAX_ID;
  // What the other consumers took is missing here, but nothing may come twice or late.
  if (state.isOnlyConsumer ? id !== next : id < next) {
    throw wrongMessage('id', id, next);
  }
  nextIds[producer] = id + 1;
  return true;
}

/**
 * @param {CheckState} state
 * @param {number} id
 * @param {number} stamp
 * @param {number} samples
 */
function add(state, id, stamp, samples) {
  state.count += 1;
  state.ids = (state.ids + id) | 0;
  state.mixes = (state.mixes + stamp) | 0;
  state.samples = (state.samples + samples) | 0;
}

/** Checks the messages that one consumer gets. */
export class MessageCheck {
  /** @type {CheckState} */
  #state;

  /** @param {MessageParameters} parameters */
  constructor(parameters) {
    const { pageWords, pages, idsPerProducer } = geometryOf(parameters);
    this.#state = {
      pageWords,
      pages,
      idsPerProducer,
      bytes: parameters.bytes,
      isOnlyConsumer: parameters.consumers === 1,
      nextIds: Int32Array.from(
        { length: parameters.producers },
        (_, producer) => producer * idsPerProducer,
      ),
      count: 0,
      ids: 0,
      mixes: 0,
      samples: 0,
    };
  }

  /**
   * Checks an array that was handed out. Returns false at the message that ends the run. Throws at one that is not what
   * it should be.
   * @param {Uint8Array} bytes
   */
  accept(bytes) {
    const state = this.#state;
    const id = wordAt(bytes, 0);
    if (!isDue(state, id, bytes.length)) return false;
    const { pageWords, pages } = state;
    const sampled = id & (pageWords - 1);
    const stamp = mix(id);
    let samples = 0;
    for (let k = 0, first = 0; k < pages; k += 1, first += pageWords) {
      const last = wordAt(bytes, first + pageWords - 1);
      if (wordAt(bytes, first) !== id + k || last !== (k === 0 ? stamp : mix(id + k))) {
        throw tornMessage(id, k);
      }
      samples = (samples + wordAt(bytes, first + sampled)) | 0;
    }
    add(state, id, stamp, samples);
    return true;
  }

  /**
   * The same for a buffer of the receiver's own, which it can see as words.
   * @param {Int32Array} words
   * @param {number} length of the message, in bytes
   */
  acceptWords(words, length) {
    const state = this.#state;
    const id = words[0] ?? 0;
    if (!isDue(state, id, length)) return false;
    const { pageWords, pages } = state;
    const sampled = id & (pageWords - 1);
    const stamp = mix(id);
    let samples = 0;
    for (let k = 0, first = 0; k < pages; k += 1, first += pageWords) {
      const last = words[first + pageWords - 1];
      if (words[first] !== id + k || last !== (k === 0 ? stamp : mix(id + k))) {
        throw tornMessage(id, k);
      }
      samples = (samples + (words[first + sampled] ?? 0)) | 0;
    }
    add(state, id, stamp, samples);
    return true;
  }

  /** The clock of the run stops here. */
  report() {
    const { count, ids, mixes, samples } = this.#state;
    return {
      finishedAt: monotonicNanoseconds(),
      totals: totalsOf(count, ids, mixes, samples),
    };
  }
}

/**
 * @param {number} count
 * @param {number} ids
 * @param {number} mixes
 * @param {number} samples
 * @returns {MessageTotals}
 */
function totalsOf(count, ids, mixes, samples) {
  return { count, ids: ids >>> 0, mixes: mixes >>> 0, samples: samples >>> 0 };
}

/**
 * What several sides counted, together.
 * @param {readonly MessageTotals[]} parts
 */
export function addTotals(parts) {
  /** @param {'count' | 'ids' | 'mixes' | 'samples'} key */
  const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
  return totalsOf(
    sum('count'),
    sum('ids') % 2 ** 32,
    sum('mixes') % 2 ** 32,
    sum('samples') % 2 ** 32,
  );
}
