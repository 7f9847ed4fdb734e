import { JOIN } from '../../../contract/channel.js';
import type { Side } from '../../../contract/shared-object.js';
import type { CellOperation, StateGeometry } from '../../../contract/state.js';
import { CELL_ACCESSES } from '../cell-access.js';
import type { CellAccess } from '../cell-access.js';
import type { Body, FrameWriter } from '../frames.js';
import {
  CELL_OPERATIONS,
  NOTIFY_CHANGE,
  OPERATE,
  READ_BYTES,
  READ_WHOLE,
  STATE_FILE,
  WRITE_BYTES,
  WRITE_WHOLE,
} from '../state-operations.js';
import { layoutOf } from '../state-layout.js';
import { fail } from './fail.js';
import type { StateFile, StateFiles } from './state-files.js';
import type { StatePart, Surroundings, User } from './state-part.js';

type Element = number | bigint;

const OPERAND_BYTES = 8;

/** The bytes of a state, and of values and arrays who waits for them to change. Every change is told. */
export class Cells implements StatePart {
  readonly sides: readonly Side[] = [JOIN];
  readonly #surroundings: Surroundings;
  readonly #geometry: StateGeometry;
  readonly #files: StateFiles | undefined;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Operands, and what was there. */
  readonly #operands = new Uint8Array(2 * OPERAND_BYTES);
  readonly #operandView = new DataView(this.#operands.buffer);
  readonly #previous = new Uint8Array(OPERAND_BYTES);
  readonly #previousView = new DataView(this.#previous.buffer);
  /** The changes that a handle knows of, and has looked at. */
  readonly #seen = new Map<User, number>();
  #changes = 0;
  #version = 0n;
  /** Made when somebody asks for it. */
  #file: StateFile | undefined;

  constructor(
    surroundings: Surroundings,
    bytes: Uint8Array,
    geometry: StateGeometry,
    files: StateFiles | undefined,
  ) {
    this.#surroundings = surroundings;
    this.#geometry = geometry;
    this.#files = files;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  serve(_user: User, operation: number, body: Body, reply: FrameWriter): boolean {
    switch (operation) {
      case OPERATE:
        this.#operate(body, reply);
        return true;
      case READ_BYTES:
        reply.u32(this.#changes).rest(this.#range(body.u32(), body.u32()));
        return true;
      case WRITE_BYTES: {
        const at = body.u32();
        const from = body.rest();
        this.#range(at, from.length).set(from);
        this.#changed(at, from.length);
        return true;
      }
      case READ_WHOLE: {
        const whole = this.#range(0, body.u32());
        reply.u32(this.#changes).u64(this.#version).rest(whole);
        return true;
      }
      case WRITE_WHOLE:
        reply.bool(this.#writeWhole(body.bool(), body.u64(), body.rest()));
        return true;
      case NOTIFY_CHANGE:
        this.#changed(0, 0);
        return true;
      case STATE_FILE:
        reply.text(this.#openFile()?.path ?? '');
        return true;
      default:
        return false;
    }
  }

  #operate(body: Body, reply: FrameWriter): void {
    const operation = CELL_OPERATIONS[body.u8()];
    const access = CELL_ACCESSES[body.u8()];
    const at = body.u32();
    if (operation === undefined || access === undefined) fail('ERR_CORRUPT', 'No such operation');
    this.#range(at, access.byteLength);
    const operands = body.rest();
    if (operands.length > this.#operands.length) fail('ERR_CORRUPT', 'Too many operands');
    this.#operands.set(operands);
    const previous = access.get(this.#view, at);
    access.set(this.#previousView, 0, previous);
    const next = this.#result(operation, access, previous);
    if (next !== undefined) access.set(this.#view, at, next);
    if (operation !== 'load') this.#changed(at, access.byteLength);
    reply.u32(this.#changes).rest(this.#previous);
  }

  /** What is stored; undefined: nothing. */
  #result(operation: CellOperation, access: CellAccess, there: Element): Element | undefined {
    if (operation === 'load') return undefined;
    const value = access.get(this.#operandView, 0);
    if (operation === 'store' || operation === 'exchange') return value;
    if (operation === 'compareExchange') {
      const expected = access.get(this.#operandView, OPERAND_BYTES);
      return Object.is(there, expected) ? value : undefined;
    }
    // Both are numbers, or both bigints; `set` wraps.
    const [a, b] = [there as number, value as number];
    if (operation === 'add') return a + b;
    if (operation === 'sub') return a - b;
    if (access.isFloat) fail('ERR_UNSUPPORTED', `A ${access.type} has no operation '${operation}'`);
    if (operation === 'and') return a & b;
    return operation === 'or' ? a | b : a ^ b;
  }

  #writeWhole(isExpected: boolean, expected: bigint, from: Uint8Array): boolean {
    if (isExpected && expected !== this.#version) return false;
    this.#range(0, from.length).set(from);
    this.#version = BigInt.asUintN(64, this.#version + 1n);
    this.#changed(0, from.length);
    return true;
  }

  /** Those bytes. */
  #changed(at: number, length: number): void {
    this.#file?.changed(at, length);
    this.#changes = (this.#changes + 1) >>> 0;
    this.#surroundings.changed();
  }

  #openFile(): StateFile | undefined {
    const layout = layoutOf(this.#geometry);
    if (layout === undefined) return undefined;
    this.#file ??= this.#files?.create(layout, this.#bytes, () => this.#version);
    return this.#file;
  }

  /** Nobody reads it any more. */
  closeFile(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #range(at: number, length: number): Uint8Array {
    if (at + length > this.#bytes.length) {
      fail('ERR_INVALID_ARG', `${length} bytes from ${at} on are not inside ${this.#bytes.length}`);
    }
    return this.#bytes.subarray(at, at + length);
  }

  isWorthALook(user: User): boolean {
    return this.#changes !== this.#seen.get(user);
  }

  hearWaiting(user: User, _side: Side, body: Body): void {
    const hasLooked = body.bool();
    const seen = body.u32();
    this.#seen.set(user, hasLooked ? seen : this.#changes);
  }

  sayReady(): void {}

  gaveUp(): void {}

  left(user: User): void {
    this.#seen.delete(user);
  }
}
