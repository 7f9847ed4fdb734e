/**
 * What goes over a line, in both directions: frames of a header and a body, numbers little-endian.
 *
 *   u32 bytes of the body | u32 handle | u16 operation | u16 sequence
 *
 * `handle`: which of the objects that the session has open; 0: the session itself. `sequence`: 0 where no reply is wanted, else
 * what the reply repeats. Bodies are read as they were written, member by member; what they hold, the operation says.
 */

import { InterprocError } from '../../errors.js';
import { copyBytes, ViewedBytes } from './viewed-bytes.js';

export const HEADER_BYTES = 12;
/** Of what carries no message: names, options, numbers. */
export const PLAIN_BODY_BYTES = 2 ** 20;
/** Header and everything that has a length of its own; a message may be 2^30 bytes. */
export const MAX_BODY_BYTES = 2 ** 30 + 2 ** 16;
export const MAX_SEQUENCE = 2 ** 16 - 1;

const SMALLEST_BUFFER = 2 ** 16;
const NOTHING = ViewedBytes.ofLength(0);

/** Writes frames one behind the other into memory of its own, until they are taken. */
export class FrameWriter {
  #memory = ViewedBytes.ofLength(SMALLEST_BUFFER);
  #length = 0;
  #begin = 0;

  /** Bytes of the frames that stand here. */
  get length(): number {
    return this.#length;
  }

  begin(handle: number, operation: number, sequence: number): this {
    this.#begin = this.#length;
    const at = this.#grow(HEADER_BYTES);
    const { view } = this.#memory;
    view.setUint32(at + 4, handle, true);
    view.setUint16(at + 8, operation, true);
    view.setUint16(at + 10, sequence, true);
    return this;
  }

  /** Ends the frame. `behind`: bytes of its body that will follow from elsewhere. */
  end(behind = 0): void {
    const bytes = this.#length - this.#begin - HEADER_BYTES + behind;
    this.#memory.view.setUint32(this.#begin, bytes, true);
  }

  /** Forgets the frame that was begun last. */
  abandon(): void {
    this.#length = this.#begin;
  }

  /** Forgets all of them, also one that was begun and given up half-way. */
  clear(): void {
    this.#length = 0;
  }

  /** The memory in which they stand, from its beginning on. */
  get memory(): Buffer {
    return this.#memory.bytes;
  }

  /** All frames, in memory that the next one overwrites. */
  take(): Buffer {
    const frames = this.#memory.bytes.subarray(0, this.#length);
    this.#length = 0;
    return frames;
  }

  /** All frames, in memory that is the caller's from now on. */
  takeAway(): Buffer {
    const frames = this.take();
    if (frames.length > SMALLEST_BUFFER / 4) this.#memory = ViewedBytes.ofLength(SMALLEST_BUFFER);
    else return Buffer.from(frames);
    return frames;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#memory.view.setUint8(at, value);
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  /** @throws RangeError for what is none */
  u32(value: number): this {
    if (value >>> 0 !== value) throw new RangeError(`${value} is no number of 32 bits`);
    const at = this.#grow(4);
    this.#memory.view.setUint32(at, value, true);
    return this;
  }

  /** @throws RangeError for what is none */
  i32(value: number): this {
    if ((value | 0) !== value) throw new RangeError(`${value} is no integer of 32 bits`);
    const at = this.#grow(4);
    this.#memory.view.setInt32(at, value, true);
    return this;
  }

  f64(value: number): this {
    const at = this.#grow(8);
    this.#memory.view.setFloat64(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#grow(8);
    this.#memory.view.setBigUint64(at, value, true);
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value));
  }

  /** What JSON can carry, for what is rare. */
  json(value: unknown): this {
    return this.text(JSON.stringify(value));
  }

  /** With their length in front. */
  bytes(value: Uint8Array): this {
    return this.u32(value.length).rest(value);
  }

  /** Without it: what the body ends with. */
  rest(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#memory.bytes.set(value, at);
    return this;
  }

  /** The same of `memory[start, start + length)`. */
  part(memory: ViewedBytes, start: number, length: number): this {
    const at = this.#grow(length);
    copyBytes(memory, start, this.#memory, at, length);
    return this;
  }

  /** Makes room for `bytes` more and returns where they begin. */
  #grow(bytes: number): number {
    const at = this.#length;
    const needed = at + bytes;
    const { bytes: written } = this.#memory;
    if (needed > written.length) {
      this.#memory = ViewedBytes.ofLength(Math.max(needed, 2 * written.length));
      this.#memory.bytes.set(written.subarray(0, at));
    }
    this.#length = needed;
    return at;
  }
}

/** Reads the body of a frame, member by member. It is good only until whoever hands it out returns. */
export class Body {
  #at: number;

  constructor(
    readonly memory: ViewedBytes,
    begin: number,
    readonly end: number,
  ) {
    this.#at = begin;
  }

  get left(): number {
    return this.end - this.#at;
  }

