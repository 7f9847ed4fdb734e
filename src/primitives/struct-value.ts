import { invalidArgument } from '../errors.js';
import { wholeBytes } from '../contract/state.js';
import type { Cells, State } from '../contract/state.js';
import { shapeOf } from '../shapes/struct.js';
import type { StructMemory, StructType } from '../shapes/struct.js';
import { cellsOf } from './atomic-cells.js';
import { noViews } from './lacking.js';
import { Value } from './value.js';
import type { Assignable } from './value.js';

type Shape = ReturnType<typeof shapeOf>;

/** A value that is a struct: read and written whole, by copies of it. */
export class StructValue<T, Live> extends Value<T, Live> {
  readonly type: StructType<T, Live>;
  readonly #shape: Shape;
  readonly #cells: Cells;
  readonly #memory: StructMemory | undefined;
  /** Private copies: of what is read, and of what is about to be written. */
  readonly #in: Uint8Array;
  readonly #view: DataView;
  readonly #out: Uint8Array;
  #live: Live | undefined;

  constructor(state: State, type: StructType<T, Live>) {
    super(state);
    const bytes = wholeBytes(type.byteLength);
    this.type = type;
    this.#shape = shapeOf(type as StructType<unknown, unknown>);
    this.#cells = cellsOf(state);
    this.#memory = state.buffer;
    this.#in = new Uint8Array(bytes);
    this.#view = new DataView(this.#in.buffer);
    this.#out = new Uint8Array(bytes);
  }

  get value(): T {
    this.assertOpen();
    this.#cells.readWhole(this.#in);
    return this.#shape.read(this.#view, 0) as T;
  }

  set value(value: Assignable<T>) {
    this.assertOpen();
    this.#write(value, undefined);
  }

  get view(): Live {
    this.assertOpen();
    if (this.#memory === undefined) {
      throw noViews('view', this.name, 'use value and update()');
    }
    return (this.#live ??= this.type.view(this.#memory));
  }

  add(): never {
    throw this.#noNumber('add');
  }

  sub(): never {
    throw this.#noNumber('sub');
  }

  and(): never {
    throw this.#noNumber('and');
  }

  or(): never {
    throw this.#noNumber('or');
  }

  xor(): never {
    throw this.#noNumber('xor');
  }

  compareExchange(): never {
    throw this.#noNumber('compareExchange');
  }

  exchange(value: Assignable<T>): T {
    return this.update(() => value);
  }

  update(change: (value: T) => Assignable<T>): T {
    this.assertOpen();
    if (typeof change !== 'function') {
      throw invalidArgument('update', 'a function of the value', change);
    }
    for (;;) {
      const version = this.#cells.readWhole(this.#in);
      const before = this.#shape.read(this.#view, 0) as T;
      const next = change(before);
      // It may have closed this handle.
      this.assertOpen();
      if (!this.#write(next, version)) continue;
      this.#cells.notify();
      return before;
    }
  }

  #write(value: unknown, expected: bigint | undefined): boolean {
    // Getters of the caller's run in here, before anything is begun.
    this.#out.set(this.#shape.pack(value as never));
    this.assertOpen();
    return this.#cells.writeWhole(this.#out, expected);
  }

  #noNumber(operation: string): unknown {
    this.assertOpen();
    return this.unsupported(`a struct has no operation '${operation}'`, 'use update()');
  }
}
