import { invalidArgument } from '../../errors.js';
import type { LockParts } from '../../contract/locks.js';
import type { Side } from '../../contract/shared-object.js';
import type { State, StateGeometry } from '../../contract/state.js';
import type { Token } from './addon.js';
import { CAPABILITIES } from './capabilities.js';
import { NativeCells } from './native-cells.js';
import { lockPartsOf } from './native-locks.js';
import { NativeObject } from './native-object.js';
import type { NativeThread } from './native-thread.js';

/** By their memory, which all arrays over it lead to: who keeps one of them keeps the handle, and with it the memory. */
const stateOf = new WeakMap<ArrayBuffer, NativeState>();

/** A native state as the contract wants it. */
export class NativeState extends NativeObject implements State {
  readonly geometry: StateGeometry;
  readonly capabilities = CAPABILITIES;
  readonly buffer: ArrayBuffer | undefined;
  readonly cells: NativeCells | undefined;
  readonly parts: LockParts;

  /** `copies`: there is no buffer, even where there could be one. */
  constructor(
    thread: NativeThread,
    token: Token,
    name: string,
    directory: string,
    geometry: StateGeometry,
    copies: boolean,
  ) {
    super(thread, token, name, directory);
    this.geometry = geometry;
    this.buffer = copies ? undefined : this.addon.stateBuffer(token);
    if (this.buffer !== undefined) stateOf.set(this.buffer, this);
    this.parts = lockPartsOf(this.addon, this, geometry);
    const { kind } = geometry;
    this.cells =
      kind === 'value' || kind === 'array'
        ? new NativeCells(this.addon, this, this.buffer !== undefined)
        : undefined;
  }

  leave(side: Side): void {
    this.addon.disarm(this.token, side);
  }

  read(offset: number, into: Uint8Array): void {
    if (this.addon.readState(this.token, offset, into) !== 0) this.#refuse(offset, into.length);
  }

  write(offset: number, from: Uint8Array): void {
    if (this.addon.writeState(this.token, offset, from) !== 0) this.#refuse(offset, from.length);
  }

  #refuse(offset: number, length: number): never {
    throw invalidArgument(
      'The range',
      `inside the ${this.geometry.byteLength} bytes of '${this.name}'`,
      [offset, length],
    );
  }
}
