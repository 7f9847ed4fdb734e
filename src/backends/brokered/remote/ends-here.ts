/** Which ends of pipes this thread holds: blocking on one whose other end is here too would never end. */

import type { EndIndex } from '../../../contract/pipe.js';

/** An end as the one beside it needs it. */
export interface EndHere {
  /** The other end of its pipe was closed in this very thread. */
  peerWasClosed(): void;
}

type Both = [WeakRef<EndHere> | undefined, WeakRef<EndHere> | undefined];

/** Those behind one link. Weakly, so that forgotten ones are collected. */
export class EndsHere {
  readonly #pipes = new Map<bigint, Both>();
  readonly #forgotten = new FinalizationRegistry<bigint>((pipe) => this.#sweep(pipe));

  add(pipe: bigint, index: EndIndex, end: EndHere): void {
    const both = this.#pipes.get(pipe) ?? [undefined, undefined];
    both[index] = new WeakRef(end);
    this.#pipes.set(pipe, both);
    this.#forgotten.register(end, pipe, end);
  }

  /** The one of that pipe with that index, if it is here. */
  get(pipe: bigint, index: EndIndex): EndHere | undefined {
    return this.#pipes.get(pipe)?.[index]?.deref();
  }

  /** Nothing if another has its place by now. */
  remove(pipe: bigint, index: EndIndex, end: EndHere): void {
    this.#forgotten.unregister(end);
    const both = this.#pipes.get(pipe);
    if (both?.[index]?.deref() === end) both[index] = undefined;
    this.#sweep(pipe);
  }

  #sweep(pipe: bigint): void {
    const isEmpty = this.#pipes.get(pipe)?.every((end) => end?.deref() === undefined);
    if (isEmpty === true) this.#pipes.delete(pipe);
  }
}

const ofLinks = new WeakMap<object, EndsHere>();

export function endsBehind(link: object): EndsHere {
  let ends = ofLinks.get(link);
  if (ends === undefined) ofLinks.set(link, (ends = new EndsHere()));
  return ends;
}
