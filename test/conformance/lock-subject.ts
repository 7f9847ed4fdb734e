/** What the suite of the locks is run on, and the little it needs around it. */

import { afterEach, expect } from 'vitest';

import type { Backend } from '../../src/contract/channel.js';
import type { StateKind } from '../../src/contract/state.js';
import { bindLocks } from '../../src/primitives/bind-locks.js';
import type { LockClasses } from '../../src/primitives/bind-locks.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import type { QueueConstructor } from '../../src/primitives/bind-queue.js';
import { HandleClasses } from '../../src/primitives/passengers.js';

/** What somebody else does with a lock, by a handle of his own, which he keeps. */
export type LockAct =
  | 'acquire'
  | 'release'
  | 'acquireRead'
  | 'releaseRead'
  | 'acquireWrite'
  | 'releaseWrite'
  | 'set'
  | 'clear'
  | 'notify'
  | 'notifyAll'
  | 'come'
  | 'close';

/** Somebody else, in a thread of his own if the backend has such. */
export interface LockPeer {
  /** Resolves when it is done; `come` when it has begun. */
  act(act: LockAct): Promise<void>;
  /** Acts when this thread is blocked. */
  actWhileBlocked(...acts: LockAct[]): void;
  /** Goes, after what he was told to do. */
  leave(): Promise<void>;
}

export interface LockSubject {
  readonly backend: Backend;
  peer(kind: StateKind, name: string): Promise<LockPeer>;
}

interface Closable {
  close(): void;
  unlink(): void;
}

export class LockBench {
  readonly classes: LockClasses;
  readonly Queue: QueueConstructor;
  readonly #subject: LockSubject;
  readonly #opened: Closable[] = [];
  readonly #peers: LockPeer[] = [];
  #names = 0;

  constructor(subject: LockSubject) {
    const handles = new HandleClasses();
    this.#subject = subject;
    this.classes = bindLocks(() => subject.backend, handles);
    this.Queue = bindQueue(() => subject.backend, handles);
  }

  /** A name that no test has used. */
  name(): string {
    this.#names++;
    return `locks-${process.pid}-${this.#names}`;
  }

  /** Remembers a handle, to be closed after the test. */
  keep<H extends Closable>(handle: H): H {
    this.#opened.push(handle);
    return handle;
  }

  async peer(kind: StateKind, name: string): Promise<LockPeer> {
    const peer = await this.#subject.peer(kind, name);
    this.#peers.push(peer);
    return peer;
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.leave()));
    for (const handle of this.#opened.splice(0).reverse()) handle.close();
  }
}

/** A bench for the tests of one `describe`, which must leave nothing behind. */
export function lockBenchFor(subject: LockSubject): LockBench {
  const bench = new LockBench(subject);
  afterEach(async () => {
    await bench.cleanUp();
    const left = subject.backend.registry.list().map(({ name }) => name);
    subject.backend.registry.prune({ dryRun: false });
    expect(left).toEqual([]);
  });
  return bench;
}
