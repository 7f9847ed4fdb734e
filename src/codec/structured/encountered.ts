/** Up to so many objects a loop is cheaper than a call of `indexOf`. */
const FEW = 8;
/**
 * Up to so many objects `indexOf`, 24 ns for 64 of them and 45 for 128, is cheaper than a Set, which takes 20 to 37 for each:
 * it has to give each new object a hash, and to grow.
 */
const SEVERAL = 96;

/** The objects of a message by their numbers. */
export class Encountered {
  #count = 0;
  readonly #few: Array<object | undefined> = Array.from<undefined>({ length: FEW });
  /** More than a few: all of them, in the order of their numbers. */
  #several: object[] | undefined;
  /** More than several: all of them, in the same order. */
  #many: Set<object> | undefined;
  /** Their numbers, from the first of many that is met twice on. */
  #numbers: Map<object, number> | undefined;

  /** The number of an object that was met before; -1 for one that was not, which has the next number now. */
  meet(object: object): number {
    const count = this.#count;
    if (count >= FEW) return this.#meetAmongMore(object);
    const few = this.#few;
    for (let i = 0; i < count; i++) {
      if (few[i] === object) return i;
    }
    few[count] = object;
    this.#count = count + 1;
    return -1;
  }

  #meetAmongMore(object: object): number {
    if (this.#many !== undefined) return this.#meetAmongMany(object, this.#many);
    const several = (this.#several ??= this.#few.slice() as object[]);
    const number = several.indexOf(object);
    if (number >= 0) return number;
    this.#count = several.push(object);
    if (this.#count === SEVERAL) this.#many = new Set(several);
    return -1;
  }

  #meetAmongMany(object: object, many: Set<object>): number {
    const count = this.#count;
    // One operation where has and add would be two.
    if (many.add(object).size > count) {
      this.#count = count + 1;
      this.#numbers?.set(object, count);
      return -1;
    }
    this.#numbers ??= new Map(Array.from(many, (known, number) => [known, number]));
    return this.#numbers.get(object) as number;
  }

  /** Keeps nothing alive. */
  clear(): void {
    const used = Math.min(this.#count, FEW);
    for (let i = 0; i < used; i++) this.#few[i] = undefined;
    this.#count = 0;
    this.#several = undefined;
    this.#many = undefined;
    this.#numbers = undefined;
  }
}
