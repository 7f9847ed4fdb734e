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
 * The receiver checks word 0 and the last of every page, and adds one word between, at a place that moves with `id`, to
 * a checksum: over the run, every word of the message is looked at.
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
 * @property {number} bytes a multiple of 4, at least 16; above 4096 a multiple of that
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
 * @param {number} offset
 */
function wordAt(bytes, offset) {
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
  if (bytes < 16 || bytes % 4 !== 0 || (bytes > PAGE_BYTES && bytes % PAGE_BYTES !== 0)) {
    throw new RangeError(
      `a message of ${bytes} bytes cannot be verified: one page of words, or whole pages`,
    );
  }
  const pageBytes = Math.min(bytes, PAGE_BYTES);
  return {
    pageBytes,
    pages: bytes / pageBytes,
    innerWords: pageBytes / 4 - 2,
    idsPerProducer: Math.floor(STOP / producers),
  };
}

/** Stamps the messages of one producer. */
export class MessageSource {
  #parameters;
  #pageWords;
  #pages;
  #innerWords;
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
    const { pageBytes, pages, innerWords, idsPerProducer } = geometryOf(parameters);
    this.#parameters = parameters;
    this.#pageWords = pageBytes / 4;
    this.#pages = pages;
    this.#innerWords = innerWords;
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
    this.#nextId += 1;
    for (let k = 0, first = 0; k < this.#pages; k += 1, first += pageWords) {
      words[first] = id + k;
      words[first + pageWords - 1] = mix(id + k);
    }
    this.#count += 1;
    this.#ids = (this.#ids + id) | 0;
    this.#mixes = (this.#mixes + mix(id)) | 0;
    const sampled = pattern(1 + (id % this.#innerWords));
    this.#samples = (this.#samples + Math.imul(sampled, this.#pages)) | 0;
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
  #pageBytes;
  #pages;
  #innerWords;
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
    const { pageBytes, pages, innerWords, idsPerProducer } = geometryOf(parameters);
    this.#bytes = parameters.bytes;
    this.#pageBytes = pageBytes;
    this.#pages = pages;
    this.#innerWords = innerWords;
    this.#idsPerProducer = idsPerProducer;
    this.#isOnlyConsumer = parameters.consumers === 1;
    this.#nextIds = Array.from({ length: parameters.producers }, (_, i) => i * idsPerProducer);
  }

  /**
   * Returns false at the message that ends the run. Throws at one that is not what it should be.
   * @param {Uint8Array} bytes
   * @param {number} length how much of it is the message
   */
  accept(bytes, length = bytes.length) {
    if (length !== this.#bytes) throw new Error(`got ${length} bytes, sent were ${this.#bytes}`);
    const id = wordAt(bytes, 0);
    if (id === STOP) return false;

    const producer = this.#nextIds.length === 1 ? 0 : Math.floor(id / this.#idsPerProducer);
    const next = this.#nextIds[producer] ?? Infinity;
    // What the other consumers took is missing here, but nothing may come twice or late.
    if (this.#isOnlyConsumer ? id !== next : id < next) {
      throw new Error(`got message ${id} where ${next} was due`);
    }
    this.#nextIds[producer] = id + 1;

    const pageBytes = this.#pageBytes;
    const sampledOffset = 4 * (1 + (id % this.#innerWords));
    let samples = this.#samples;
    for (let k = 0, first = 0; k < this.#pages; k += 1, first += pageBytes) {
      if (
        wordAt(bytes, first) !== id + k ||
        wordAt(bytes, first + pageBytes - 4) !== mix(id + k)
      ) {
        throw new Error(`message ${id} is torn at byte ${first}`);
      }
      samples = (samples + wordAt(bytes, first + sampledOffset)) | 0;
    }
    this.#samples = samples;
    this.#count += 1;
    this.#ids = (this.#ids + id) | 0;
    this.#mixes = (this.#mixes + wordAt(bytes, pageBytes - 4)) | 0;
    return true;
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
