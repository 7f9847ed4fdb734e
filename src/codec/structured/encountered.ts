/**
 * Up to so many objects a scan is cheaper than a Map: 20 objects take 18 ns each; 85 with a Map from the 33rd
 * on 50, without one 72.
 */
const FEW = 32;

/** The objects of a message by their numbers. */
export class Encountered {
  #count = 0;
  readonly #few: Array<object | undefined> = Array.from<undefined>({ length: FEW });
  #many: Map<object, number> | undefined;

  /** The number of an object that was met before; -1 for one that was not, which has the next number now. */
  meet(object: object): number {
    const count = this.#count;
    const few = this.#few;
    if (this.#many === undefined) {
      for (let i = 0; i < count; i++) {
        if (few[i] === object) return i;
      }
      this.#count = count + 1;
      if (count < FEW) {
        few[count] = object;
        return -1;
      }
      this.#many = new Map();
      for (let i = 0; i < FEW; i++) this.#many.set(few[i] as object, i);
    } else {
      const known = this.#many.get(object);
      if (known !== undefined) return known;
      this.#count = count + 1;
    }
    this.#many.set(object, count);
    return -1;
  }

  /** Keeps nothing alive. */
  clear(): void {
    const used = Math.min(this.#count, FEW);
    for (let i = 0; i < used; i++) this.#few[i] = undefined;
    this.#count = 0;
    this.#many = undefined;
  }
}
