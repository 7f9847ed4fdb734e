import { randomBytes } from 'node:crypto';
import { closeSync, constants, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { HEAD_BYTES, TAIL_BYTES, VERSION_BYTES } from '../state-layout.js';
import type { StateLayout } from '../state-layout.js';

/** The files of a hub's states. What changed goes out to them before anybody is told of anything. */
export class StateFiles {
  readonly #directory: string;
  readonly #dirty = new Set<StateFile>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** undefined: there is no room for it, or no such directory any more. */
  create(layout: StateLayout, bytes: Uint8Array, versionNow: () => bigint): StateFile | undefined {
    const path = join(this.#directory, randomBytes(12).toString('hex'));
    try {
      return new StateFile(path, layout, bytes, versionNow, this.#dirty);
    } catch {
      return undefined;
    }
  }

  flush(): void {
    if (this.#dirty.size === 0) return;
    for (const file of this.#dirty) file.flush();
    this.#dirty.clear();
  }
}

/** The bytes of a state, in blocks as state-layout.ts has them. */
export class StateFile {
  readonly path: string;
  readonly #layout: StateLayout;
  readonly #bytes: Uint8Array;
  readonly #versionNow: () => bigint;
  readonly #dirty: Set<StateFile>;
  readonly #descriptor: number;
  /** What is in the file. */
  readonly #image: Buffer;
  /** The blocks that have changed since. */
  #first = 0;
  #behind = 0;
  #isOver = false;

  /** @throws the system's errors */
  constructor(
    path: string,
    layout: StateLayout,
    bytes: Uint8Array,
    versionNow: () => bigint,
    dirty: Set<StateFile>,
  ) {
    this.path = path;
    this.#layout = layout;
    this.#bytes = bytes;
    this.#versionNow = versionNow;
    this.#dirty = dirty;
    this.#image = Buffer.alloc(layout.blocks * layout.blockBytes);
    this.#descriptor = openSync(
      path,
      constants.O_CREAT | constants.O_EXCL | constants.O_RDWR,
      0o600,
    );
    try {
      for (let block = 0; block < layout.blocks; block++) this.#copyIn(block);
      // All of it, so that there is room for every change.
      this.#write(0, layout.blocks);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Those bytes have changed. */
  changed(at: number, length: number): void {
    if (this.#isOver || length === 0) return;
    const { isWhole, payloadBytes } = this.#layout;
    const first = isWhole ? 0 : Math.floor(at / payloadBytes);
    const behind = isWhole ? 1 : Math.ceil((at + length) / payloadBytes);
    // Two that are far apart are no reason to write what is between them.
    if (first > this.#behind || behind < this.#first) this.flush();
    const isClean = this.#first === this.#behind;
    this.#first = isClean ? first : Math.min(first, this.#first);
    this.#behind = isClean ? behind : Math.max(behind, this.#behind);
    this.#dirty.add(this);
  }

  flush(): void {
    const [first, behind] = [this.#first, this.#behind];
    this.#first = this.#behind = 0;
    if (this.#isOver || first === behind) return;
    const { blockBytes } = this.#layout;
    const image = this.#image;
    try {
      // SYNC state.begun: before the payload.
      for (let block = first; block < behind; block++) {
        const tail = (block + 1) * blockBytes - TAIL_BYTES;
        image.writeUInt32LE((image.readUInt32LE(tail) + 1) >>> 0, tail);
      }
      this.#write(first, behind);
      for (let block = first; block < behind; block++) this.#copyIn(block);
      this.#write(first, behind);
      // SYNC state.done: after it.
      for (let block = first; block < behind; block++) {
        const tail = (block + 1) * blockBytes - TAIL_BYTES;
        image.writeUInt32LE(image.readUInt32LE(tail), block * blockBytes);
      }
      this.#write(first, behind);
    } catch {
      // Nobody is to read what is not true any more: what is too short they ask for.
      this.close();
    }
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      ftruncateSync(this.#descriptor, 0);
      unlinkSync(this.path);
    } catch {
      // The directory was cleared away.
    }
    closeSync(this.#descriptor);
  }

  #copyIn(block: number): void {
    const { isWhole, payloadBytes, blockBytes } = this.#layout;
    const at = block * blockBytes + HEAD_BYTES;
    if (isWhole) {
      this.#image.writeBigUInt64LE(this.#versionNow(), at);
      this.#image.set(this.#bytes.subarray(0, payloadBytes - VERSION_BYTES), at + VERSION_BYTES);
      return;
    }
    const from = block * payloadBytes;
    this.#image.set(this.#bytes.subarray(from, from + payloadBytes), at);
  }

  #write(first: number, behind: number): void {
    const { blockBytes } = this.#layout;
    let at = first * blockBytes;
    const end = behind * blockBytes;
    while (at < end) at += writeSync(this.#descriptor, this.#image, at, end - at, at);
  }
}