  u8(): number {
    return this.memory.view.getUint8(this.#step(1));
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  u32(): number {
    return this.memory.view.getUint32(this.#step(4), true);
  }

  i32(): number {
    return this.memory.view.getInt32(this.#step(4), true);
  }

  f64(): number {
    return this.memory.view.getFloat64(this.#step(8), true);
  }

  u64(): bigint {
    return this.memory.view.getBigUint64(this.#step(8), true);
  }

  text(): string {
    const length = this.u32();
    const at = this.#step(length);
    return this.memory.bytes.toString('utf8', at, at + length);
  }

  json(): unknown {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new InterprocError('ERR_CORRUPT', `A frame says '${text.slice(0, 80)}'`, { cause });
    }
  }

  /** Views, as the body itself. */
  bytes(): Buffer {
    const length = this.u32();
    const at = this.#step(length);
    return this.memory.bytes.subarray(at, at + length);
  }

  rest(): Buffer {
    return this.next(this.left);
  }

  /** So many bytes. */
  next(length: number): Buffer {
    const at = this.#step(length);
    return this.memory.bytes.subarray(at, at + length);
  }

  /** Where they begin in `memory`: of many small ones the views would cost more than all else. */
  skip(length: number): number {
    return this.#step(length);
  }

  #step(bytes: number): number {
    const at = this.#at;
    if (bytes > this.end - at) {
      throw new InterprocError(
        'ERR_CORRUPT',
        `A frame ends ${bytes - (this.end - at)} bytes too early`,
      );
    }
    this.#at = at + bytes;
    return at;
  }
}

/** Where whole frames go. `body` is good until this returns. */
export type OnFrame = (handle: number, operation: number, sequence: number, body: Body) => void;

/** How many bytes of body a frame may have, by its header. */
export type BodyLimit = (handle: number, operation: number) => number;

/** Finds the frames in what a line delivers in pieces of any size. */
export class FrameSplitter {
  readonly #onFrame: OnFrame;
  readonly #limit: BodyLimit;
  /** The beginning of a frame whose end has not come. */
  #partial = NOTHING;
  #filled = 0;

  constructor(onFrame: OnFrame, limit: BodyLimit = () => MAX_BODY_BYTES) {
    this.#onFrame = onFrame;
    this.#limit = limit;
  }

  /** Bytes of a frame whose end has not come. */
  get pending(): number {
    return this.#filled;
  }

  /** Its end will not come. */
  forget(): void {
    this.#filled = 0;
  }

  /**
   * What is left of the chunk where `isEnough`, which is asked after each frame, says so.
   *
   * @throws ERR_CORRUPT for a frame longer than it may be; and what `onFrame` throws
   */
  push(chunk: Buffer, isEnough: () => boolean = () => false): Buffer {
    const memory = new ViewedBytes(chunk);
    let at = 0;
    while (at < chunk.length) {
      at = this.#filled > 0 ? this.#goOn(chunk, at) : this.#frame(memory, at);
      if (isEnough()) break;
    }
    return chunk.subarray(at);
  }

  /** The next frame of the chunk, which begins there; where it ends. */
  #frame(chunk: ViewedBytes, at: number): number {
    const { bytes } = chunk;
    const end = bytes.length - at < HEADER_BYTES ? Infinity : at + this.#lengthOf(chunk, at);
    if (end <= bytes.length) {
      this.#hand(chunk, at, end);
      return end;
    }
    this.#keep(bytes.subarray(at));
    return bytes.length;
  }

  /** Goes on with a frame that has begun. */
  #goOn(chunk: Buffer, at: number): number {
    const wanted = this.#filled < HEADER_BYTES ? HEADER_BYTES : this.#lengthOf(this.#partial, 0);
    const end = Math.min(chunk.length, at + wanted - this.#filled);
    this.#keep(chunk.subarray(at, end));
    if (this.#filled < HEADER_BYTES) return end;
    const length = this.#lengthOf(this.#partial, 0);
    if (this.#filled === length) {
      const frame = this.#partial;
      // Taken away first: what it is about may read more from the line.
      this.#partial = NOTHING;
      this.#filled = 0;
      this.#hand(frame, 0, length);
    }
    return end;
  }

  #lengthOf({ view }: ViewedBytes, at: number): number {
    const bytes = view.getUint32(at, true);
    const handle = view.getUint32(at + 4, true);
    const operation = view.getUint16(at + 8, true);
    const limit = this.#limit(handle, operation);
    if (bytes <= limit) return HEADER_BYTES + bytes;
    throw new InterprocError(
      'ERR_CORRUPT',
      `A frame of operation ${operation} claims ${bytes} bytes; it may have ${limit}`,
    );
  }

  /** Grows with what has come, not with what was announced. */
  #keep(bytes: Buffer): void {
    const needed = this.#filled + bytes.length;
    const { bytes: kept } = this.#partial;
    if (needed > kept.length) {
      this.#partial = ViewedBytes.ofLength(Math.max(needed, 2 * kept.length, 4096));
      this.#partial.bytes.set(kept.subarray(0, this.#filled));
    }
    this.#partial.bytes.set(bytes, this.#filled);
    this.#filled = needed;
  }

  #hand(memory: ViewedBytes, at: number, end: number): void {
    const handle = memory.view.getUint32(at + 4, true);
    const operation = memory.view.getUint16(at + 8, true);
    const sequence = memory.view.getUint16(at + 10, true);
    this.#onFrame(handle, operation, sequence, new Body(memory, at + HEADER_BYTES, end));
  }
}
