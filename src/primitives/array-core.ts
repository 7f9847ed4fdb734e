import { invalidArgument } from '../errors.js';
import type { State } from '../contract/state.js';
import { scalarType } from '../shapes/scalar-types.js';
import type { ScalarType } from '../shapes/scalar-types.js';
import { isStruct, shapeOf } from '../shapes/struct.js';
import type { StructType } from '../shapes/struct.js';
import { AtomicCells, cellsOf } from './atomic-cells.js';
import { Watching, CHANGE } from './watching.js';
import { EmbeddedLock } from './embedded-lock.js';
import { StateHandle } from './state-handle.js';

type AnyStruct = StructType<unknown, unknown>;

/** What an array does with its elements: one by one, or many with one access to the memory. */
export interface Elements {
  readonly length: number;
  read(index: number): unknown;
  write(index: number, value: unknown): void;
  /** Those from `from` to before `to`, as they are now: numbers and bigints in a typed array. */
  copyOut(from: number, to: number): unknown[];
  /** Stores them from `from` on. Checked as a whole before the first is stored. @throws ERR_INVALID_ARG */
  copyIn(from: number, values: ArrayLike<unknown>): void;
}

/** Structs, one behind the other. */
class StructElements implements Elements {
  readonly length: number;
  readonly #state: State;
  readonly #size: number;
  readonly #shape: ReturnType<typeof shapeOf>;
  /** Of what is read, where JavaScript does not see the memory; else over the memory. */
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(state: State, struct: AnyStruct) {
    const { buffer, geometry } = state;
    this.#state = state;
    this.#size = struct.byteLength;
    this.#shape = shapeOf(struct);
    this.length = geometry.byteLength / struct.byteLength;
    this.#bytes = buffer === undefined ? new Uint8Array(struct.byteLength) : new Uint8Array(buffer);
    this.#view = new DataView(this.#bytes.buffer);
  }

