/**
 * What goes over a line, in both directions: frames of a header and a body, numbers little-endian.
 *
 *   u32 bytes of the body | u32 handle | u16 operation | u16 sequence
 *
 * `handle`: which of the objects that the session has open; 0: the session itself. `sequence`: 0 where no reply is wanted, else
 * what the reply repeats. Bodies are read as they were written, member by member; what they hold, the operation says.
 */

import { InterprocError } from '../../errors.js';

export const HEADER_BYTES = 12;
/** Of what carries no message: names, options, numbers. */
export const PLAIN_BODY_BYTES = 2 ** 20;
/** Header and everything that has a length of its own; a message may be 2^30 bytes. */
export const MAX_BODY_BYTES = 2 ** 30 + 2 ** 16;
export const MAX_SEQUENCE = 2 ** 16 - 1;

const SMALLEST_BUFFER = 2 ** 16;

/** Up to here a loop is faster than a call that first makes views of both. */
const LOOPED_BYTES = 96;

/** Copies `from[start, start + length)` to `to` from `at` on. */
export function copyBytes(
  from: Uint8Array,
  start: number,
  to: Uint8Array,
  at: number,
  length: number,
): void {
  if (length > LOOPED_BYTES) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
}

/** Writes frames one behind the other into memory of its own, until they are taken. */
export class FrameWriter {
  #buffer = Buffer.allocUnsafeSlow(SMALLEST_BUFFER);
  #length = 0;
  #begin = 0;

  /** Bytes of the frames that stand here. */
  get length(): number {
    return this.#length;
  }

  begin(handle: number, operation: number, sequence: number): this {
    this.#begin = this.#length;
    const at = this.#grow(HEADER_BYTES);
    this.#buffer.writeUInt32LE(handle, at + 4);
    this.#buffer.writeUInt16LE(operation, at + 8);
    this.#buffer.writeUInt16LE(sequence, at + 10);
    return this;
  }

  /** Ends the frame. `behind`: bytes of its body that will follow from elsewhere. */
  end(behind = 0): void {
    const bytes = this.#length - this.#begin - HEADER_BYTES + behind;
    this.#buffer.writeUInt32LE(bytes, this.#begin);
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
    return this.#buffer;
  }

  /** All frames, in memory that the next one overwrites. */
  take(): Buffer {
    const frames = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return frames;
  }

  /** All frames, in memory that is the caller's from now on. */
  takeAway(): Buffer {
    const frames = this.take();
    if (frames.length > SMALLEST_BUFFER / 4) this.#buffer = Buffer.allocUnsafeSlow(SMALLEST_BUFFER);
    else return Buffer.from(frames);
    return frames;
  }

  u8(value: number): this {
    this.#buffer[this.#grow(1)] = value;
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#buffer.writeUInt32LE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.#grow(4);
    this.#buffer.writeInt32LE(value, at);
    return this;
  }

  f64(value: number): this {
    const at = this.#grow(8);
    this.#buffer.writeDoubleLE(value, at);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#grow(8);
    this.#buffer.writeBigUInt64LE(value, at);
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
    return this.part(value, 0, value.length);
  }

  /** The same of `value[start, start + length)`. */
  part(value: Uint8Array, start: number, length: number): this {
    const at = this.#grow(length);
    copyBytes(value, start, this.#buffer, at, length);
    return this;
  }

  /** Makes room for `bytes` more and returns where they begin. */
  #grow(bytes: number): number {
    const at = this.#length;
    const needed = at + bytes;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
    }
    this.#length = needed;
    return at;
  }
}

/** Reads the body of a frame, member by member. It is good only until whoever hands it out returns. */
export class Body {
  #at: number;

  constructor(
    readonly buffer: Buffer,
    begin: number,
    readonly end: number,
  ) {
    this.#at = begin;
  }

  get left(): number {
    return this.end - this.#at;
  }

  u8(): number {
    return this.buffer.readUInt8(this.#step(1));
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.#step(4));
  }

  i32(): number {
    return this.buffer.readInt32LE(this.#step(4));
  }

  f64(): number {
    return this.buffer.readDoubleLE(this.#step(8));
  }

  u64(): bigint {
    return this.buffer.readBigUInt64LE(this.#step(8));
  }

  text(): string {
    const length = this.u32();
    const at = this.#step(length);
    return this.buffer.toString('utf8', at, at + length);
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
    return this.buffer.subarray(at, at + length);
  }

  rest(): Buffer {
    return this.next(this.left);
  }

  /** So many bytes. */
  next(length: number): Buffer {
    const at = this.#step(length);
    return this.buffer.subarray(at, at + length);
  }

  /** Where they begin in `buffer`: of many small ones the views would cost more than all else. */
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
  #partial = Buffer.alloc(0);
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
    let at = 0;
    while (at < chunk.length) {
      at = this.#filled > 0 ? this.#goOn(chunk, at) : this.#frame(chunk, at);
      if (isEnough()) break;
    }
    return chunk.subarray(at);
  }

  /** The next frame of the chunk, which begins there; where it ends. */
  #frame(chunk: Buffer, at: number): number {
    const end = chunk.length - at < HEADER_BYTES ? Infinity : at + this.#lengthOf(chunk, at);
    if (end <= chunk.length) {
      this.#hand(chunk, at, end);
      return end;
    }
    this.#keep(chunk.subarray(at));
    return chunk.length;
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
      this.#partial = Buffer.alloc(0);
      this.#filled = 0;
      this.#hand(frame, 0, length);
    }
    return end;
  }

  #lengthOf(buffer: Buffer, at: number): number {
    const bytes = buffer.readUInt32LE(at);
    const handle = buffer.readUInt32LE(at + 4);
    const operation = buffer.readUInt16LE(at + 8);
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
    if (needed > this.#partial.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#partial.length, 4096));
      larger.set(this.#partial.subarray(0, this.#filled));
      this.#partial = larger;
    }
    this.#partial.set(bytes, this.#filled);
    this.#filled = needed;
  }

  #hand(buffer: Buffer, at: number, end: number): void {
    const handle = buffer.readUInt32LE(at + 4);
    const operation = buffer.readUInt16LE(at + 8);
    const sequence = buffer.readUInt16LE(at + 10);
    this.#onFrame(handle, operation, sequence, new Body(buffer, at + HEADER_BYTES, end));
  }
}
