/** What the conformance suite of values, arrays and memory is run on. */

import { afterEach, expect } from 'vitest';

import type { Backend } from '../../src/contract/channel.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import type { QueueConstructor } from '../../src/primitives/bind-queue.js';
import { bindSharedArray } from '../../src/primitives/bind-shared-array.js';
import type { SharedArrayConstructor } from '../../src/primitives/bind-shared-array.js';
import { bindShareableList } from '../../src/primitives/bind-shareable-list.js';
import type { ShareableListConstructor } from '../../src/primitives/bind-shareable-list.js';
import { bindSharedMemory } from '../../src/primitives/bind-shared-memory.js';
import type { SharedMemoryConstructor } from '../../src/primitives/bind-shared-memory.js';
import { bindValue } from '../../src/primitives/bind-value.js';
import type { ValueConstructor } from '../../src/primitives/bind-value.js';
import { HandleClasses } from '../../src/primitives/passengers.js';

export interface StateSubject {
  readonly backend: Backend;
}

export interface Closable {
  close(): void;
}

export class StateBench {
  readonly Value: ValueConstructor;
  readonly SharedArray: SharedArrayConstructor;
  readonly SharedMemory: SharedMemoryConstructor;
  readonly ShareableList: ShareableListConstructor;
  readonly Queue: QueueConstructor;
  readonly #opened: Closable[] = [];
  #names = 0;

  constructor(readonly subject: StateSubject) {
    const select = () => subject.backend;
    const handles = new HandleClasses();
    this.Value = bindValue(select, handles);
    this.SharedArray = bindSharedArray(select, handles);
    this.SharedMemory = bindSharedMemory(select, handles);
    this.ShareableList = bindShareableList(select, handles);
    this.Queue = bindQueue(select, handles);
  }

  /** A name that no test has used. */
  name(): string {
    this.#names++;
    return `state-${process.pid}-${this.#names}`;
  }

  /** Remembers a handle, to be closed after the test. */
  keep<H extends Closable>(handle: H): H {
    this.#opened.push(handle);
    return handle;
  }

  /** One more handle of the same object, which came in a message. */
  another<H extends Closable>(handle: H): H {
    const q = new this.Queue<H>();
    q.putNowait(handle);
    const arrived = q.getNowait();
    q.close();
    return this.keep(arrived);
  }

  cleanUp(): void {
    for (const handle of this.#opened.splice(0).reverse()) handle.close();
  }
}

/** A bench for the tests of one `describe`, which must leave nothing behind. */
export function stateBenchFor(subject: StateSubject): StateBench {
  const bench = new StateBench(subject);
  afterEach(() => {
    bench.cleanUp();
    expect(subject.backend.registry.list().map(({ name }) => name)).toEqual([]);
  });
  return bench;
}
