import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Guard } from '../../src/primitives/guard.js';
import type { WaitOptions } from '../../src/primitives/wait-options.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockBench, LockSubject } from './lock-subject.js';

const HANDLES = 3;
const RUNS = 40;

const ACTS = [
  'acquire',
  'acquire',
  'try',
  'acquireOther',
  'release',
  'release',
  'abort',
  'close',
] as const;
type Act = readonly [handle: number, act: (typeof ACTS)[number], which: number];

/** What one may do with a lock of some kind: the right that most calls are about, and another one if it has two. */
interface Handle {
  acquire(isOther: boolean, options: WaitOptions): Promise<Guard>;
  tryAcquire(): Guard | null;
  close(): void;
  unlink(): void;
}

interface Kind {
  readonly name: string;
  /** How many may hold the first right at once; the other one is shared by any number, and not at the same time. */
  readonly capacity: number;
  readonly tellsRecovered: boolean;
  open(bench: LockBench, name: string): Handle;
}

const KINDS: readonly Kind[] = [
  {
    name: 'Lock',
    capacity: 1,
    tellsRecovered: true,
    open({ classes }, name) {
      const lock = classes.Lock.openOrCreate(name);
      return handleOf(
        lock,
        (_, options) => lock.acquire(options),
        () => lock.tryAcquire(),
      );
    },
  },
  {
    name: 'BoundedSemaphore',
    capacity: 2,
    tellsRecovered: true,
    open({ classes }, name) {
      const permits = classes.BoundedSemaphore.openOrCreate(name, 2);
      return handleOf(
        permits,
        (_, options) => permits.acquire(options),
        () => permits.tryAcquire(),
      );
    },
  },
  {
    name: 'RWLock',
    capacity: 1,
    tellsRecovered: false,
    open({ classes }, name) {
      const lock = classes.RWLock.openOrCreate(name);
      return handleOf(
        lock,
        (isOther, options) => (isOther ? lock.acquireRead(options) : lock.acquireWrite(options)),
        () => lock.tryAcquireWrite(),
      );
    },
  },
];

function handleOf(
  lock: Pick<Handle, 'close' | 'unlink'>,
  acquire: Handle['acquire'],
  tryAcquire: Handle['tryAcquire'],
): Handle {
  return { acquire, tryAcquire, close: () => lock.close(), unlink: () => lock.unlink() };
}

interface Task {
  readonly handle: number;
  readonly isOther: boolean;
  readonly controller: AbortController;
  guard: Guard | undefined;
}

/** Handles of one lock, and by the plainest possible account who holds it and who waits. */
class House {
  readonly #kind: Kind;
  readonly #open: () => Handle;
  readonly #handles: Handle[];
  readonly #pending: Task[] = [];
  readonly #held: Task[] = [];
  #isAbandoned = false;
  #failure: unknown;

  constructor(kind: Kind, open: () => Handle) {
    this.#kind = kind;
    this.#open = open;
    this.#handles = Array.from({ length: HANDLES }, open);
  }

  async do([index, act, which]: Act): Promise<void> {
    const handle = this.#handles[index] as Handle;
    if (act === 'acquire' || act === 'acquireOther') {
      this.#acquire(index, handle, act === 'acquireOther' && this.#kind.name === 'RWLock');
    } else if (act === 'try') {
      const guard = handle.tryAcquire();
      const controller = new AbortController();
      if (guard !== null) this.#got({ handle: index, isOther: false, controller, guard }, guard);
    } else if (act === 'release') {
      const task = this.#held.splice(which % Math.max(this.#held.length, 1), 1)[0];
      task?.guard?.release();
    } else if (act === 'abort') {
      this.#pending[which % Math.max(this.#pending.length, 1)]?.controller.abort();
    } else {
      for (const task of this.#held.filter((one) => one.handle === index)) {
        this.#held.splice(this.#held.indexOf(task), 1);
        this.#isAbandoned = true;
      }
      handle.close();
      this.#handles[index] = this.#open();
    }
    await this.#settle();
  }

  #acquire(index: number, handle: Handle, isOther: boolean): void {
    const controller = new AbortController();
    const task: Task = { handle: index, isOther, controller, guard: undefined };
    this.#pending.push(task);
    handle.acquire(isOther, { signal: controller.signal }).then(
      (guard) => {
        // Served in order.
        const mine = this.#pending.filter((one) => one.handle === index && one.isOther === isOther);
        this.#check(() => expect(mine[0]).toBe(task));
        this.#over(task);
        this.#got(task, guard);
      },
      () => this.#over(task),
    );
  }

  #over(task: Task): void {
    this.#pending.splice(this.#pending.indexOf(task), 1);
  }

  #got(task: Task, guard: Guard): void {
    task.guard = guard;
    this.#held.push(task);
    const others = this.#held.filter(({ isOther }) => isOther).length;
    const first = this.#held.length - others;
    this.#check(() => {
      expect(first).toBeLessThanOrEqual(this.#kind.capacity);
      expect(Math.min(first, others)).toBe(0);
      if (this.#kind.tellsRecovered) expect(guard.recovered).toBe(this.#isAbandoned);
    });
    this.#isAbandoned = false;
  }

  #check(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  /** Until nobody waits who need not: the watchdog of the test is what finds the one who is forgotten. */
  async #settle(): Promise<void> {
    do {
      for (let i = 0; i < 2; i++) await turn();
      if (this.#failure !== undefined) throw this.#failure;
    } while (!this.#isSettled());
  }

  #isSettled(): boolean {
    if (this.#pending.some(({ controller }) => controller.signal.aborted)) return false;
    if (this.#pending.length === 0) return true;
    const others = this.#held.filter(({ isOther }) => isOther).length;
    const first = this.#held.length - others;
    if (first === this.#kind.capacity) return true;
    // Those who wait to write keep others from reading.
    return others > 0 && this.#pending.some(({ isOther }) => !isOther);
  }

  async leave(): Promise<void> {
    while (this.#held.length > 0) await this.do([0, 'release', 0]);
    expect(this.#pending).toEqual([]);
    for (const handle of this.#handles) handle.close();
  }
}

export function lockModel(subject: LockSubject): void {
  describe('whatever is done with', () => {
    const bench = lockBenchFor(subject);

    it.each(KINDS)(
      'a $name, nobody is let in who must not be, and nobody left waiting who need not',
      async (kind) => {
        const acts = fc.array(fc.tuple(fc.nat(HANDLES - 1), fc.constantFrom(...ACTS), fc.nat(7)), {
          maxLength: 40,
        });
        await fc.assert(
          fc.asyncProperty(acts, async (sequence) => {
            const name = bench.name();
            const house = new House(kind, () => kind.open(bench, name));
            for (const act of sequence) await house.do(act);
            await house.leave();
          }),
          { numRuns: RUNS },
        );
      },
      60_000,
    );
  });
}