  read(index: number): unknown {
    const offset = index * this.#size;
    if (this.#state.buffer !== undefined) return this.#shape.read(this.#view, offset);
    this.#state.read(offset, this.#bytes);
    return this.#shape.read(this.#view, 0);
  }

  write(index: number, value: unknown): void {
    const bytes = this.#shape.pack(value as never);
    if (this.#state.buffer !== undefined) this.#bytes.set(bytes, index * this.#size);
    else this.#state.write(index * this.#size, bytes);
  }

  copyOut(from: number, to: number): unknown[] {
    const size = this.#size;
    const bytes = new Uint8Array((to - from) * size);
    if (bytes.length > 0) this.#state.read(from * size, bytes);
    const view = new DataView(bytes.buffer);
    return Array.from({ length: to - from }, (_, i) => this.#shape.read(view, i * size));
  }

  copyIn(from: number, values: ArrayLike<unknown>): void {
    const size = this.#size;
    const bytes = new Uint8Array(values.length * size);
    for (let i = 0; i < values.length; i++) {
      bytes.set(this.#shape.pack(values[i] as never), i * size);
    }
    if (bytes.length > 0) this.#state.write(from * size, bytes);
  }
}

class ScalarElements implements Elements {
  readonly length: number;
  readonly #state: State;
  readonly #cells: AtomicCells<unknown>;
  /** As messages name the array. */
  readonly #what: string;

  constructor(state: State, cells: AtomicCells<unknown>, what: string) {
    this.length = state.geometry.byteLength / cells.type.byteLength;
    this.#state = state;
    this.#cells = cells;
    this.#what = what;
  }

  read(index: number): unknown {
    return this.#cells.read(index);
  }

  write(index: number, value: unknown): void {
    this.#cells.write(index, value);
  }

  copyOut(from: number, to: number): unknown[] {
    const { type } = this.#cells;
    const elements = new type.TypedArray(to - from);
    const bytes = new Uint8Array(elements.buffer as ArrayBuffer);
    if (bytes.length > 0) this.#state.read(from * type.byteLength, bytes);
    if (type.kind !== 'bool' && type.kind !== 'char') return elements as unknown as unknown[];
    return Array.from(elements as Uint8Array, (element) => type.fromElement(element));
  }

  copyIn(from: number, values: ArrayLike<unknown>): void {
    const { type } = this.#cells;
    const elements = new type.TypedArray(values.length);
    for (let i = 0; i < values.length; i++) elements[i] = type.toElement(values[i], this.#what);
    const bytes = new Uint8Array(elements.buffer as ArrayBuffer);
    if (bytes.length > 0) this.#state.write(from * type.byteLength, bytes);
  }
}

/** What is behind a shared array, whatever it looks like in JavaScript. */
export class ArrayCore {
  readonly handle: StateHandle;
  readonly state: State;
  /** Of its elements: a struct, or else `scalar`. */
  readonly struct: AnyStruct | undefined;
  readonly scalar: ScalarType | undefined;
  readonly elements: Elements;
  /** Where the elements have atomic operations. */
  readonly atomics: AtomicCells<unknown> | undefined;
  readonly waits: Watching<object>;
  #lock: EmbeddedLock | undefined;

  /** `array`: what users hold; it may be made later. */
  constructor(state: State, type: ScalarType | AnyStruct, array: () => object) {
    const what = `SharedArray '${state.name}'`;
    this.handle = new StateHandle('SharedArray', state);
    this.state = state;
    if (isStruct(type)) {
      this.struct = type;
      this.elements = new StructElements(state, type);
    } else {
      const scalar = scalarType((type as ScalarType).name) as ScalarType;
      const cells = new AtomicCells<unknown>(state, scalar, what);
      this.scalar = scalar;
      this.atomics = cells;
      this.elements = new ScalarElements(state, cells, what);
    }
    this.waits = new Watching(state, cellsOf(state), { what, read: array });
    state.onReady = (side) => {
      if (side === CHANGE) this.waits.rung();
      else if (side === this.#lock?.side) this.#lock.rung();
    };
  }

  get name(): string {
    return this.state.name;
  }

  /** Of its elements: the name of the scalar type, or the struct. */
  get type(): unknown {
    return this.struct ?? this.scalar?.name;
  }

  /** @throws ERR_CLOSED */
  get lock(): EmbeddedLock {
    this.handle.assertOpen();
    return (this.#lock ??= new EmbeddedLock(this.handle));
  }

  get length(): number {
    return this.handle.isClosed ? 0 : this.elements.length;
  }

  /** @throws ERR_CLOSED; ERR_INVALID_ARG */
  checkIndex(index: unknown): number {
    this.handle.assertOpen();
    const { length } = this.elements;
    if (typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < length) {
      return index;
    }
    throw invalidArgument(
      `SharedArray '${this.name}'`,
      `an index from 0 to ${length - 1}, a whole number`,
      index,
    );
  }

  close(): void {
    if (this.handle.isClosed) return;
    const errorOf = () => this.handle.closedError();
    this.waits.rejectAll(errorOf);
    this.#lock?.rejectAll(errorOf);
    this.handle.close();
  }
}

/** Returns from its constructor what it was given: so a field can be added to any object. */
const AsItIs = function (object: object): object {
  return object;
} as unknown as new (object: object) => object;

/** An array and its core belong together; nobody else can tell. */
class Shared extends AsItIs {
  readonly #core: ArrayCore;

  constructor(array: object, core: ArrayCore) {
    super(array);
    this.#core = core;
  }

  static coreOf(object: object): ArrayCore | undefined {
    return #core in object ? object.#core : undefined;
  }
}

/** Makes an object the shared array of that core. */
export function share(array: object, core: ArrayCore): void {
  new Shared(array, core);
}

/** What is behind a shared array; undefined if `object` is none. */
export function findCore(object: object): ArrayCore | undefined {
  return Shared.coreOf(object);
}

/** The same of the object whose method is called. */
export function coreOf(array: unknown): ArrayCore {
  const core = typeof array === 'object' && array !== null ? Shared.coreOf(array) : undefined;
  if (core !== undefined) return core;
  throw invalidArgument('A method of SharedArray', 'a shared array as this', array);
}
