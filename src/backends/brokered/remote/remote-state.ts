import { InterprocError, invalidArgument } from '../../../errors.js';
import type { LockParts } from '../../../contract/locks.js';
import { CHANGE } from '../../../contract/locks.js';
import type { OpenMode, Side, Ticket } from '../../../contract/shared-object.js';
import type { State, StateGeometry, StateKind, StateOptions } from '../../../contract/state.js';
import { BROKERED_CAPABILITIES } from '../capabilities.js';
import type { Body, FrameWriter } from '../frames.js';
import { OPEN_STATE, OPEN_STATE_TICKET } from '../operations.js';
import {
  LEAVE,
  MAX_STATE_BYTES,
  PIECE_BYTES,
  READ_BYTES,
  STATE_FILE,
  WRITE_BYTES,
} from '../state-operations.js';
import { layoutOf } from '../state-layout.js';
import type { Link } from './link.js';
import { RemoteCells } from './remote-cells.js';
import { lockPartsOf } from './remote-locks.js';
import { RemoteObject } from './remote-object.js';
import type { RemotePart, StateCalls } from './state-calls.js';
import { StateFileReader } from './state-file-reader.js';

/** As every backend has it, so that whatever fits one fits the others. */
const MAX_SCHEMA_BYTES = 3071;

/** So often it asks before it wants a file to read: many are opened for a look or two. */
const LOOKS_BEFORE_FILE = 8;

/** A state behind a hub. */
class RemoteState extends RemoteObject implements State {
  readonly geometry: StateGeometry;
  readonly capabilities = BROKERED_CAPABILITIES;
  readonly cells: RemoteCells | undefined;
  readonly parts: LockParts;
  /** The bytes are the hub's: they are copied. */
  readonly buffer = undefined;
  readonly #hearing: RemotePart[] = [];
  #looks = 0;
  #file: StateFileReader | undefined;

  constructor(link: Link, handle: number, identity: bigint, name: string, geometry: StateGeometry) {
    super(link, handle, identity, name);
    this.geometry = geometry;
    const calls: StateCalls = {
      name,
      assertOpen: () => this.assertOpen(),
      request: (operation) => this.request(operation),
      word: (operation) => this.word(operation),
      ask: (rest) => this.link.ask(rest),
      tell: () => this.link.tell(),
      file: () => this.#fileNow(),
    };
    const { parts, hearing } = lockPartsOf(calls, geometry);
    this.parts = parts;
    if (hearing !== undefined) this.#hearing.push(hearing);
    const { kind, byteLength } = geometry;
    if (kind === 'value' || kind === 'array') {
      this.cells = new RemoteCells(calls, byteLength);
      this.#hearing.push(this.cells);
    }
  }

  #partOn(side: Side): RemotePart | undefined {
    return this.#hearing.find(({ sides }) => sides.includes(side));
  }

  protected override sayWaiting(word: FrameWriter, side: Side): void {
    this.#partOn(side)?.sayWaiting?.(word);
  }

  protected override heard(side: Side, body: Body): void {
    this.#partOn(side)?.heard?.(body);
  }

  override told(operation: number, body: Body): void {
    for (const part of this.#hearing) part.told?.(operation, body);
  }

  leave(side: Side): void {
    // For a change nobody lines up.
    if (side === CHANGE || this.isClosed || this.link.isLost) return;
    this.word(LEAVE).u8(side);
    this.link.tellIfThere();
  }

  read(offset: number, into: Uint8Array): void {
    this.#assertInside(offset, into.length);
    const file = this.cells === undefined ? this.#fileNow() : this.cells.fileForLook();
    if (file?.read(offset, into) === true) return;
    for (let at = 0; at < into.length; at += PIECE_BYTES) {
      const piece = into.subarray(at, at + PIECE_BYTES);
      this.request(READ_BYTES)
        .u32(offset + at)
        .u32(piece.length);
      const reply = this.link.ask();
      const changes = reply.u32();
      this.cells?.saw(changes);
      piece.set(reply.rest());
    }
  }

  write(offset: number, from: Uint8Array): void {
    this.#assertInside(offset, from.length);
    for (let at = 0; at < from.length; at += PIECE_BYTES) {
      this.request(WRITE_BYTES).u32(offset + at);
      this.link.ask(from.subarray(at, at + PIECE_BYTES));
    }
  }

  /** A broker that is gone is noticed when the event loop turns: until then the file says what it said last. */
  #fileNow(): StateFileReader | undefined {
    this.assertOpen();
    this.link.assertThere();
    if (this.#looks < LOOKS_BEFORE_FILE) this.#countLook();
    return this.#file;
  }

  #countLook(): void {
    this.#looks++;
    const layout = this.#looks < LOOKS_BEFORE_FILE ? undefined : layoutOf(this.geometry);
    if (layout === undefined) return;
    this.request(STATE_FILE);
    const path = this.link.ask().text();
    if (path !== '') this.#file = StateFileReader.open(path, layout);
  }

  override close(): void {
    this.#file?.close();
    this.#file = undefined;
    super.close();
  }

  #assertInside(offset: number, length: number): void {
    this.assertOpen();
    const { byteLength } = this.geometry;
    if (offset >= 0 && offset + length <= byteLength) return;
    throw invalidArgument('The range', `inside the ${byteLength} bytes of '${this.name}'`, [
      offset,
      length,
    ]);
  }
}

export function openState(
  link: Link,
  name: string | undefined,
  mode: OpenMode,
  options: StateOptions,
  initial?: Uint8Array,
): State {
  const { byteLength, schema } = options;
  if (!Number.isSafeInteger(byteLength) || byteLength > 2 ** 48) {
    throw new InterprocError('ERR_INVALID_ARG', `${byteLength} bytes are more than any object has`);
  }
  if (byteLength > MAX_STATE_BYTES) {
    throw new InterprocError(
      'ERR_NO_SPACE',
      `${byteLength} bytes; a broker keeps ${MAX_STATE_BYTES} at most in one object`,
    );
  }
  if (Buffer.byteLength(schema) > MAX_SCHEMA_BYTES) {
    throw new InterprocError(
      'ERR_TOO_LARGE',
      `The description of its type takes ${Buffer.byteLength(schema)} bytes; there is room for ${MAX_SCHEMA_BYTES}`,
    );
  }
  link
    .begin(0, OPEN_STATE)
    .text(mode)
    .text(name ?? '')
    .json(options);
  return stateIn(link, link.ask(initial));
}

export function openStateTicket(link: Link, ticket: Ticket, kind: StateKind): State {
  link.begin(0, OPEN_STATE_TICKET).text(ticket).text(kind);
  return stateIn(link, link.ask());
}

function stateIn(link: Link, reply: Body): State {
  const handle = reply.u32();
  const identity = reply.u64();
  const name = reply.text();
  const geometry = Object.freeze(reply.json() as StateGeometry);
  return new RemoteState(link, handle, identity, name, geometry);
}
