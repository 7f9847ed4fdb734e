import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';

import { nodes } from './nodes.js';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';
import type { Scene } from './scene.js';

const TERMINATIONS = atScale(150, 5_000); // in each of two runs
const RUN_WATCHDOG_MS = atScale(300_000, 3_600_000);
/** Of the messages that a thread was given ahead, so many are taken at once. */
const COMMITTED = 16;
const NATURAL_END = { code: 0, signal: null };
const MEMORY = { environment: { INTERPROC_BACKEND: 'memory' } };

/** Long enough for a process that has nothing to wait for to be gone, on any machine that runs tests. */
const LOOK_AFTER_MS = 700;

/** What a deed of memory-threads.mjs came to; it leaves nothing that keeps the process. */
async function resultOf(scene: Scene, node: string, deed: string, ...args: string[]) {
  const program = scene.start('memory-threads', [deed, ...args], { node });
  const result = await program.says('result');
  expect(await program.ends()).toEqual(NATURAL_END);
  return result;
}

describe.each(nodes)('threads of one process, under Node $version', ({ path }) => {
  test.for([
    ['a thread that was there before the first use', 'from one who was there before'],
    ['eight threads at once, strangers to each other', [0, 1, 2, 3, 4, 5, 6, 7]],
    ['a worker of a worker', 'from a worker of a worker'],
    ['a handle in a message', 'by a handle that travelled'],
    ['two handles in one thread', { got: 'to oneself', participants: 2, left: 1 }],
    ['nothing but nonsense on the channel', 'from a worker of a worker'],
  ] as const)('meet: %s', async ([deed, expected], { scene }) => {
    expect(await resultOf(scene, path, deed)).toEqual(expected);
  });

  test('meet when two copies of the package are there', async ({ scene }) => {
    const directory = mkdtempSync(join(tmpdir(), 'interproc-copy-'));
    try {
      cpSync(fileURLToPath(new URL('../../dist', import.meta.url)), join(directory, 'dist'), {
        recursive: true,
      });
      writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
      const copy = join(directory, 'dist', 'index.js');
      expect(await resultOf(scene, path, 'two copies of the package', copy)).toEqual({
        got: 'from the other copy',
        isAnother: true,
        listed: 1,
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.for(['exit', 'throw', 'end'])(
    'get back what one took that died (%s), though they are blocked all the time',
    async (how, { scene }) => {
      const deed = 'a death that a blocked thread learns of';
      expect(await resultOf(scene, path, deed, how)).toEqual({ value: 'work', deliveries: 2 });
    },
  );

  test('are told when the hub has ended with the thread that started it, and go on', async ({
    scene,
  }) => {
    const deed = 'the end of the thread that has the hub';
    expect(await resultOf(scene, path, deed)).toEqual({
      code: 'ERR_BROKER',
      message: expect.stringContaining('the thread that started it has ended') as string,
      left: 0,
      got: 'anew',
    });
  });

  test('open anew with another hub, though nobody has told them that the last one has ended', async ({
    scene,
  }) => {
    const deed = 'the end of the thread that has the hub, unnoticed';
    expect(await resultOf(scene, path, deed)).toEqual({ got: 'anew', old: 'ERR_BROKER' });
  });

  test('start no hub to list what is not there', async ({ scene }) => {
    expect(await resultOf(scene, path, 'a list of what is not there')).toEqual({
      listed: [],
      isHubThere: false,
      isListedStill: 1,
    });
  });

  test('are told so when they are blocked', async ({ scene }) => {
    const deed = 'the end of the thread that has the hub, for one that is blocked';
    expect(await resultOf(scene, path, deed)).toEqual({ code: 'ERR_BROKER' });
  });

  test('have nothing that a test runner would call a leak', async ({ scene }) => {
    const deed = 'no handle that a test runner would find';
    // Says so as soon as it is so.
    expect(await resultOf(scene, path, deed)).toEqual({ during: true, after: false });
  });

  test.for([
    ['process.exit, a thread blocked', 7],
    ['process.exit, everybody at work', 7],
    ['an uncaught error', 1],
    ['the end of its text', 0],
  ] as const)('end with their process: %s', async ([deed, code], { scene }) => {
    const program = scene.start('memory-threads', [deed], { node: path });
    expect(await program.ends()).toEqual({ code, signal: null });
  });

  test.for([
    'an idle open queue',
    'an idle queue that has waited before',
    'a queue whose wait timed out',
    'an unacknowledged message',
    'an unref’d pending get',
    'a pending get, unref’d afterwards',
    'an unref’d pending put',
    'a closed queue',
  ])('do not keep it alive: %s', async (deed, { scene }) => {
    const program = scene.start('keeping-alive', [deed], { node: path, ...MEMORY });
    expect(await program.says('end-of-text')).toBe(true);
    expect(await program.ends()).toEqual(NATURAL_END);
  });

  test.for(['a pending get', 'a pending get, unref’d and ref’d again', 'a pending put'])(
    'keep it alive: %s',
    async (deed, { scene }) => {
      const program = scene.start('keeping-alive', [deed], { node: path, ...MEMORY });
      expect(await program.says('end-of-text')).toBe(true);
      await delay(LOOK_AFTER_MS);
      expect(program.isRunning).toBe(true);
      await program.kill();
    },
  );

  test.for(['getting', 'receiving'] as const)(
    `${TERMINATIONS} of them terminated in every state, some of them %s, leave the queue whole`,
    { timeout: RUN_WATCHDOG_MS + 60_000 },
    async (how, { scene }) => {
      const args = [TERMINATIONS, printedSeed('termination on the memory backend'), how];
      const program = scene.start('terminated-workers', args, { node: path, ...MEMORY });
      expect(await program.ends(RUN_WATCHDOG_MS)).toEqual(NATURAL_END);
      const result = (await program.says('result')) as Record<string, unknown> & {
        readonly lost: number;
        readonly permitted: number;
      };
      // A get that was terminated may have taken along what was committed of its hand; nothing else may be missing.
      expect(result.lost).toBeLessThanOrEqual(how === 'getting' ? COMMITTED * result.permitted : 0);
      expect(result['after']).toEqual(result['before']);
      expect(result['unacknowledged']).toBe(0);
    },
  );
});
