import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Delivery } from '../../src/primitives/delivery.js';
import type { Queue } from '../../src/primitives/queue.js';
import { benchFor, coded } from './subject.js';
import type { Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

const ACTS = ['put', 'get', 'getMany', 'receive', 'ack', 'nack', 'taskDone', 'close'] as const;
type Act = readonly [handle: number, act: (typeof ACTS)[number]];

const HANDLES = 3;
const RUNS = 60;

interface Handle {
  queue: Queue<string>;
  held: Delivery<string>[];
  got: number;
}

/** Handles of one queue, and by the plainest possible account what of it is unfinished. */
class Office {
  readonly #open: () => Queue<string>;
  readonly #hasRedelivery: boolean;
  readonly #handles: Handle[];
  #waiting = 0;

  constructor(open: () => Queue<string>, hasRedelivery: boolean) {
    this.#open = open;
    this.#hasRedelivery = hasRedelivery;
    this.#handles = Array.from({ length: HANDLES }, () => this.#newHandle());
  }

  #newHandle(): Handle {
    return { queue: this.#open(), held: [], got: 0 };
  }

  get unfinished(): number {
    return this.#handles.reduce((sum, { held, got }) => sum + held.length + got, this.#waiting);
  }

  do([index, act]: Act): void {
    const handle = this.#handles[index] as Handle;
    const { queue, held } = handle;
    switch (act) {
      case 'put':
        queue.putNowait('a job');
        this.#waiting++;
        return;
      case 'get':
        this.#got(handle, queue.tryGet() === undefined ? 0 : 1);
        return;
      case 'getMany':
        this.#got(handle, queue.tryGetMany({ max: 3 }).length);
        return;
      case 'receive': {
        const delivery = this.#hasRedelivery ? queue.tryReceive() : undefined;
        if (delivery === undefined) return;
        this.#waiting--;
        held.push(delivery);
        return;
      }
      case 'ack':
        held.shift()?.ack();
        return;
      case 'nack':
        if (held.length > 0) this.#waiting++;
        held.pop()?.nack();
        return;
      case 'taskDone':
        if (handle.got > 0) queue.taskDone();
        else expect(thrownBy(() => queue.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
        handle.got = Math.max(handle.got - 1, 0);
        return;
      case 'close':
        queue.close();
        this.#waiting += held.length;
        this.#handles[index] = this.#newHandle();
    }
  }

  #got(handle: Handle, count: number): void {
    this.#waiting -= count;
    handle.got += count;
  }

  /** Finishes whatever is left. */
  finish(): void {
    for (const index of this.#handles.keys()) this.do([index, 'close']);
    while (this.#waiting > 0) this.do([0, 'get']);
    this.do([0, 'close']);
  }
}

export function joiningModel(subject: Subject): void {
  describe('joining, whatever is done in whatever order', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;
    const acts = fc.array(fc.tuple(fc.nat(HANDLES - 1), fc.constantFrom(...ACTS)), {
      maxLength: 60,
      size: 'max',
    });

    it('ends exactly when nothing is unfinished', async () => {
      await fc.assert(
        fc.asyncProperty(acts, async (all) => {
          const joiner = bench.strings();
          const office = new Office(
            () => bench.keep(Queue.open<string>(joiner.name)),
            bench.capabilities.redelivery,
          );
          for (const act of all) {
            office.do(act);
            const looked = joiner.join({ timeoutMs: 0 });
            if (office.unfinished === 0) await looked;
            else await expect(looked).rejects.toEqual(coded('ERR_TIMEOUT'));
          }
          const joined = joiner.join();
          office.finish();
          expect(office.unfinished).toBe(0);
          await joined;
          bench.cleanUp();
        }),
        { numRuns: RUNS },
      );
    });
  });
}
