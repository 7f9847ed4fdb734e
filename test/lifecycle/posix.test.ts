import { chmodSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';

import { PosixSemaphore, PosixSharedMemory } from '../../src/posix.js';
import { PosixNames } from '../conformance/posix-names.js';
import { nodes } from './nodes.js';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';

const NATURAL_END = { code: 0, signal: null };
const BYTES = 10_000;
/** Long enough for a process that has nothing to wait for to be gone, on any machine that runs tests. */
const LOOK_AFTER_MS = 700;
const TERMINATIONS = atScale(36, 5_000);
const RUN_WATCHDOG_MS = atScale(300_000, 3_600_000);

const names = new PosixNames('lifecycle');

function memoryOf(byteLength = BYTES): PosixSharedMemory {
  return names.keep(PosixSharedMemory.create(names.next(), byteLength));
}

function semaphoreOf(value: number): PosixSemaphore {
  return names.keep(PosixSemaphore.create(names.next(), value));
}

describe.each(nodes)('under Node $version', ({ path: node }) => {
  describe('what nobody closes', () => {
    const forgotten = { node, nodeArguments: ['--expose-gc'] };

    test.for([
      ['forgotten handles', { before: 20, after: 0 }],
      ['a kept array', { after: 1, seen: 9, afterwards: 0 }],
      ['taken away and closed', { after: 1, seen: 9, afterwards: 0 }],
      ['taken away and forgotten', { after: 1, seen: 9, afterwards: 0 }],
      ['marked and closed', { afterwards: 0 }],
      ['closed in a loop', { after: 0, afterwards: 0 }],
    ] as const)(
      'is unmapped when it is garbage, no sooner: %s',
      async ([deed, result], { scene }) => {
        const memory = memoryOf();
        const program = scene.start('posix-forgotten', [deed, memory.name], forgotten);
        const said = await program.says('result');
        if (said !== 'cannot be transferred') expect(said).toEqual(result);
        expect(await program.ends()).toEqual(NATURAL_END);
        memory.unlink();
      },
    );

    test('is unmapped when it is garbage, semaphores too', async ({ scene }) => {
      const semaphore = semaphoreOf(0);
      const args = ['forgotten semaphores', semaphore.name];
      const program = scene.start('posix-forgotten', args, forgotten);
      expect(await program.says('result')).toEqual({ before: 1, after: 0 });
      expect(await program.ends()).toEqual(NATURAL_END);
      semaphore.unlink();
    });
  });

  describe('leaving with memory and a semaphore open,', () => {
    test.for([
      'natural end',
      'process.exit',
      'throw',
      'SIGKILL',
      'worker terminate',
      'worker process.exit',
    ])('%s: as without them, and they stay', async (way, { scene }) => {
      const memory = memoryOf();
      const semaphore = semaphoreOf(2);
      const endings = [];
      for (const args of [[], [memory.name, semaphore.name]]) {
        const program = scene.start('posix-leaving', [way, ...args], { node });
        const code = await program.says(way.startsWith('worker') ? 'left' : 'holds');
        if (way === 'SIGKILL') program.signal('SIGKILL');
        endings.push({ code, ending: await program.ends() });
      }
      expect(endings[1]).toEqual(endings[0]);
      expect(PosixSharedMemory.open(memory.name).read(new Uint8Array(1))[0]).toBe(42);
      // Of its two waits one may have got the other permit before it left: nobody gives them back.
      expect(semaphore.value).toBeLessThanOrEqual(1);
      semaphore.post();
      semaphore.waitSync();
      memory.unlink();
      semaphore.unlink();
    });

    test(
      `${TERMINATIONS} terminated workers leave nothing mapped and take no permit`,
      { timeout: RUN_WATCHDOG_MS + 60_000 },
      async ({ scene }) => {
        const memory = memoryOf();
        const semaphore = semaphoreOf(0);
        const seed = printedSeed('termination with POSIX objects');
        const args = [TERMINATIONS, seed, memory.name, semaphore.name];
        const program = scene.start('posix-terminated', args, { node });
        expect(await program.ends(RUN_WATCHDOG_MS)).toEqual(NATURAL_END);
        const result = (await program.says('result')) as { before: number };
        expect(result).toEqual({ before: result.before, after: result.before, value: 0 });
        memory.unlink();
        semaphore.unlink();
      },
    );
  });

  describe('a program that comes to the end of its text', () => {
    test.for([
      'an idle semaphore',
      'a semaphore whose wait timed out',
      'a semaphore whose wait was aborted',
      'an unref’d pending wait',
      'a pending wait, unref’d afterwards',
      'an unref’d pending wait with a time-out',
    ])('ends with %s', async (deed, { scene }) => {
      const semaphore = semaphoreOf(0);
      const program = scene.start('posix-waiting', [deed, semaphore.name], { node });
      expect(await program.ends()).toEqual(NATURAL_END);
      semaphore.unlink();
    });

    test.for([
      'a pending wait',
      'a pending wait, unref’d and ref’d again',
      'a pending wait of a forgotten semaphore',
    ])('goes on with %s, and ends after it', async (deed, { scene }) => {
      const semaphore = semaphoreOf(0);
      const program = scene.start('posix-waiting', [deed, semaphore.name], {
        node,
        nodeArguments: ['--expose-gc'],
      });
      await program.says('end-of-text');
      await delay(LOOK_AFTER_MS);
      expect(program.isRunning).toBe(true);
      semaphore.post();
      expect(await program.ends()).toEqual(NATURAL_END);
      expect(semaphore.value).toBe(0);
      semaphore.unlink();
    });
  });
});

describe('another user', () => {
  test('is refused what the mode does not give', async ({ scene }) => {
    const memory = memoryOf();
    memory.write(Uint8Array.of(5));
    const semaphore = semaphoreOf(1);
    // Of an unprivileged user we are the same one to our own objects: nobody may write them.
    const isRoot = process.geteuid?.() === 0;
    chmodSync(PosixNames.fileOf(memory.name), isRoot ? 0o644 : 0o444);
    chmodSync(PosixNames.semaphoreFileOf(semaphore.name), isRoot ? 0o600 : 0);
    const program = scene.start('posix-other-user', [memory.name, semaphore.name]);
    expect(await program.says('result')).toEqual([
      { code: 'ERR_PERMISSION', errno: 13, syscall: 'shm_open' },
      { code: 'ERR_PERMISSION', errno: 13, syscall: 'shm_open' },
      5,
      { code: 'ERR_PERMISSION', errno: 13, syscall: 'sem_open' },
    ]);
    expect(await program.ends()).toEqual(NATURAL_END);
    memory.unlink();
    semaphore.unlink();
  });
});
