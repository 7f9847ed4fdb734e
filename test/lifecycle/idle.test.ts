import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { test } from './scene.js';
import { Terminal } from './terminal.js';

const QUEUES = 100;

/** Node has wake-ups of its own now and then, to collect or to compile: of so many spans, the quietest one counts. */
const SPANS = 5;
const SPAN_SECONDS = 3;

/** How often the threads of a process have gone to sleep: each timer that fires, each byte that arrives, is one more. */
function sleeps(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .map((tid) => readFileSync(`${tasks}/${tid}/status`, 'utf8'))
    .map((status) => Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1]))
    .reduce((sum, count) => sum + count, 0);
}

/** Wake-ups in the quietest span; no other is looked at once there is one with no more than `enough`. */
async function wakeUps(pid: number, enough: number): Promise<number> {
  let fewest = Infinity;
  for (let span = 0; span < SPANS && fewest > enough; span += 1) {
    const before = sleeps(pid);
    await delay(SPAN_SECONDS * 1000);
    fewest = Math.min(fewest, sleeps(pid) - before);
  }
  return fewest;
}

describe(`a process with ${QUEUES} queues open`, () => {
  test.for([
    ['does nothing when none has ever waited', 'never waited', 0],
    ['does nothing when all have waited', 'has waited', 0],
    // By one timer for all queues, whatever their number.
    ['looks four times a second, at most, when all of them wait', 'waits', 4 * SPAN_SECONDS],
  ] as const)('%s', async ([, does, atMost], { scene }) => {
    const program = scene.start('many-open', [QUEUES, does]);
    await program.says('idle');
    const during = await wakeUps(program.pid, atMost);
    console.log(`  ${does}: ${during} wake-ups in ${SPAN_SECONDS} s`);
    expect(during).toBeLessThanOrEqual(atMost);
    program.tell('end');
    expect(await program.ends()).toEqual({ code: 0, signal: null });
  });
});

test('a process that waits for locks and events looks four times a second, at most', async ({
  scene,
}) => {
  const owner = new Terminal(scene.start('lock-terminal'));
  const waiter = new Terminal(scene.start('lock-terminal'));
  for (const [className, holds, waits, ...args] of [
    ['Lock', 'acquire', 'acquire'],
    ['Semaphore', 'acquire', 'acquire', 1],
    ['RWLock', 'acquireWrite', 'acquireRead'],
    ['Event', 'clear', 'wait'],
    ['Barrier', 'abort', 'wait', 2],
  ] as const) {
    await owner.call('create', className, className, ...args);
    await waiter.call('open', className, className);
    await owner.call(holds, className);
    if (className === 'Barrier') await owner.call('reset', className);
    await waiter.begin(waits, className);
  }
  const atMost = 4 * SPAN_SECONDS;
  const during = await wakeUps(waiter.program.pid, atMost);
  console.log(`  waits for locks: ${during} wake-ups in ${SPAN_SECONDS} s`);
  expect(during).toBeLessThanOrEqual(atMost);
  await waiter.kill();
  await owner.leave();
});
