import { InterprocError, invalidArgument } from '../../../errors.js';
import { JOIN } from '../../../contract/channel.js';
import type { CellOperation, Cells, CellType, TypedCells } from '../../../contract/state.js';
import { CELL_ACCESSES } from '../cell-access.js';
import type { CellAccess } from '../cell-access.js';
import type { Side } from '../../../contract/shared-object.js';
import type { Body, FrameWriter } from '../frames.js';
import {
  CELL_OPERATIONS,
  NOTIFY_CHANGE,
  OPERATE,
  READ_WHOLE,
  WRITE_WHOLE,
} from '../state-operations.js';
import type { RemotePart, StateCalls } from './state-calls.js';
import type { StateFileReader } from './state-file-reader.js';

type Element = number | bigint;

const OPERAND_BYTES = 8;

/** What is on its way: as many operands as the operation has. */
const operands = new Uint8Array(2 * OPERAND_BYTES);
const operandView = new DataView(operands.buffer);
const oneOperand = operands.subarray(0, OPERAND_BYTES);
const noOperand = operands.subarray(0, 0);

class RemoteTypedCells implements TypedCells {
  readonly #calls: StateCalls;
  readonly #cells: RemoteCells;
  readonly #access: CellAccess;
  readonly #code: number;
  readonly #last: number;

  constructor(calls: StateCalls, cells: RemoteCells, type: CellType, byteLength: number) {
    this.#calls = calls;
    this.#cells = cells;
    this.#code = CELL_ACCESSES.findIndex((access) => access.type === type);
    this.#access = CELL_ACCESSES[this.#code] as CellAccess;
    this.#last = byteLength - this.#access.byteLength;
  }

  operate(
    operation: CellOperation,
    byteOffset: number,
    value?: Element,
    expected?: Element,
  ): Element {
    this.#check(operation, byteOffset);
    if (operation === 'load') {
      const found = this.#loadFromFile(byteOffset);
      if (found !== undefined) return found;
    }
    this.#calls
      .request(OPERATE)
      .u8(CELL_OPERATIONS.indexOf(operation))
      .u8(this.#code)
      .u32(byteOffset)
      .rest(this.#operands(value, expected));
    const reply = this.#calls.ask();
    // Who stores has not looked.
    if (operation === 'store') return value as Element;
    this.#cells.saw(reply.u32());
    oneOperand.set(reply.rest().subarray(0, OPERAND_BYTES));
    return this.#access.get(operandView, 0);
  }

  #loadFromFile(byteOffset: number): Element | undefined {
    const file = this.#cells.fileForLook();
    if (file === undefined) return undefined;
    const at = file.locate(byteOffset);
    return at < 0 ? undefined : this.#access.get(file.view, at);
  }

  #operands(value: Element | undefined, expected: Element | undefined): Uint8Array {
    if (value === undefined) return noOperand;
    this.#access.set(operandView, 0, value);
    if (expected === undefined) return oneOperand;
    this.#access.set(operandView, OPERAND_BYTES, expected);
    return operands;
  }

  #check(operation: CellOperation, byteOffset: number): void {
    const { type, byteLength, isFloat } = this.#access;
    if (isFloat && (operation === 'and' || operation === 'or' || operation === 'xor')) {
      throw new InterprocError('ERR_UNSUPPORTED', `A ${type} has no operation '${operation}'`);
    }
    if (byteOffset >= 0 && byteOffset <= this.#last && byteOffset % byteLength === 0) return;
    throw invalidArgument('The offset', `that of an element of '${this.#calls.name}'`, byteOffset);
  }
}

/** What a value or an array behind a hub has beyond its bytes: every change goes by the hub, which tells those who wait. */
export class RemoteCells implements Cells, RemotePart {
  readonly sides: readonly Side[] = [JOIN];
  /** JavaScript sees no bytes. */
  readonly watch = undefined;
  readonly #calls: StateCalls;
  readonly #byteLength: number;
  /** The changes there had been at the first look after `beforeLook`. */
  #seen: number | undefined;
  /** Somebody is about to wait: the next look must learn how many there have been. */
  #mustSee = false;

  constructor(calls: StateCalls, byteLength: number) {
    this.#calls = calls;
    this.#byteLength = byteLength;
  }

  ofType(type: CellType): TypedCells {
    return new RemoteTypedCells(this.#calls, this, type, this.#byteLength);
  }

  beforeLook(): void {
    this.#calls.assertOpen();
    this.#seen = undefined;
    this.#mustSee = true;
  }

  /** What a look found came after so many changes. */
  saw(changes: number): void {
    this.#seen ??= changes;
    this.#mustSee = false;
  }

  /** undefined: ask. */
  fileForLook(): StateFileReader | undefined {
    return this.#mustSee ? undefined : this.#calls.file();
  }

  notify(): void {
    this.#calls.word(NOTIFY_CHANGE);
    this.#calls.tell();
  }

  readWhole(into: Uint8Array): bigint {
    const version = this.fileForLook()?.readWhole(into);
    if (version !== undefined) return version;
    return this.#askWhole(into);
  }

  #askWhole(into: Uint8Array): bigint {
    this.#calls.request(READ_WHOLE).u32(into.length);
    const reply = this.#calls.ask();
    this.saw(reply.u32());
    const version = reply.u64();
    into.set(reply.rest());
    return version;
  }

  writeWhole(from: Uint8Array, expected: bigint | undefined): boolean {
    this.#calls
      .request(WRITE_WHOLE)
      .bool(expected !== undefined)
      .u64(expected ?? 0n);
    return this.#calls.ask(from).bool();
  }

  sayWaiting(word: FrameWriter): void {
    word.bool(this.#seen !== undefined).u32(this.#seen ?? 0);
  }

  heard(_body: Body): void {}
}
