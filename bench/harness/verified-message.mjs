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
const STOP = 0xffff_ffff;

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
 * @property {Uint32Array} words
 */

/** @param {number} id */
function mix(id) {
  return Math.imul(id ^ (id >>> 15), 0x9e3779b1) >>> 0;
}

/** @param {number} index */
function pattern(index) {
  return Math.imul(index, 0x85ebca6b) >>> 0;
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
    ((bytes[offset] ?? 0) |
      ((bytes[offset + 1] ?? 0) << 8) |
      ((bytes[offset + 2] ?? 0) << 16) |
      ((bytes[offset + 3] ?? 0) << 24)) >>>
    0
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
    idsPerProducer: Math.floor(STOP / producers),
  };
}

/** Stamps the messages of one producer. */
export class MessageSource {
  #parameters;
  #pageWords;
  #pages;
  #nextId;
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
    const words = new Uint32Array(bytes.buffer);
    for (let i = 0; i < words.length; i += 1) words[i] = pattern(i % this.#pageWords);
    return { bytes, words };
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

/** Checks the messages that one consumer gets. */
export class MessageCheck {
  #bytes;
  #pageWords;
  #pages;
  #idsPerProducer;
  #isOnlyConsumer;
  /** Per producer, the lowest id that may come next. */
  #nextIds;
  #count = 0;
  #ids = 0;
  #mixes = 0;
  #samples = 0;

  /** @param {MessageParameters} parameters */
  constructor(parameters) {
    const { pageWords, pages, idsPerProducer } = geometryOf(parameters);
    this.#bytes = parameters.bytes;
    this.#pageWords = pageWords;
    this.#pages = pages;
    this.#idsPerProducer = idsPerProducer;
    this.#isOnlyConsumer = parameters.consumers === 1;
    this.#nextIds = Float64Array.from(
      { length: parameters.producers },
      (_, i) => i * idsPerProducer,
    );
  }

  /**
   * Checks an array that was handed out. Returns false at the message that ends the run. Throws at one that is not what
   * it should be.
   * @param {Uint8Array} bytes
   */
  accept(bytes) {
    const id = wordAt(bytes, 0);
    if (!this.#isDue(id, bytes.length)) return false;
    const pageWords = this.#pageWords;
    const sampled = id & (pageWords - 1);
    const stamp = mix(id);
    let samples = this.#samples;
    for (let k = 0, first = 0; k < this.#pages; k += 1, first += pageWords) {
      if (
        wordAt(bytes, first) !== id + k ||
        wordAt(bytes, first + pageWords - 1) !== (k === 0 ? stamp : mix(id + k))
      ) {
        throw new Error(`message ${id} is torn in page ${k}`);
      }
      samples = (samples + wordAt(bytes, first + sampled)) | 0;
    }
    this.#add(id, stamp, samples);
    return true;
  }

  /**
   * The same for a buffer of the receiver's own, which it can see as words.
   * @param {Uint32Array} words
   * @param {number} length of the message, in bytes
   */
  acceptWords(words, length) {
    const id = words[0] ?? 0;
    if (!this.#isDue(id, length)) return false;
    const pageWords = this.#pageWords;
    const sampled = id & (pageWords - 1);
    const stamp = mix(id);
    let samples = this.#samples;
    for (let k = 0, first = 0; k < this.#pages; k += 1, first += pageWords) {
      if (
        words[first] !== id + k ||
        words[first + pageWords - 1] !== (k === 0 ? stamp : mix(id + k))
      ) {
        throw new Error(`message ${id} is torn in page ${k}`);
      }
      samples = (samples + (words[first + sampled] ?? 0)) | 0;
    }
    this.#add(id, stamp, samples);
    return true;
  }

  /**
   * @param {number} id
   * @param {number} length
   */
  #isDue(id, length) {
    if (length !== this.#bytes) throw new Error(`got ${length} bytes, sent were ${this.#bytes}`);
    if (id === STOP) return false;
    const nextIds = this.#nextIds;
    const producer = nextIds.length === 1 ? 0 : Math.floor(id / this.#idsPerProducer);
    const next = nextIds[producer] ?? Infinity;
    // What the other consumers took is missing here, but nothing may come twice or late.
    if (this.#isOnlyConsumer ? id !== next : id < next) {
      throw new Error(`got message ${id} where ${next} was due`);
    }
    nextIds[producer] = id + 1;
    return true;
  }

  /**
   * @param {number} id
   * @param {number} stamp
   * @param {number} samples
   */
  #add(id, stamp, samples) {
    this.#count += 1;
    this.#ids = (this.#ids + id) | 0;
    this.#mixes = (this.#mixes + stamp) | 0;
    this.#samples = samples;
  }

  /** The clock of the run stops here. */
  report() {
    return {
      finishedAt: monotonicNanoseconds(),
      totals: totalsOf(this.#count, this.#ids, this.#mixes, this.#samples),
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
  return totalsOf(sum('count'), sum('ids') % 2 ** 32, sum('mixes') % 2 ** 32, sum('samples') % 2 ** 32);
}
