import { inspect } from 'node:util';
import type { InspectOptionsStylized } from 'node:util';

import { InterprocError } from '../errors.js';
import type { State } from '../contract/state.js';
import { SlotList } from '../shapes/slot-list.js';
import type { Distant, ShareableValue } from '../shapes/slot-list.js';
import { letTravel } from './passengers.js';
import { StateHandle } from './state-handle.js';

/** What stands in front of the tickets of lists. */
export const LIST_TRAVELS_AS = 'list';

/** A list as a backend opened it. */
export class OpenedList {
  readonly slots: SlotList;

  /** Closes the state if there is no list in it. @throws ERR_CORRUPT */
  constructor(readonly state: State) {
    try {
      this.slots = slotsOf(state);
    } catch (error) {
      state.close();
      throw error;
    }
  }
}

function slotsOf(state: State): SlotList {
  const { buffer, geometry } = state;
  const slots =
    buffer === undefined
      ? distantSlotsOf(state, new Uint8Array(geometry.byteLength))
      : new SlotList(new Uint8Array(buffer));
  if (slots.length === geometry.parameter) return slots;
  throw new InterprocError(
    'ERR_CORRUPT',
    `ShareableList '${state.name}' was made of ${geometry.parameter} elements, and says that it has ${slots.length}`,
  );
}

/** `bytes` are the list as it was last seen: each look and each change is about those of one element. */
function distantSlotsOf(state: State, bytes: Uint8Array): SlotList {
  const distant: Distant = {
    fetch: (offset, length) => state.read(offset, bytes.subarray(offset, offset + length)),
    store: (offset, length) => state.write(offset, bytes.subarray(offset, offset + length)),
  };
  return new SlotList(bytes, distant);
}

// Numbers that are no index, too: an element that is not there must not become a property.
const NUMBER = /^-?[0-9]/;

let slotsIn: (object: object) => SlotList | undefined;
let stateOf: (object: object) => State | undefined;

/**
 * What stands behind the methods in the chain of prototypes: a property that is none of theirs is an index. An accessor for each
 * element would cost 280 bytes and 5 us of every open.
 */
const indexed: ProxyHandler<object> = {
  get(target, key, receiver) {
    if (typeof key !== 'string' || !NUMBER.test(key)) return Reflect.get(target, key, receiver);
    return slotsIn(receiver as object)?.at(Number(key));
  },
  set(target, key, value, receiver) {
    if (typeof key !== 'string' || !NUMBER.test(key)) {
      return Reflect.set(target, key, value, receiver);
    }
    slotsIn(receiver as object)?.set(Number(key), value as ShareableValue);
    return true;
  },
};

/**
 * A list of values that processes share, as Python's `ShareableList`: numbers, bigints of 64 bits, booleans, strings, bytes and null. Its length
 * is fixed. Each element can be replaced, also by one of another type.
 *
 * *Room.* A string (UTF-8) or a Uint8Array gets the next multiple of eight bytes, and at least one byte more than it needs; everything else
 * gets eight. What replaces it must fit into that. Unlike Python's list it keeps zeroes at the end of strings and bytes, and
 * characters of several bytes.
 *
 * *Access.* `list[i]` is `list.get(i)`, and undefined where there is nothing; `list[i] = v` is `list.set(i, v)`. As in Python, -1 is the last
 * element. Numbers are float64 all of them: 64-bit integers are bigints, as Python's `int` and `float`.
 *
 * *Others.* An element is no atomic: one that another process replaces while it is read may be neither the old nor the new one, or
 * ERR_CORRUPT, and stays so if that process is killed in the middle. Let all who change it hold one lock.
 *
 * Every method throws ERR_CLOSED after `close()`, but for `name`, `length` and `close`.
 *
 * @example
 * ```ts
 * import { ShareableList } from 'interproc';
 *
 * const list = ShareableList.create('settings', ['höher\0', 273.15, 42n, true, null]);
 * const same = ShareableList.open('settings'); // in another process, say
 * same.toArray(); // => [ 'höher\x00', 273.15, 42n, true, null ]
 * same[4] = 'eight by';
 * list[-1]; // => 'eight by'
 * list.get(1); // => 273.15
 * list.indexOf(42n); // => 2
 * list.format; // => '8sdq?8s'
 * same.close();
 * list.close(); // the last one out removes it
 * ```
 */
