import { areOrdinary, COMPILE_AFTER } from './generated-code.js';
import { hashOf, keyBlockOf, SHAPE_KEYS } from './key-block.js';
import { compileWriter } from './shape-writer.js';
import type { ShapeWriter } from './shape-writer.js';

/** How many steps from key to key are remembered, before all are forgotten. */
const STEPS = 4096;

const isOwn = Object.prototype.hasOwnProperty;

/** A sequence of keys that an object was sent with, and its bytes. */
export class SentShape {
  readonly keys: readonly string[];
  /** Undefined if the keys go one by one. */
  readonly words: Int32Array | undefined;
  readonly hash: number;
  /** Without keys, or with an index as the first: as what looks like a plain object and is none. */
  readonly mayBeOther: boolean;
  /** Whether what an object has of these keys is its own. */
  readonly areOrdinary: boolean;
  /** The message that has the block already, and where among its blocks. */
  message = -1;
  place = 0;
  /** The shape of the object that was met after the last one of this: mostly it comes again. */
  follower: SentShape | undefined;
  /** What writes the values of its objects, once they are many. */
  writer: ShapeWriter | undefined;
  #uses = 0;

  constructor(keys: readonly string[]) {
    this.keys = keys;
    this.mayBeOther = keys[0] === undefined || /^\d/.test(keys[0]);
    this.areOrdinary = areOrdinary(keys);
    this.words = keyBlockOf(keys);
    this.hash = this.words === undefined ? 0 : hashOf(this.words);
  }

  /** An object is to be written without a writer. */
  count(object: object): void {
    if (++this.#uses === COMPILE_AFTER && this.areOrdinary) {
      this.writer = compileWriter(this.keys, object);
    }
  }
}

/** Where one is after some keys of an object, in a tree of all sequences of keys met so far. */
export class KeyStep {
  /** How many keys lead here. */
  readonly depth: number;
  /** The key that came next the last time, and where it led: mostly it comes again. */
  nextKey: string | undefined;
  next: KeyStep | undefined;
  /** Of an object that has no more keys. */
  shape: SentShape | undefined;
  #others: Map<string, KeyStep> | undefined;

  constructor(depth: number) {
    this.depth = depth;
  }

  /** Remembers the shape of an object that has these keys and no more. */
  learn(keys: readonly string[]): SentShape {
    this.shape = new SentShape(keys);
    return this.shape;
  }

  /** Where `key` leads if it did so before. */
  known(key: string): KeyStep | undefined {
    return this.#others?.get(key);
  }

  add(key: string): KeyStep {
    const step = new KeyStep(this.depth + 1);
    if (this.next !== undefined) {
      this.#others ??= new Map([[this.nextKey as string, this.next]]);
      this.#others.set(key, step);
    }
    return step;
  }
}

/** Too many keys: all lead here. */
export const TOO_MANY = new KeyStep(SHAPE_KEYS + 1);

/** Whether an object has these keys and no others, in this order. */
export function hasKeys(object: object, keys: readonly string[]): boolean {
  let count = 0;
  for (const key in object) {
    if (!isOwn.call(object, key)) continue;
    if (key !== keys[count]) return false;
    count++;
  }
  return count === keys.length;
}

export class SentShapes {
  root = new KeyStep(0);
  #steps = 0;

  /** The shape of an object by its keys; undefined if they are too many. */
  of(object: object): SentShape | undefined {
    let step = this.root;
    for (const key in object) {
      if (isOwn.call(object, key)) step = this.step(step, key);
    }
    if (step === TOO_MANY) return undefined;
    return step.shape ?? step.learn(Object.keys(object));
  }

  /** Where `key` leads from `step`. */
  step(step: KeyStep, key: string): KeyStep {
    return step.nextKey === key && step.next !== undefined ? step.next : this.#turn(step, key);
  }

  /** Another way than the last time. */
  #turn(step: KeyStep, key: string): KeyStep {
    if (step.depth >= SHAPE_KEYS) return TOO_MANY;
    let next = step.known(key);
    if (next === undefined) {
      if (this.#steps === STEPS) {
        // Whoever is under way goes on in what is forgotten.
        this.root = new KeyStep(0);
        this.#steps = 0;
      }
      next = step.add(key);
      this.#steps++;
    }
    step.nextKey = key;
    step.next = next;
    return next;
  }
}
