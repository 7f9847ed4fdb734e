import { InterprocError, invalidArgument } from '../../errors.js';
import type { CellOperation, Cells, CellType, TypedCells } from '../../contract/state.js';
import type { Addon } from './addon.js';
import { statusError } from './failures.js';
import type { NativeObject } from './native-object.js';

const WORD_BYTES = 8;
/** Words of `operands`. */
const VALUE = 0;
const EXPECTED = 1;
const PREVIOUS = 2;

const VIEWS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const satisfies Record<CellType, unknown>;
const CELL_TYPES = Object.keys(VIEWS).length;

/** Another process is in the middle of a write, and perhaps stopped there: this thread looks again so often. */
const PAUSE_MS = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));

class NativeTypedCells implements TypedCells {
  readonly #addon: Addon;
  readonly #object: NativeObject;
  readonly #type: CellType;
  readonly #operands: Record<number, number | bigint>;
  readonly #perWord: number;

  constructor(addon: Addon, object: NativeObject, type: CellType) {
    const View = VIEWS[type];
    this.#addon = addon;
    this.#object = object;
    this.#type = type;
    this.#operands = new View(addon.operands.buffer as ArrayBuffer);
    this.#perWord = WORD_BYTES / View.BYTES_PER_ELEMENT;
  }

  operate(
    operation: CellOperation,
    byteOffset: number,
    value?: number | bigint,
    expected?: number | bigint,
  ): number | bigint {
    const { cellOperations, cellTypes } = this.#addon.constants;
    const operands = this.#operands;
    if (value !== undefined) operands[VALUE * this.#perWord] = value;
    if (expected !== undefined) operands[EXPECTED * this.#perWord] = expected;
    const code = cellOperations[operation] * CELL_TYPES + cellTypes[this.#type];
    const status = this.#addon.operateCell(this.#object.token, code, byteOffset);
    if (status !== 0) this.#refuse(status, operation, byteOffset);
    return operands[PREVIOUS * this.#perWord] as number | bigint;
  }

  #refuse(status: number, operation: CellOperation, byteOffset: number): never {
    const { constants } = this.#addon;
    if (status !== -constants.argument) throw statusError(constants, -status, this.#object.name);
    if (operation === 'and' || operation === 'or' || operation === 'xor') {
      throw new InterprocError(
        'ERR_UNSUPPORTED',
        `A ${this.#type} has no operation '${operation}'`,
      );
    }
    throw invalidArgument('The offset', `that of an element of '${this.#object.name}'`, byteOffset);
  }
}

/** What a native value or array has beyond its bytes. */
export class NativeCells implements Cells {
  readonly watch: Uint32Array | undefined;
  readonly #addon: Addon;
  readonly #object: NativeObject;

  /** `isMapped`: JavaScript sees the bytes, and is to see the word that goes with them. */
  constructor(addon: Addon, object: NativeObject, isMapped: boolean) {
    this.#addon = addon;
    this.#object = object;
    const buffer = isMapped ? addon.watchBuffer(object.token) : undefined;
    this.watch = buffer && new Uint32Array(buffer);
  }

  ofType(type: CellType): TypedCells {
    return new NativeTypedCells(this.#addon, this.#object, type);
  }

  beforeLook(): void {
    this.#check(this.#addon.watchCells(this.#object.token));
  }

  notify(): void {
    this.#check(this.#addon.notifyCells(this.#object.token));
  }

  readWhole(into: Uint8Array): bigint {
    this.#check(this.#addon.readWhole(this.#object.token, into));
    return this.#addon.operands[0] as bigint;
  }

  writeWhole(from: Uint8Array, expected: bigint | undefined): boolean {
    for (;;) {
      const status = this.#tryWriteWhole(from, expected);
      if (status === 0) return true;
      if (status === -this.#addon.constants.full) return false;
      if (status !== -this.#addon.constants.busy) this.#check(status);
      Atomics.wait(pause, 0, 0, PAUSE_MS);
    }
  }

  // A function of its own, where V8 can end the thread.
  #tryWriteWhole(from: Uint8Array, expected: bigint | undefined): number {
    if (expected !== undefined) this.#addon.operands[0] = expected;
    return this.#addon.writeWhole(this.#object.token, from, expected === undefined ? 0 : 1);
  }

  #check(status: number): void {
    if (status !== 0) throw statusError(this.#addon.constants, -status, this.#object.name);
  }
}
