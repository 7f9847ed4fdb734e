/** What the conformance suite of pipes is run on, and the little it needs around it. */

import { afterEach, expect } from 'vitest';

import type { Capabilities } from '../../src/contract/capabilities.js';
import type { Backend } from '../../src/contract/channel.js';
import { bindPipe } from '../../src/primitives/bind-pipe.js';
import type { Ends, PipeFunction } from '../../src/primitives/bind-pipe.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import type { QueueConstructor } from '../../src/primitives/bind-queue.js';
import type { Connection } from '../../src/primitives/connection.js';
import { HandleClasses } from '../../src/primitives/passengers.js';
import type { PipeOptions } from '../../src/primitives/pipe-options.js';
import type { Queue } from '../../src/primitives/queue.js';

/** What somebody else does with his end, in order, each with the blocking call. */
export type PipeAct =
  | { readonly act: 'send'; readonly value: unknown }
  /** A message of that many bytes, byte i being i % 251. */
  | { readonly act: 'sendBytes'; readonly length: number }
  | { readonly act: 'recv' }
  | { readonly act: 'close' };

/** How a backend lets somebody else, in a thread of his own or what comes nearest, act on the end that he finds in the queue. */
export interface PipeSubject {
  readonly backend: Backend;
  /** He acts while this thread is blocked; resolves when he is done. His end closes then. */
  whileBlocked(queue: Queue<unknown>, acts: readonly PipeAct[]): Promise<void>;
}

export class PipeBench {
  readonly Pipe: PipeFunction;
  readonly Queue: QueueConstructor;
  readonly capabilities: Capabilities;
  readonly #subject: PipeSubject;
  readonly #opened: { close(): void }[] = [];
  #names = 0;

  constructor(subject: PipeSubject) {
    const handles = new HandleClasses();
    this.#subject = subject;
    this.capabilities = subject.backend.capabilities;
    this.Pipe = bindPipe(() => subject.backend, handles);
    this.Queue = bindQueue(() => subject.backend, handles);
  }

  /** Remembers something, to be closed after the test. */
  keep<H extends { close(): void }>(handle: H): H {
    this.#opened.push(handle);
    return handle;
  }

  /** A name that no test has used. */
  name(): string {
    this.#names++;
    return `pipe-conformance-${process.pid}-${this.#names}`;
  }

  /** Both ends of a pipe of strings. */
  strings(options: Omit<PipeOptions, 'codec'> = {}): Ends<string> {
    return this.kept(this.Pipe({ ...options, codec: 'string' }));
  }

  /** Both ends of a pipe of anything. */
  values<T = unknown>(options: Omit<PipeOptions, 'codec'> = {}): Ends<T> {
    return this.kept(this.Pipe<T>(options));
  }

  raw(options: Omit<PipeOptions, 'codec'> = {}): Ends<Uint8Array> {
    return this.kept(this.Pipe({ ...options, codec: 'raw' }));
  }

  kept<T>(ends: Ends<T>): Ends<T> {
    for (const end of ends) this.keep(end);
    return ends;
  }

  /** A queue for messages with connections in them. */
  carrier(options: { maxItems?: number } = {}): Queue<unknown> {
    return this.keep(new this.Queue<unknown>(options));
  }

  /** Gives an end away, to somebody who acts on it while this thread is blocked. */
  whileBlocked(end: Connection, acts: readonly PipeAct[]): Promise<void> {
    const queue = this.keep(this.Queue.create<unknown>(this.name()));
    queue.putNowait(end);
    return this.#subject.whileBlocked(queue, acts);
  }

  /** Calls that block, where they can be made. */
  blocking<C>(...calls: C[]): C[] {
    return this.capabilities.blocking ? calls : [];
  }

  cleanUp(): void {
    for (const handle of this.#opened.splice(0).reverse()) handle.close();
  }
}

/** A bench for the tests of one `describe`, which must leave nothing behind. */
export function pipeBenchFor(subject: PipeSubject): PipeBench {
  const bench = new PipeBench(subject);
  afterEach(() => {
    bench.cleanUp();
    expect(subject.backend.registry.list()).toEqual([]);
  });
  return bench;
}

/** `length` bytes that tell where they are. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

/** What a connection is filled with: shorter than what is said to find no room. */
export const FILLING = '~';

/** Sends until there is no room; how many went. */
export function fill(connection: Connection<string>): number {
  let count = 0;
  while (connection.trySend(FILLING)) count++;
  return count;
}
