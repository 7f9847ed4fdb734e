import { isUint8Array } from 'node:util/types';

import { InterprocError, invalidArgument, shown } from '../errors.js';
import { LITTLE_ENDIAN } from './scalar-types.js';

/** What an element of a ShareableList can be: Python's float, int, bool, str, bytes and None. */
export type ShareableValue = number | bigint | boolean | string | Uint8Array | null;

/*
 * 0   u32 count, u32 0
 * 8   count x { u32 offset, u32 capacity, u32 kind, u32 length }
 * ..  slots, each of `capacity` bytes, a multiple of 8, at a multiple of 8
 *
 * Offset and capacity are fixed at creation, and copied when the list is opened. Kind and length are the value's: they are
 * copied, and checked, at each look.
 */
const HEADER_BYTES = 8;
const ENTRY_BYTES = 16;
const CAPACITY_AT = 4;
const KIND_AT = 8;
const LENGTH_AT = 12;
const SLOT_STEP = 8;
const MAX_BYTES = 2 ** 30;

/** Zeroed memory is no value. */
const NULL = 1;
const BOOL = 2;
const FLOAT64 = 3;
const INT64 = 4;
const STRING = 5;
const BYTES = 6;

const SCALAR_BYTES = 8;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

const LONE_SURROGATE = /\p{Surrogate}/u;

const encoder = new TextEncoder();
// A byte order mark is a character of the string.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A value as it stands in its slot: all of it was checked. */
interface Encoded {
  readonly kind: number;
  /** Bytes that it needs. */
  readonly length: number;
  store(view: DataView, at: number): void;
}

/** @throws ERR_INVALID_ARG */
function encoded(value: unknown): Encoded {
  if (value === null) return { kind: NULL, length: 0, store: () => {} };
  if (typeof value === 'boolean') {
    return { kind: BOOL, length: 1, store: (view, at) => view.setUint8(at, value ? 1 : 0) };
  }
  if (typeof value === 'number') {
    return {
      kind: FLOAT64,
      length: SCALAR_BYTES,
      store: (view, at) => view.setFloat64(at, value, LITTLE_ENDIAN),
    };
  }
  if (typeof value === 'bigint') {
    if (value < MIN_INT64 || value > MAX_INT64) {
      throw invalidArgument('A ShareableList', 'bigints from -2^63 to 2^63 - 1', value);
    }
    return {
      kind: INT64,
      length: SCALAR_BYTES,
      store: (view, at) => view.setBigInt64(at, value, LITTLE_ENDIAN),
    };
  }
  if (typeof value === 'string') {
    if (LONE_SURROGATE.test(value)) {
      throw invalidArgument('A ShareableList', 'strings without lone surrogates', value);
    }
    return encodedBytes(STRING, encoder.encode(value));
  }
  if (isUint8Array(value)) return encodedBytes(BYTES, value);
  throw invalidArgument(
    'A ShareableList',
    'numbers, bigints, booleans, strings, Uint8Arrays and null',
    value,
  );
}

function encodedBytes(kind: number, bytes: Uint8Array): Encoded {
  return {
    kind,
    length: bytes.length,
    store: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, bytes.length).set(bytes),
  };
}

/** As Python does it: strings and bytes get the next multiple of eight, and at least one byte more than they need. */
function capacityFor({ kind, length }: Encoded): number {
  if (kind !== STRING && kind !== BYTES) return SCALAR_BYTES;
  return SLOT_STEP * (Math.floor(length / SLOT_STEP) + 1);
}

/** @throws ERR_TOO_LARGE */
function neededFor(items: readonly Encoded[]): number {
  let needed = HEADER_BYTES + ENTRY_BYTES * items.length;
  for (const item of items) needed += capacityFor(item);
  if (needed <= MAX_BYTES) return needed;
  throw new InterprocError(
    'ERR_TOO_LARGE',
    `A list of ${items.length} values would have ${needed} bytes; it may have ${MAX_BYTES} at most`,
  );
}