export class ShareableList implements Iterable<ShareableValue> {
  /**
   * The element there, from the end if the index is negative; undefined if there is none. Assigning is `set`.
   * @throws as `get` and `set`
   */
  [index: number]: ShareableValue | undefined;
  readonly #handle: StateHandle;
  readonly #slots: SlotList;

  static {
    slotsIn = (object) => (#slots in object ? object.#open() : undefined);
    stateOf = (object) => (#handle in object ? object.#handle.open() : undefined);
    Object.setPrototypeOf(this.prototype, new Proxy({}, indexed));
  }

  /** Lists are had by `ShareableList.create`, `open`, `openOrCreate`, `openWhenAvailable`, and `new ShareableList(values)` for anonymous ones. */
  protected constructor({ state, slots }: OpenedList) {
    this.#handle = new StateHandle('ShareableList', state);
    this.#slots = slots;
  }

  /** What it is opened by; of an anonymous list, what its file is called. */
  get name(): string {
    return this.#handle.name;
  }

  /** How many elements it has: always as many as at first. */
  get length(): number {
    return this.#slots.length;
  }

  /**
   * The element at `index`, from the end if that is negative. Bytes are a copy.
   *
   * @throws ERR_INVALID_ARG if there is no such element; ERR_CORRUPT if it is no value
   */
  get(index: number): ShareableValue {
    const slots = this.#open();
    const value = slots.at(index);
    if (value === undefined) throw slots.indexError(index);
    return value;
  }

  /**
   * Replaces the element at `index`, from the end if that is negative. If it throws, the old one stays.
   *
   * @throws ERR_TOO_LARGE if the value needs more bytes than the element has room for; ERR_INVALID_ARG if it is none that a list takes, or
   * there is no such element
   */
  set(index: number, value: ShareableValue): void {
    this.#open().set(index, value);
  }

  /** How many elements equal `value`, in type and value; bytes by their contents, and NaN is itself. O(length). @throws ERR_CORRUPT */
  count(value: ShareableValue): number {
    return this.#open().count(value);
  }

  /** The first index of an element equal to `value`, as for `count`; -1 if there is none. O(length). @throws ERR_CORRUPT */
  indexOf(value: ShareableValue): number {
    return this.#open().indexOf(value);
  }

  /**
   * The types of the elements as they are now, as Python's `struct` writes them: `d` a number, `q` a bigint, `?` a boolean, `8s` a string or
   * bytes with room for eight, `x` null. O(length).
   *
   * @throws ERR_CORRUPT
   */
  get format(): string {
    return this.#open().format;
  }

  /** All elements, one after the other as they are then. @throws ERR_CORRUPT */
  toArray(): ShareableValue[] {
    return [...this];
  }

  /** What `JSON.stringify` makes of it, which takes no bigints: an array. */
  toJSON(): ShareableValue[] {
    return this.toArray();
  }

  /** Each element as it is when its turn comes. */
  *[Symbol.iterator](): Generator<ShareableValue, undefined, undefined> {
    this.#handle.assertOpen();
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }

  /** Pending waits of this handle keep the process alive, as of every handle. Nothing of a list waits. */
  ref(): this {
    this.#handle.open().ref();
    return this;
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    this.#handle.open().unref();
    return this;
  }

  /** Lets go; the last one out removes the list, unless it is to persist. Again is nothing. */
  close(): void {
    this.#handle.close();
  }

  /** Removes the name: nobody can open it any more, and those who have it open go on with it. Again is no error. */
  unlink(): void {
    this.#handle.open().unlink();
  }

  /** `using list = ShareableList.open(name)`: closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const what = this.#handle.isClosed
      ? inspect({ length: this.length, closed: true }, options)
      : inspect(this.toArray(), { ...options, depth });
    return `ShareableList ${inspect(this.name, options)} ${what}`;
  }

  /** @throws ERR_CLOSED */
  #open(): SlotList {
    this.#handle.assertOpen();
    return this.#slots;
  }
}

letTravel(LIST_TRAVELS_AS, (object) => stateOf(object));
