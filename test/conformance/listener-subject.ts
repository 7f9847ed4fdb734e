/** What the conformance suite of listeners is run on, and the little it needs around it. */

import { afterEach, expect } from 'vitest';

import type { Backend } from '../../src/contract/channel.js';
import type { ListenerOpener } from '../../src/contract/listener.js';
import type { PipeEnd, PipeOpener } from '../../src/contract/pipe.js';
import { bindListeners } from '../../src/primitives/bind-listeners.js';
import type { PipeNamespace } from '../../src/primitives/bind-listeners.js';
import { bindPipe } from '../../src/primitives/bind-pipe.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import type { QueueConstructor } from '../../src/primitives/bind-queue.js';
import { HandleClasses } from '../../src/primitives/passengers.js';

export type ListenerSubject = Backend & ListenerOpener & PipeOpener;

let names = 0;

export class ListenerBench {
  readonly Pipe: PipeNamespace;
  readonly Queue: QueueConstructor;
  readonly backend: ListenerSubject;
  readonly #opened: { close(): void }[] = [];

  constructor(backend: ListenerSubject) {
    const handles = new HandleClasses();
    const select = () => backend;
    this.backend = backend;
    this.Pipe = Object.assign(bindPipe(select, handles), bindListeners(select, handles));
    this.Queue = bindQueue(select, handles);
  }

  /** Remembers something, to be closed after the test. */
  keep<H extends { close(): void }>(handle: H): H {
    this.#opened.push(handle);
    return handle;
  }

  async kept<H extends { close(): void }>(promise: Promise<H>): Promise<H> {
    return this.keep(await promise);
  }

  /** A name that no test has used. */
  name(): string {
    names++;
    return `listener-conformance-${process.pid}-${names}`;
  }

  /** A client that keeps to no protocol: the end of its pipe, the other end of which waits to be accepted. */
  rawClient(name: string): PipeEnd {
    const backlog = this.backend.openBacklog(name);
    const { capacityBytes, maxMessageBytes, codec } = backlog.terms;
    const [ours, theirs] = this.backend.openPipe({ capacityBytes, maxMessageBytes, codec });
    expect(backlog.tryOffer(theirs)).toBe(0);
    backlog.close();
    return this.keep(ours);
  }

  cleanUp(): void {
    for (const handle of this.#opened.splice(0).reverse()) handle.close();
  }
}

/** A bench for the tests of one `describe`, which must leave nothing behind. */
export function listenerBenchFor(backend: ListenerSubject): ListenerBench {
  const bench = new ListenerBench(backend);
  afterEach(() => {
    bench.cleanUp();
    expect(backend.registry.list()).toEqual([]);
  });
  return bench;
}