/** Equal in type and value; bytes are equal if their contents are, and NaN is itself. */
function isSame(a: unknown, b: unknown): boolean {
  if (isUint8Array(a)) return isUint8Array(b) && Buffer.compare(a, b) === 0;
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

/** Where a list stands that JavaScript does not see: copies parts of it into the bytes that it does see, and back. */
export interface Distant {
  fetch(offset: number, length: number): void;
  store(offset: number, length: number): void;
}

/**
 * A list of a fixed number of values in memory: its elements can be replaced, also by values of another type, but each has only the room
 * that its first value was given.
 */
export class SlotList {
  /** How many elements it has: always as many as at first. */
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Of each slot. */
  readonly #offsets: Uint32Array;
  readonly #capacities: Uint32Array;
  readonly #distant: Distant | undefined;

  /**
   * The bytes of a new list.
   * @throws ERR_INVALID_ARG, ERR_TOO_LARGE
   */
  static bytesOf(values: readonly ShareableValue[]): Uint8Array<ArrayBuffer> {
    const items = values.map(encoded);
    const bytes = new Uint8Array(neededFor(items));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, values.length, LITTLE_ENDIAN);
    let offset = HEADER_BYTES + ENTRY_BYTES * values.length;
    for (const [i, item] of items.entries()) {
      const { kind, length, store } = item;
      const entry = HEADER_BYTES + ENTRY_BYTES * i;
      const capacity = capacityFor(item);
      view.setUint32(entry, offset, LITTLE_ENDIAN);
      view.setUint32(entry + CAPACITY_AT, capacity, LITTLE_ENDIAN);
      view.setUint32(entry + KIND_AT, kind, LITTLE_ENDIAN);
      view.setUint32(entry + LENGTH_AT, length, LITTLE_ENDIAN);
      store(view, offset);
      offset += capacity;
    }
    return bytes;
  }

  /**
   * The list whose `bytesOf` stand there; or there where `distant` fetches `bytes` from. O(number of elements).
   * @throws ERR_CORRUPT
   */
  constructor(bytes: Uint8Array, distant?: Distant) {
    if (bytes.length >= HEADER_BYTES) distant?.fetch(0, HEADER_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const length = bytes.length < HEADER_BYTES ? -1 : view.getUint32(0, LITTLE_ENDIAN);
    const table = HEADER_BYTES + ENTRY_BYTES * length;
    if (length < 0 || table > bytes.length) {
      throw new InterprocError(
        'ERR_CORRUPT',
        `${bytes.length} bytes are no ShareableList: they say that it has ${length} elements`,
      );
    }
    distant?.fetch(HEADER_BYTES, table - HEADER_BYTES);
    this.length = length;
    this.#distant = distant;
    // Not a subclass, whose copies would be of that class.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = view;
    this.#offsets = new Uint32Array(length);
    this.#capacities = new Uint32Array(length);
    for (let i = 0; i < length; i++) {
      const entry = HEADER_BYTES + ENTRY_BYTES * i;
      const offset = view.getUint32(entry, LITTLE_ENDIAN);
      const capacity = view.getUint32(entry + CAPACITY_AT, LITTLE_ENDIAN);
      if (offset < table || capacity < SCALAR_BYTES || offset + capacity > bytes.length) {
        throw new InterprocError(
          'ERR_CORRUPT',
          `Element ${i} of a ShareableList is said to have ${capacity} bytes at ${offset} of ${bytes.length}`,
        );
      }
      this.#offsets[i] = offset;
      this.#capacities[i] = capacity;
    }
  }

  /**
   * The element at `index`, from the end if that is negative; undefined if there is none.
   * @throws ERR_CORRUPT
   */
  at(index: number): ShareableValue | undefined {
    const i = this.#place(index);
    const view = this.#view;
    const offset = this.#offsets[i];
    const capacity = this.#capacities[i];
    if (offset === undefined || capacity === undefined) return undefined;
    const entry = HEADER_BYTES + ENTRY_BYTES * i;
    this.#distant?.fetch(entry + KIND_AT, ENTRY_BYTES - KIND_AT);
    const kind = view.getUint32(entry + KIND_AT, LITTLE_ENDIAN);
    const length = view.getUint32(entry + LENGTH_AT, LITTLE_ENDIAN);
    if (kind === NULL) return null;
    this.#distant?.fetch(
      offset,
      kind === STRING || kind === BYTES ? Math.min(length, capacity) : SCALAR_BYTES,
    );
    if (kind === BOOL) return view.getUint8(offset) !== 0;
    if (kind === FLOAT64) return view.getFloat64(offset, LITTLE_ENDIAN);
    if (kind === INT64) return view.getBigInt64(offset, LITTLE_ENDIAN);
    if ((kind !== STRING && kind !== BYTES) || length > capacity) {
      throw new InterprocError(
        'ERR_CORRUPT',
        `Element ${i} of a ShareableList is of the kind ${kind}, with ${length} of ${capacity} bytes`,
      );
    }
    const bytes = this.#bytes.slice(offset, offset + length);
    return kind === BYTES ? bytes : this.#text(i, bytes);
  }

  /** From the start; where there is no element, a number that `#offsets` has none for. */
  #place(index: number): number {
    if (!Number.isInteger(index)) return -1;
    return index < 0 ? index + this.length : index;
  }

  #text(i: number, bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new InterprocError(
        'ERR_CORRUPT',
        `Element ${i} of a ShareableList is no string: ${shown(bytes)}. If another process may have been writing it, guard the list with a lock`,
        { cause },
      );
    }
  }

  /**
   * Replaces the element at `index`, from the end if that is negative.
   *
   * @throws ERR_TOO_LARGE if the value needs more bytes than the element's first one was given; ERR_INVALID_ARG if it is none that a list takes, or
   * there is no such element; then the old one stays
   */
  set(index: number, value: ShareableValue): void {
    const i = this.#place(index);
    const view = this.#view;
    const offset = this.#offsets[i];
    const capacity = this.#capacities[i];
    if (offset === undefined || capacity === undefined) {
      throw this.indexError(index);
    }
    const { kind, length, store } = encoded(value);
    if (length > capacity) {
      throw new InterprocError(
        'ERR_TOO_LARGE',
        `${shown(value)} needs ${length} bytes; element ${i} has room for ${capacity}, as its first value was given. Make the list with a longer one`,
      );
    }
    const entry = HEADER_BYTES + ENTRY_BYTES * i;
    store(view, offset);
    view.setUint32(entry + LENGTH_AT, length, LITTLE_ENDIAN);
    view.setUint32(entry + KIND_AT, kind, LITTLE_ENDIAN);
    this.#distant?.store(offset, length);
    this.#distant?.store(entry + KIND_AT, ENTRY_BYTES - KIND_AT);
  }

  /** For what no element has. */
  indexError(index: unknown): InterprocError {
    const { length } = this;
    if (length === 0) return invalidArgument('The index', 'nothing: the list is empty', index);
    return invalidArgument('The index', `a whole number from ${-length} to ${length - 1}`, index);
  }

  /**
   * The types of the elements as Python's `struct` writes them: `d` a number, `q` a bigint, `?` a boolean, `8s` a string or bytes
   * with room for eight, `x` null.
   */
  get format(): string {
    const letters: string[] = [];
    for (let i = 0; i < this.length; i++) {
      const value = this.at(i);
      if (value === null) letters.push('x');
      else if (typeof value === 'number') letters.push('d');
      else if (typeof value === 'bigint') letters.push('q');
      else if (typeof value === 'boolean') letters.push('?');
      else letters.push(`${this.#capacities[i]}s`);
    }
    return letters.join('');
  }

  /** How many elements equal `value`, in type and value; bytes by their contents. O(length). */
  count(value: ShareableValue): number {
    let count = 0;
    for (let i = 0; i < this.length; i++) if (isSame(this.at(i), value)) count++;
    return count;
  }

  /** The first index of an element equal to `value`; -1 if there is none. O(length). */
  indexOf(value: ShareableValue): number {
    for (let i = 0; i < this.length; i++) if (isSame(this.at(i), value)) return i;
    return -1;
  }
}
