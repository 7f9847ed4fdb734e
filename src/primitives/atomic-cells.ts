import { InterprocError, invalidArgument } from '../errors.js';
import type { CellOperation, Cells, CellType, State, TypedCells } from '../contract/state.js';
import type { Element, ElementArray, ScalarKind, ScalarType } from '../shapes/scalar-types.js';

const CALCULATIONS: Readonly<Record<ScalarKind, readonly CellOperation[]>> = {
  integer: ['add', 'sub', 'and', 'or', 'xor'],
  bigint: ['add', 'sub', 'and', 'or', 'xor'],
  float: ['add', 'sub'],
  bool: ['and', 'or', 'xor'],
  char: [],
};

const WATCHED = 1;

/** Those that JavaScript's Atomics take. */
type AtomicArray = Int32Array;

function cellTypeOf<T>({ name }: ScalarType<T>): CellType {
  return name === 'bool' || name === 'char' ? 'uint8' : name;
}

/** Two elements that no exchange could tell apart. */
function isSame(a: Element, b: Element): boolean {
  return Object.is(a, b);
}

/**
 * The elements of a value or an array, as values of their type: by JavaScript's Atomics where it sees the bytes and
 * they are integers, else by calls of the backend. What changes them atomically tells those who wait.
 */
export class AtomicCells<T> {
  readonly type: ScalarType<T>;
  /** Over the bytes, where JavaScript sees them. */
  readonly elements: ElementArray | undefined;
  readonly cells: Cells;
  readonly #typed: TypedCells;
  /** For JavaScript's Atomics; typed as one of those that they take. */
  readonly #atomic: AtomicArray | undefined;
  readonly #watch: Uint32Array | undefined;
  /** As messages name it: "Value 'n'". */
  readonly #what: string;
  readonly #size: number;

  constructor(state: State, type: ScalarType<T>, what: string) {
    const { buffer, geometry } = state;
    this.cells = cellsOf(state);
    this.type = type;
    this.elements =
      buffer && new type.TypedArray(buffer, 0, Math.floor(geometry.byteLength / type.byteLength));
    this.#typed = this.cells.ofType(cellTypeOf(type));
    this.#watch = this.cells.watch;
    this.#atomic = type.kind === 'float' ? undefined : (this.elements as AtomicArray | undefined);
    this.#what = what;
    this.#size = type.byteLength;
  }

  read(index: number): T {
    const { elements, type } = this;
    if (elements !== undefined) return type.fromElement(elements[index] as Element);
    return type.fromElement(this.#typed.operate('load', index * this.#size));
  }

  write(index: number, value: unknown): void {
    const { elements, type } = this;
    const element = type.toElement(value, this.#what);
    if (elements !== undefined) elements[index] = element;
    else this.#typed.operate('store', index * this.#size, element);
  }

  calculate(operation: CellOperation, index: number, operand: unknown): T {
    const { type } = this;
    const atomic = this.#atomic;
    if (type.kind === 'integer' && atomic !== undefined && Number.isInteger(operand)) {
      // The short way; JavaScript's Atomics wrap.
      const previous = atomically(operation, atomic, index, operand as number);
      this.#changed();
      return previous as T;
    }
    const element = type.toElement(operand, operation);
    if (!CALCULATIONS[type.kind].includes(operation)) this.#refuse(operation);
    return type.fromElement(this.#step(operation, index, element));
  }

  exchange(index: number, value: unknown): T {
    const { type } = this;
    const element = type.toElement(value, 'exchange');
    return type.fromElement(this.#step('exchange', index, element));
  }

  compareExchange(index: number, expected: unknown, replacement: unknown): T {
    const { type } = this;
    const from = type.toElement(expected, 'compareExchange: the expected value');
    const to = type.toElement(replacement, 'compareExchange: the replacement');
    return type.fromElement(this.#replace(index, from, to));
  }

  /** `assertOpen`: `change` may have closed the handle. */
  update(index: number, change: (value: T) => unknown, assertOpen: () => void): T {
    if (typeof change !== 'function') {
      throw invalidArgument('update', 'a function of the value, such as (v) => v * 2', change);
    }
    const { type } = this;
    let seen = this.#load(index);
    for (;;) {
      const value = type.fromElement(seen);
      const next = type.toElement(change(value), 'What update() was given to store');
      assertOpen();
      const there = this.#replace(index, seen, next);
      if (isSame(there, seen)) return value;
      seen = there;
    }
  }

  #load(index: number): Element {
    const atomic = this.#atomic;
    if (atomic !== undefined) return Atomics.load(atomic, index);
    return this.#typed.operate('load', index * this.#size);
  }

  #step(operation: CellOperation, index: number, value: Element): Element {
    const atomic = this.#atomic;
    if (atomic === undefined) {
      return this.#typed.operate(operation, index * this.#size, value);
    }
    const previous = atomically(operation, atomic, index, value as number);
    this.#changed();
    return previous;
  }

  #replace(index: number, expected: Element, replacement: Element): Element {
    const atomic = this.#atomic;
    if (atomic === undefined) {
      return this.#typed.operate('compareExchange', index * this.#size, replacement, expected);
    }
    const there = Atomics.compareExchange(atomic, index, expected as number, replacement as number);
    this.#changed();
    return there;
  }

  #changed(): void {
    if ((Atomics.load(this.#watch as Uint32Array, 0) & WATCHED) !== 0) this.cells.notify();
  }

  #refuse(operation: string): never {
    const { name, kind } = this.type;
    const has = [...CALCULATIONS[kind], 'exchange', 'compareExchange', 'update'].join(', ');
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `${this.#what}: a ${name} has no operation '${operation}'; it has ${has}`,
    );
  }
}

function atomically(
  operation: CellOperation,
  elements: AtomicArray,
  index: number,
  value: number,
): number {
  switch (operation) {
    case 'add':
      return Atomics.add(elements, index, value);
    case 'sub':
      return Atomics.sub(elements, index, value);
    case 'and':
      return Atomics.and(elements, index, value);
    case 'or':
      return Atomics.or(elements, index, value);
    case 'xor':
      return Atomics.xor(elements, index, value);
    default:
      return Atomics.exchange(elements, index, value);
  }
}

/** @throws ERR_UNSUPPORTED if the backend has no such objects */
export function cellsOf(state: State): Cells {
  if (state.cells !== undefined) return state.cells;
  throw new InterprocError(
    'ERR_UNSUPPORTED',
    `The backend of '${state.name}' has no operations on its elements`,
  );
}
