import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { test } from './scene.js';

const QUEUES = 100;
const SECONDS = 3;

/** How often the threads of a process have gone to sleep: each timer that fires, each byte that arrives, is one more. */
function sleeps(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .map((tid) => readFileSync(`${tasks}/${tid}/status`, 'utf8'))
    .map((status) => Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1]))
    .reduce((sum, count) => sum + count, 0);
}

describe(`a process with ${QUEUES} queues open`, () => {
  // A timer of 250 ms fires 4 times a second. Node itself is given two dozen wake-ups of its own: collecting, tiering up.
  const NODES_OWN = 24;

  test.for([
    ['never waited', 0],
    ['has waited', 0],
    ['waits', 4 * SECONDS],
  ] as const)('that %s does nothing', async ([does, looks], { scene }) => {
    const program = scene.start('many-open', [QUEUES, does]);
    await program.says('idle');
    await delay(1000); // what starting left to be done has been done
    const before = sleeps(program.pid);
    await delay(SECONDS * 1000);
    const during = sleeps(program.pid) - before;
    console.log(`  ${does}: ${during} wake-ups in ${SECONDS} s`);
    expect(during).toBeLessThanOrEqual(looks + NODES_OWN);
    program.tell('end');
    expect(await program.ends()).toEqual({ code: 0, signal: null });
  });
});
