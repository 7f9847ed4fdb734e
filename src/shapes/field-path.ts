/**
 * Where in a value something stands, for messages: `.at.m[3]`, or empty for the value itself. It becomes text only when there is a
 * message: to make one for each element of an array takes longer than to store it.
 */
export type FieldPath = string | ItemPath;

/** The element of an array that is being written. */
export class ItemPath {
  index = 0;
  readonly #array: FieldPath;

  constructor(array: FieldPath) {
    this.#array = array;
  }

  toString(): string {
    return `${this.#array}[${this.index}]`;
  }
}

/** The field as messages name it. */
export function fieldAt(path: FieldPath): string {
  return path === '' ? 'The struct' : `Field '${String(path).slice(1)}'`;
}
