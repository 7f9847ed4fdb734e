/** What the conformance suite is run on, and the little it needs around it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterEach, expect } from 'vitest';

import type { Capabilities } from '../../src/contract/capabilities.js';
import type { Backend } from '../../src/contract/channel.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import type { QueueConstructor } from '../../src/primitives/bind-queue.js';
import type { Queue } from '../../src/primitives/queue.js';

/** What somebody else does with a queue of strings, in order, each with the blocking call. */
export type Act =
  | { readonly act: 'put'; readonly value: string }
  | { readonly act: 'get' }
  | { readonly act: 'taskDone' }
  | { readonly act: 'end' };

export interface Subject {
  readonly backend: Backend;
  /** Has somebody else act on the queue `name` while this thread is blocked; resolves when it is done. */
  whileBlocked(name: string, acts: readonly Act[]): Promise<void>;
}

/** How long the suite watches a call that must not end. */
const WATCH_MS = 30;

export class Bench {
  readonly Queue: QueueConstructor;
  readonly backend: Backend;
  readonly capabilities: Capabilities;
  readonly whileBlocked: Subject['whileBlocked'];
  readonly #opened: Pick<Queue, 'close' | 'unlink'>[] = [];
  #names = 0;

  constructor(subject: Subject) {
    this.backend = subject.backend;
    this.capabilities = subject.backend.capabilities;
    this.whileBlocked = (name, acts) => subject.whileBlocked(name, acts);
    this.Queue = bindQueue(() => subject.backend);
  }

  /** A name that no test has used. */
  name(): string {
    this.#names++;
    return `conformance-${process.pid}-${this.#names}`;
  }

  /** Remembers a queue, to be removed after the test. */
  keep<Q extends Pick<Queue, 'close' | 'unlink'>>(queue: Q): Q {
    this.#opened.push(queue);
    return queue;
  }

  strings(
    options: { capacityBytes?: number; maxItems?: number; name?: string } = {},
  ): Queue<string> {
    const { name = this.name(), ...rest } = options;
    return this.keep(this.Queue.create(name, { codec: 'string', ...rest }));
  }

  /** Room for `count` short messages. */
  small(count: number): Queue<string> {
    return this.strings({ maxItems: count });
  }

  /** Calls that block, where they can be made. */
  blocking<C>(...calls: C[]): C[] {
    return this.capabilities.blocking ? calls : [];
  }

  cleanUp(): void {
    for (const queue of this.#opened.splice(0).reverse()) {
      try {
        queue.unlink();
      } catch {
        // It is closed or gone, as the test wanted.
      }
      queue.close();
    }
  }
}

/** A bench for the tests of one `describe`, which must leave nothing behind. */
export function benchFor(subject: Subject): Bench {
  const bench = new Bench(subject);
  afterEach(() => {
    bench.cleanUp();
    const left = subject.backend.registry.list().map(({ name }) => name);
    // Removed, so that the other tests do not meet it.
    for (const name of left) {
      const channel = subject.backend.openChannel(name, 'open', {});
      channel.unlink();
      channel.close();
    }
    expect(left).toEqual([]);
  });
  return bench;
}

/** Rows of a table of bad values, each with how it is shown in the name of its test. */
export function rows<T>(values: readonly T[]): [shown: string, value: T][] {
  return values.map((value) => [inspect(value, { breakLength: Infinity }).slice(0, 60), value]);
}

export function coded(code: string): unknown {
  return expect.objectContaining({ code });
}

/** What a promise has come to after a while: its value, its error, or 'pending'. */
export async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([
    promise.catch((error: unknown) => error),
    sleep(WATCH_MS, 'pending', { ref: true }),
  ]);
}
