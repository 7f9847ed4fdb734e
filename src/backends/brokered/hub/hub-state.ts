import { freemem } from 'node:os';

import type { Side } from '../../../contract/shared-object.js';
import type { StateGeometry } from '../../../contract/state.js';
import type { Listed } from '../operations.js';
import { MAX_STATE_BYTES } from '../state-operations.js';
import { Barrier } from './barrier.js';
import type { Catalogue, Named } from './catalogue.js';
import { Cells } from './cells.js';
import { Condition } from './condition.js';
import { Event } from './event.js';
import { fail } from './fail.js';
import { Waits } from './hub-object.js';
import { Mutex } from './mutex.js';
import { RwLock } from './rw-lock.js';
import { Semaphore } from './semaphore.js';
import type { StateFiles } from './state-files.js';
import type { StatePart, Surroundings, User } from './state-part.js';

/** A value, an array, memory, a list or a lock: some bytes, and what can be locked or waited for in them. */
export class HubState implements Named, Surroundings {
  readonly identity: bigint;
  readonly name: string;
  readonly geometry: StateGeometry;
  readonly waits = new Waits();
  readonly parts: readonly StatePart[];
  readonly #catalogue: Catalogue;
  readonly #cells: Cells | undefined;
  readonly #users = new Set<User>();

  /** @throws ERR_NO_SPACE */
  constructor(
    catalogue: Catalogue,
    files: StateFiles | undefined,
    name: string,
    geometry: StateGeometry,
    initial: Uint8Array,
  ) {
    this.identity = catalogue.nextIdentity();
    this.name = name;
    this.geometry = geometry;
    this.#catalogue = catalogue;
    const bytes = memoryOf(geometry.byteLength);
    if (initial.length > bytes.length) {
      fail('ERR_INVALID_ARG', `${initial.length} bytes do not go into ${bytes.length}`);
    }
    bytes.set(initial);
    const locks = this.#locksOf(geometry);
    this.#cells = bytes.length === 0 ? undefined : new Cells(this, bytes, geometry, files);
    this.parts = this.#cells === undefined ? locks : [...locks, this.#cells];
  }

  get kind(): string {
    return this.geometry.kind;
  }

  #locksOf({ kind, parameter }: StateGeometry): StatePart[] {
    switch (kind) {
      case 'semaphore':
      case 'boundedSemaphore':
        return [new Semaphore(this, parameter, kind === 'boundedSemaphore')];
      case 'event':
        return [new Event(this)];
      case 'barrier':
        return [new Barrier(this, parameter)];
      case 'rwlock':
        return [new RwLock(this)];
      case 'condition': {
        const mutex = new Mutex(this);
        return [mutex, new Condition(this, mutex)];
      }
      default:
        return [new Mutex(this)];
    }
  }

  /** What those wait for who wait on that side. */
  partOn(side: Side): StatePart {
    const part = this.parts.find(({ sides }) => sides.includes(side));
    return part ?? fail('ERR_CORRUPT', `A ${this.kind} has no side ${side}`);
  }

  changed(): void {
    this.waits.wakeWorthy();
  }

  /** @throws ERR_NO_SLOT */
  assertRoom(): void {
    const { maxParticipants } = this.geometry;
    if (this.#users.size < maxParticipants) return;
    fail(
      'ERR_NO_SLOT',
      `'${this.name}' is open ${maxParticipants} times already, which is its maxParticipants; close a handle, or create it with more`,
    );
  }

  joined(user: User): void {
    this.#users.add(user);
  }

  left(user: User): void {
    this.#users.delete(user);
    for (const part of this.parts) part.left(user);
    if (this.isUnused) this.#cells?.closeFile();
    this.#catalogue.removeIfUnused(this);
  }

  get isUnused(): boolean {
    return this.#users.size === 0;
  }

  get isKept(): boolean {
    return this.geometry.persist && !this.geometry.anonymous;
  }

  get isThere(): boolean {
    return this.#catalogue.has(this);
  }

  forgotten(): void {}

  ticketWasRedeemed(): void {
    this.#catalogue.removeIfUnused(this);
  }

  get info(): Listed {
    const { kind, byteLength, parameter, persist, anonymous } = this.geometry;
    const isWhole = kind === 'value' && parameter > 0;
    return {
      name: this.name,
      kind,
      totalBytes: byteLength,
      participants: this.#users.size,
      size: isWhole ? parameter : byteLength,
      persist,
      anonymous,
    };
  }
}

function memoryOf(byteLength: number): Uint8Array {
  if (byteLength > MAX_STATE_BYTES || byteLength > freemem()) {
    const most = Math.min(MAX_STATE_BYTES, freemem());
    fail('ERR_NO_SPACE', `${byteLength} bytes; the broker can keep ${most} in one object now`);
  }
  return new Uint8Array(byteLength);
}
