import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';

import { Lock, SharedMemory } from '../../src/context.js';
import type { Program } from './program.js';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';
import { SeededRandom } from './programs/seeded-random.mjs';

test('work under a lock is never interleaved, and of work that a kill interrupted the next owner is told', async ({
  scene,
}) => {
  const random = new SeededRandom(printedSeed('work under a lock'));
  vi.stubEnv('INTERPROC_DIR', scene.directory);
  const lock = Lock.create('lock');
  const memory = SharedMemory.create('numbers', 4096);
  const numbers = new Int32Array(memory.buffer, 0, 2);
  const start = async (index: number) => {
    const program = scene.start('lock-worker', [index % 2 === 0 ? 'await' : 'block']);
    await program.says('ready');
    return program;
  };
  const workers: Program[] = [];
  for (let i = 0; i < 4; i += 1) workers.push(await start(i));
  const everybody = [...workers];
  for (let kill = 0; kill < atScale(8, 200); kill += 1) {
    await sleep(random.below(60));
    const index = random.below(workers.length);
    await (workers[index] as Program).kill();
    workers[index] = await start(index);
    everybody.push(workers[index] as Program);
  }
  await sleep(100);
  for (const worker of workers) worker.tell('end');
  for (const worker of workers) {
    expect(await worker.says('done')).toBeGreaterThan(0);
    expect(await worker.ends()).toEqual({ code: 0, signal: null });
  }
  const told = everybody.filter((worker) => worker.hasSaid('recovered')).length;
  console.log(`  ${numbers[0]} times; ${told} were told of an interruption`);
  expect(everybody.filter((worker) => worker.hasSaid('violation'))).toEqual([]);
  const guard = lock.tryAcquire();
  expect(guard?.recovered).toBe(false);
  expect(numbers[0]).toBe(numbers[1]);
  memory.close();
  lock.close();
  vi.unstubAllEnvs();
});
