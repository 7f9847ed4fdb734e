/** The elements of values and arrays inside one thread, as plainly as they can be written. */

import { InterprocError, invalidArgument } from '../../src/errors.js';
import type { CellOperation, Cells, CellType, TypedCells } from '../../src/contract/state.js';
import { SCALAR_TYPES } from '../../src/shapes/scalar-types.js';
import type { ScalarType } from '../../src/shapes/scalar-types.js';

/** What the cells of one name share. */
export class SharedCells {
  changes = 0;
  version = 0n;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {}
}

export interface CellKeeper {
  /** @throws ERR_CLOSED */
  enter(): void;
  /** Rings everybody for whom it is worth looking. */
  changed(): void;
}

export class MemoryCells implements Cells {
  /** This backend shows nobody its bytes. */
  readonly watch = undefined;
  readonly #shared: SharedCells;
  readonly #keeper: CellKeeper;
  #seen = 0;

  constructor(shared: SharedCells, keeper: CellKeeper) {
    this.#shared = shared;
    this.#keeper = keeper;
  }

  get isWorthALook(): boolean {
    return this.#shared.changes !== this.#seen;
  }

  ofType(type: CellType): TypedCells {
    const scalar: ScalarType = SCALAR_TYPES[type];
    return {
      operate: (operation, byteOffset, value, expected) => {
        this.#keeper.enter();
        const { bytes } = this.#shared;
        if (byteOffset < 0 || byteOffset + scalar.byteLength > bytes.length) {
          throw invalidArgument('The offset', 'that of an element', byteOffset);
        }
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        const previous = scalar.read(view, byteOffset) as number;
        const next = result(scalar, operation, previous, value as number, expected as number);
        if (next !== undefined) scalar.write(view, byteOffset, next, 'it');
        if (operation !== 'load' && operation !== 'store') this.notify();
        return previous;
      },
    };
  }

  beforeLook(): void {
    this.#keeper.enter();
    this.#seen = this.#shared.changes;
  }

  notify(): void {
    this.#keeper.enter();
    this.#shared.changes++;
    this.#keeper.changed();
  }

  readWhole(into: Uint8Array): bigint {
    this.#keeper.enter();
    into.set(this.#shared.bytes.subarray(0, into.length));
    return this.#shared.version;
  }

  writeWhole(from: Uint8Array, expected: bigint | undefined): boolean {
    this.#keeper.enter();
    if (expected !== undefined && expected !== this.#shared.version) return false;
    this.#shared.bytes.set(from);
    this.#shared.version++;
    return true;
  }
}

/** What is stored; undefined: nothing. */
function result(
  { kind, name }: ScalarType,
  operation: CellOperation,
  there: number,
  value: number,
  expected: number,
): number | undefined {
  switch (operation) {
    case 'load':
      return undefined;
    case 'store':
    case 'exchange':
      return value;
    case 'add':
      return there + value;
    case 'sub':
      return there - value;
    case 'compareExchange':
      return Object.is(there, expected) ? value : undefined;
    default:
      if (kind === 'float') throw new InterprocError('ERR_UNSUPPORTED', `bits of a ${name}`);
      if (operation === 'and') return there & value;
      return operation === 'or' ? there | value : there ^ value;
  }
}
