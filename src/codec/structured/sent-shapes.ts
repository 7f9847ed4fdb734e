import { hashOf, keyBlockOf, SHAPE_KEYS } from './key-block.js';

/** How many steps from key to key are remembered, before all are forgotten. */
const STEPS = 4096;

/** A sequence of keys that an object was sent with, and its bytes. */
export class SentShape {
  readonly keys: readonly string[];
  /** Undefined if the keys go one by one. */
  readonly words: Int32Array | undefined;
  readonly hash: number;
  /** Without keys, or with an index as the first: as what looks like a plain object and is none. */
  readonly mayBeOther: boolean;
  /** The message that has the block already, and where among its blocks. */
  message = -1;
  place = 0;

  constructor(keys: readonly string[]) {
    this.keys = keys;
    this.mayBeOther = keys[0] === undefined || /^\d/.test(keys[0]);
    this.words = keyBlockOf(keys);
    this.hash = this.words === undefined ? 0 : hashOf(this.words);
  }
}

/** Where one is after some keys of an object, in a tree of all sequences of keys met so far. */
export class KeyStep {
  /** How many keys lead here. */
  readonly depth: number;
  /** The key that came next the last time, and where it led: mostly it comes again. */
  nextKey: string | undefined;
  next: KeyStep | undefined;
  /** And the time before: objects in lists often alternate with those in them. */
  otherKey: string | undefined;
  other: KeyStep | undefined;
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

export class SentShapes {
  root = new KeyStep(0);
  #steps = 0;

  /** Where `key` leads from `step`. */
  step(step: KeyStep, key: string): KeyStep {
    return step.nextKey === key && step.next !== undefined ? step.next : this.#turn(step, key);
  }

  /** Another way than the last time. */
  #turn(step: KeyStep, key: string): KeyStep {
    if (step.depth >= SHAPE_KEYS) return TOO_MANY;
    let next = step.otherKey === key ? step.other : step.known(key);
    if (next === undefined) {
      if (this.#steps === STEPS) {
        // Whoever is under way goes on in what is forgotten.
        this.root = new KeyStep(0);
        this.#steps = 0;
      }
      next = step.add(key);
      this.#steps++;
    }
    step.otherKey = step.nextKey;
    step.other = step.next;
    step.nextKey = key;
    step.next = next;
    return next;
  }
}
