/**
 * Messages of a pipe behind each other, as they go over a line and as a hub keeps them:
 *
 *   u32 length | u32 marks and flags | u32 length of the whole message, of a part only | bytes
 *
 * What one takes here is what it takes of the pipe's capacity.
 */

import { InterprocError } from '../../errors.js';

export const MESSAGE_HEADER_BYTES = 8;
export const PART_HEADER_BYTES = 12;

/** The marks of a message, which the contract of pipes names. */
export const MARKS = 0xff;
/** A part of a message that is larger than the pipe, and the first one of it. */
export const PART = 0x100;
export const FIRST_PART = 0x200;
const FLAGS = MARKS | PART | FIRST_PART;

/** The one that begins at `at`. */
export interface PackedMessage {
  readonly flags: number;
  /** Of the bytes, and where they begin. */
  readonly length: number;
  readonly begin: number;
  /** Where it ends, and the next one begins. */
  readonly end: number;
  /** Length of the whole message. */
  readonly wholeLength: number;
}

export function packedAt(buffer: Buffer, at: number): PackedMessage {
  const length = buffer.readUInt32LE(at);
  const flags = buffer.readUInt32LE(at + 4);
  const isPart = (flags & PART) !== 0;
  const begin = at + (isPart ? PART_HEADER_BYTES : MESSAGE_HEADER_BYTES);
  const wholeLength = isPart ? buffer.readUInt32LE(at + 8) : length;
  return { flags, length, begin, end: begin + length, wholeLength };
}

/** @throws ERR_CORRUPT unless these are whole messages, each as large as it may be */
export function assertPacked(packed: Buffer, maxMessageBytes: number): void {
  let at = 0;
  while (at < packed.length) {
    const left = packed.length - at;
    if (left < MESSAGE_HEADER_BYTES) corrupt(`${left} bytes`);
    const length = packed.readUInt32LE(at);
    const flags = packed.readUInt32LE(at + 4);
    const isPart = (flags & PART) !== 0;
    const header = isPart ? PART_HEADER_BYTES : MESSAGE_HEADER_BYTES;
    if (length > left - header || (flags & ~FLAGS) !== 0)
      corrupt(`flags ${flags}, length ${length}`);
    const wholeLength = isPart ? packed.readUInt32LE(at + 8) : length;
    if (wholeLength > maxMessageBytes || length > wholeLength) corrupt(`length ${wholeLength}`);
    at += header + length;
  }
}

function corrupt(what: string): never {
  throw new InterprocError('ERR_CORRUPT', `What is said to be messages of a pipe has ${what}`);
}
