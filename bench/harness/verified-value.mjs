// @ts-check
/**
 * Values as programs send them, whose receiver can tell that each is whole, in order and the right one. They are made
 * before the run, and stamped with a number for each message: what is measured is the way, not the making.
 */

import { monotonicNanoseconds } from './monotonic-clock.mjs';

/** @typedef {import('./verified-message.mjs').MessageTotals} MessageTotals */

/** @typedef {'record' | 'document' | 'text'} ValueName */

/** Texts cannot be stamped: so many are sent in turn. */
const TEXTS = 1024;
/** The id of the value that ends a run. */
const STOP = -1;

/**
 * One kind of values.
 * @typedef {object} ValueKind
 * @property {() => { stamp: (id: number) => unknown }} create the sender's, which stamps one and returns it
 * @property {(value: unknown, due: number) => number} check what is added up of a received one; STOP; throws if it is
 *   not the one that is due
 */

/** An event of about 100 bytes in JSON: numbers, short texts, a flag, a list. */
function createRecord() {
  return {
    id: 0,
    type: 'order.created',
    user: 'u-2342108',
    total: 129.95,
    paid: true,
    tags: ['new', 'eu'],
    at: 0,
  };
}

/** @param {number} index */
function createItem(index) {
  return {
    sku: `SKU-${10_000 + index}`,
    title: `Stainless steel bottle, ${index} ml`,
    quantity: (index % 5) + 1,
    price: 19.5 + index,
    inStock: index % 3 !== 0,
    options: { colour: ['black', 'blue', 'red'][index % 3], size: null },
  };
}

/** An order of about 5 KiB in JSON: 80 objects in lists and in each other, texts beyond ASCII. */
function createDocument() {
  return {
    id: 0,
    reference: '9b2f6f0a-7b1e-4a53-9d2c-0f5f6a1f2c11',
    customer: {
      name: 'Zoë Müller',
      email: 'zoe.mueller@example.org',
      address: { street: 'Hauptstraße 12', city: 'Köln', zip: '50667', country: 'DE' },
      newsletter: false,
    },
    items: Array.from({ length: 32 }, (_, index) => createItem(index)),
    history: Array.from({ length: 8 }, (_, index) => ({
      at: 1_732_190_000_123 + index * 1000,
      state: ['created', 'paid', 'packed', 'sent'][index % 4],
      by: 'system',
    })),
    totals: { net: 812.11, vat: 154.3, gross: 966.41 },
    at: 0,
  };
}

/**
 * Objects with the number in two places, at the beginning and at the end.
 * @template {{ id: number, at: number }} Shape
 * @param {() => Shape} createValue
 * @param {(value: Shape) => unknown[]} samples what is looked at besides, and is the same in all
 * @returns {ValueKind}
 */
function objects(createValue, samples) {
  const expected = samples(createValue());
  return {
    create() {
      const value = createValue();
      return {
        stamp(id) {
          value.id = id;
          value.at = timeOf(id);
          return value;
        },
      };
    },
    check(received, due) {
      const value = /** @type {Shape} */ (received);
      if (value.id === STOP) return STOP;
      if (value.id !== due || value.at !== timeOf(due)) {
        throw new Error(
          `a wrong value: its id is ${value.id}, its time ${value.at}; due was ${due}`,
        );
      }
      const found = samples(value);
      for (let i = 0; i < expected.length; i += 1) {
        if (found[i] !== expected[i]) throw new Error(`a wrong value: ${found[i]} in ${due}`);
      }
      return due;
    },
  };
}

/** @param {number} id */
function timeOf(id) {
  return 1_732_190_000_000 + id;
}

/** @param {number} index */
function textOf(index) {
  return `${index}:`.padEnd(64, 'The quick brown fox jumps over the lazy dog. ');
}

/** @type {ValueKind} */
const texts = {
  create() {
    // Made anew by Buffer: a text that was put together is copied when it is first read.
    const made = Array.from({ length: TEXTS }, (_, i) => Buffer.from(textOf(i)).toString('latin1'));
    return { stamp: (id) => (id === STOP ? '' : made[id % TEXTS]) };
  },
  check(received, due) {
    if (received === '') return STOP;
    if (received !== EXPECTED_TEXTS[due % TEXTS]) {
      throw new Error(`a wrong text: ${String(received)}; due was number ${due}`);
    }
    return due;
  },
};
const EXPECTED_TEXTS = Array.from({ length: TEXTS }, (_, i) => textOf(i));

/** @type {Readonly<Record<ValueName, ValueKind>>} */
const KINDS = {
  record: objects(createRecord, ({ type, user, total, paid, tags }) => [
    type,
    user,
    total,
    paid,
    tags.length,
    tags[1],
  ]),
  document: objects(createDocument, ({ reference, customer, items, history, totals }) => [
    reference,
    customer.address.city,
    items.length,
    items[31]?.options.colour,
    items[16]?.title,
    history[7]?.at,
    totals.gross,
  ]),
  text: texts,
};

/** @param {import('./contender.mjs').CellParameters} parameters */
export function valueKindOf({ value }) {
  if (!value) throw new Error('the scenario does not say which values');
  return KINDS[value];
}

/** The sum of the ids up to `count`, in 32 bits. @param {number} count */
function sumBelow(count) {
  return Number(((BigInt(count) * BigInt(count - 1)) / 2n) % 2n ** 32n);
}

/**
 * What both sides say: each value has been checked against the one that was due.
 * @param {number} count
 * @returns {MessageTotals}
 */
function totalsOf(count) {
  return { count, ids: sumBelow(count), mixes: 0, samples: 0 };
}

/** The values of one run, for one producer. */
export class ValueSource {
  #stamped;
  #count = 0;
  #startedAt = 0;

  /** @param {import('./contender.mjs').CellParameters} parameters */
  constructor(parameters) {
    this.#stamped = valueKindOf(parameters).create();
  }

  /** The clock of the run starts here. */
  start() {
    this.#startedAt = monotonicNanoseconds();
  }

  next() {
    return this.#stamped.stamp(this.#count++);
  }

  /** The value that ends the run. */
  stop() {
    return this.#stamped.stamp(STOP);
  }

  /** There is one consumer for each producer. */
  get stops() {
    return 1;
  }

  report() {
    return { startedAt: this.#startedAt, totals: totalsOf(this.#count) };
  }
}

/** Checks the values of one run, for one consumer. */
export class ValueCheck {
  #kind;
  #count = 0;

  /** @param {import('./contender.mjs').CellParameters} parameters */
  constructor(parameters) {
    this.#kind = valueKindOf(parameters);
  }

  /**
   * Returns false at the value that ends the run. Throws at one that is not what it should be.
   * @param {unknown} value
   */
  accept(value) {
    if (this.#kind.check(value, this.#count) === STOP) return false;
    this.#count += 1;
    return true;
  }

  /** The clock of the run stops here. */
  report() {
    return { finishedAt: monotonicNanoseconds(), totals: totalsOf(this.#count) };
  }
}
