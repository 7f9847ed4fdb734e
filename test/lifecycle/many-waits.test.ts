import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { Program } from './program.js';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';
import type { Scene } from './scene.js';

const QUEUES = atScale(2_000, 10_000);
/** What a process needs besides one descriptor for each queue. */
const OTHER_DESCRIPTORS = 100;
const TOKEN_BYTES = 4;

interface Woken {
  readonly order: number[];
  readonly waits: number[];
  readonly wakes: number[];
}

/** What a process may have open: Node raises its limit to the hard one by itself. */
function descriptorLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  return hard === 'unlimited' ? Infinity : Number(hard);
}

/** Takes what has been written into the doorbells and not been read: wakes that nobody will hear of. */
function swallowRings(scene: Scene): number {
  let bytes = 0;
  for (const name of scene.files().filter((file) => file.startsWith('~bell-'))) {
    const bell = openSync(`${scene.directory}/${name}`, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      for (const buffer = Buffer.alloc(1 << 16); ;) bytes += readSync(bell, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    } finally {
      closeSync(bell);
    }
  }
  return bytes / TOKEN_BYTES;
}

async function leave(...programs: Program[]): Promise<void> {
  for (const program of programs) expect(await program.ends()).toEqual({ code: 0, signal: null });
}

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

const ALL = Array.from({ length: QUEUES }, (_, index) => index);
const ONCE_EACH = Array.from({ length: QUEUES }, () => 1);

describe.skipIf(descriptorLimit() < QUEUES + OTHER_DESCRIPTORS)(
  `${QUEUES} pending gets of one process, each on a queue of its own`,
  () => {
    test('are woken once each by the message of theirs, and never by that of another', async ({
      scene,
    }) => {
      const waiter = scene.start('wait-on-many', [QUEUES]);
      await waiter.says('waiting');
      const waker = scene.start('wake-many', [QUEUES, printedSeed('the order of the wakes')]);
      await waker.says('rung');
      const { order, waits, wakes } = (await waiter.says('woken')) as Woken;
      expect(sorted(order)).toEqual(ALL);
      // A look at a queue that was not rung would have had to arm it anew.
      expect(waits).toEqual(ONCE_EACH);
      // The timer's look may come between a put and its ring, if seldom.
      expect(wakes.filter((count) => count === 1).length).toBeGreaterThan(QUEUES / 2);
      waker.tell('go');
      await leave(waiter, waker);
    });

    test('find their messages by themselves when every wake is lost', async ({ scene }) => {
      const waiter = scene.start('wait-on-many', [QUEUES]);
      await waiter.says('waiting');
      waiter.signal('SIGSTOP');
      const waker = scene.start('wake-many', [QUEUES, printedSeed('the order of the wakes')]);
      await waker.says('rung');
      expect(swallowRings(scene)).toBe(QUEUES);
      waiter.signal('SIGCONT');
      const { order, waits } = (await waiter.says('woken')) as Woken;
      expect(waits).toEqual(ONCE_EACH);
      expect(sorted(order)).toEqual(ALL);
      waker.tell('go');
      await leave(waiter, waker);
    });
  },
);
