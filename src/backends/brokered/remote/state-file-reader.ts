import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

import { HEAD_BYTES, TAIL_BYTES, VERSION_BYTES } from '../state-layout.js';
import type { StateLayout } from '../state-layout.js';

/** A change is under way for some microseconds: after so many looks it is quicker to ask. */
const LOOKS = 4;
/** Longer pieces are asked for. */
const MAX_BLOCKS = 256;
/** Of a thread: descriptors are scarce. */
const MAX_OPEN = 256;

let open = 0;
const forgotten = new FinalizationRegistry<number>((descriptor) => release(descriptor));

function release(descriptor: number): void {
  open--;
  closeSync(descriptor);
}

/** The file of a state, read without asking the hub that writes it. Lengths are our own: nothing in it is believed. */
export class StateFileReader {
  readonly #layout: StateLayout;
  readonly #descriptor: number;
  readonly #buffer: Buffer;
  /** Over what was copied last. */
  readonly view: DataView;
  #isClosed = false;

  /** undefined: it cannot be read, or is not what it should be. */
  static open(path: string, layout: StateLayout): StateFileReader | undefined {
    if (open >= MAX_OPEN) return undefined;
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch {
      return undefined;
    }
    open++;
    const facts = fstatSync(descriptor);
    const isOurs = facts.isFile() && facts.uid === process.geteuid?.();
    if (isOurs) return new StateFileReader(descriptor, layout);
    release(descriptor);
    return undefined;
  }

  private constructor(descriptor: number, layout: StateLayout) {
    this.#descriptor = descriptor;
    this.#layout = layout;
    const most = Math.min(layout.blocks, MAX_BLOCKS);
    this.#buffer = Buffer.allocUnsafeSlow(most * layout.blockBytes);
    this.view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.length);
    forgotten.register(this, descriptor, this);
  }

  /** Copies what stands there, each block as one change left it; false: ask. */
  read(at: number, into: Uint8Array): boolean {
    const { payloadBytes, blockBytes, isWhole } = this.#layout;
    const first = Math.floor(at / payloadBytes);
    const behind = Math.ceil((at + into.length) / payloadBytes);
    if (isWhole || !this.#look(first, behind)) return false;
    let block = 0;
    let inside = at - first * payloadBytes;
    for (let done = 0; done < into.length; block++, inside = 0) {
      const from = block * blockBytes + HEAD_BYTES + inside;
      const length = Math.min(payloadBytes - inside, into.length - done);
      into.set(this.#buffer.subarray(from, from + length), done);
      done += length;
    }
    return true;
  }

  /** Of an element: its bytes stand at the offset that is returned, in `view`; -1: ask. */
  locate(at: number): number {
    const { payloadBytes, isWhole } = this.#layout;
    const block = Math.floor(at / payloadBytes);
    if (isWhole || !this.#look(block, block + 1)) return -1;
    return HEAD_BYTES + at - block * payloadBytes;
  }

  /** All of a value that is written whole, and its version; undefined: ask. */
  readWhole(into: Uint8Array): bigint | undefined {
    const { isWhole, payloadBytes } = this.#layout;
    if (!isWhole || into.length !== payloadBytes - VERSION_BYTES) return undefined;
    if (!this.#look(0, 1)) return undefined;
    const at = HEAD_BYTES + VERSION_BYTES;
    into.set(this.#buffer.subarray(at, at + into.length));
    return this.#buffer.readBigUInt64LE(HEAD_BYTES);
  }

  #look(first: number, behind: number): boolean {
    const { blockBytes } = this.#layout;
    const length = (behind - first) * blockBytes;
    if (this.#isClosed || length > this.#buffer.length) return false;
    for (let look = 0; look < LOOKS; look++) {
      if (!this.#copy(first * blockBytes, length)) return false;
      if (this.#areWhole(length)) return true;
    }
    return false;
  }

  #copy(at: number, length: number): boolean {
    try {
      return readSync(this.#descriptor, this.#buffer, 0, length, at) === length;
    } catch {
      return false;
    }
  }

  /** SYNC state.done is copied before the payload, state.begun after it. */
  #areWhole(length: number): boolean {
    const { blockBytes } = this.#layout;
    for (let at = 0; at < length; at += blockBytes) {
      const done = this.#buffer.readUInt32LE(at);
      if (done !== this.#buffer.readUInt32LE(at + blockBytes - TAIL_BYTES)) return false;
    }
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    forgotten.unregister(this);
    release(this.#descriptor);
  }
}
