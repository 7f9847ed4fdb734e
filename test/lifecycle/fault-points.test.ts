import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect } from 'vitest';
import { Fates } from './fates.js';
import type { Settled, Step } from './fates.js';
import type { Program } from './program.js';
import { test } from './scene.js';
import type { Scene } from './scene.js';
import type { Terminal } from './terminal.js';

const BUILD_WATCHDOG_MS = 900_000;
const RUN_WATCHDOG_MS = 600_000;

/** Long enough for a wait to have fallen asleep, mostly: which of the two it is decides what is met, not what is right. */
const FALL_ASLEEP_MS = 15;

const KILLED = { code: null, signal: 'SIGKILL' };
const NATURAL_END = { code: 0, signal: null };
const OPTIONS = { capacityBytes: 4096 };

let addon = '';
beforeAll(() => {
  const script = fileURLToPath(new URL('../../scripts/build-fault-addon.mjs', import.meta.url));
  addon = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
}, BUILD_WATCHDOG_MS);

function live(scene: Scene, life: string, fault: string): Program {
  const environment = { INTERPROC_ADDON: addon, INTERPROC_FAULT: fault };
  return scene.start('step-by-step', [life], { environment });
}

/** Its next step; undefined when it will announce no more. */
async function nextStep(program: Program): Promise<Step | undefined> {
  try {
    return (await program.says('step')) as Step;
  } catch (error) {
    if (program.isRunning) throw error;
    return undefined;
  }
}

/** Follows it to its end, whichever that is, and does what it waits for. */
async function accompany(program: Program, survivor: Terminal, fates: Fates): Promise<void> {
  for (;;) {
    const step = await nextStep(program);
    if (step === undefined) return;
    const isOfRoom = step.step === 'put';
    if (step.at === 'before') {
      if (isOfRoom) await survivor.call('fill', 'jobs', 'filler');
      else fates.put(step.value);
      program.tell('go');
    } else if (step.value.startsWith('w') && step.at === 'doing') {
      fates.follow(step);
      await delay(FALL_ASLEEP_MS);
      if (isOfRoom) await survivor.call('get', 'jobs');
      else await survivor.call('put', 'jobs', step.value);
    } else {
      fates.follow(step);
    }
  }
}

/** The queue is whole: what is in it is what must be, and all its room is there. */
async function inspect(survivor: Terminal, newcomer: Terminal, fates: Fates, room: number) {
  // Whoever takes over the place of the dead notices the death.
  await newcomer.call('open', 'jobs');
  await newcomer.call('close', 'jobs');
  const settled = (await survivor.call('settle', 'jobs')) as Settled[];
  const found = settled.filter(({ value }) => value !== 'filler');
  const refilled = await survivor.call('fill', 'jobs', 'filler');
  await survivor.call('drain', 'jobs');
  return {
    wrong: fates.contradictions(found),
    participants: await survivor.participants('jobs'),
    lostRoom: room - Number(refilled),
  };
}

const WHOLE = { wrong: [], participants: 1, lostRoom: 0 };

async function isStopped(program: Program): Promise<boolean> {
  while (program.isRunning) {
    const stat = readFileSync(`/proc/${program.pid}/stat`, 'utf8');
    if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')) return true;
    if (program.hasSaid('lived')) return false;
    await delay(2);
  }
  return false;
}

describe('a process among others', { timeout: RUN_WATCHDOG_MS }, () => {
  test.for(['exchange', 'wait'])(
    'killed at every step of its %s leaves the queue whole',
    async (life, { scene }) => {
      const survivor = scene.terminal();
      const newcomer = scene.terminal();
      await survivor.call('create', 'jobs', OPTIONS);
      const room = Number(await survivor.call('fill', 'jobs', 'filler'));
      await survivor.call('drain', 'jobs');
      let point = 1;
      for (; ; point += 1) {
        const fates = new Fates();
        for (const value of life === 'exchange' ? ['m1', 'm2', 'm3'] : []) {
          await survivor.call('put', 'jobs', value);
          fates.put(value);
        }
        const victim = live(scene, life, `kill:${point}`);
        await accompany(victim, survivor, fates);
        const ending = await victim.ends();
        const whole = await inspect(survivor, newcomer, fates, room);
        expect({ point, ...whole }, scene.describe()).toEqual({ point, ...WHOLE });
        if (victim.hasSaid('lived')) break;
        expect(ending, `at point ${point}`).toEqual(KILLED);
      }
      console.log(`  killed at ${point - 1} points of '${life}'`);
      expect(point).toBeGreaterThan(30);
      await newcomer.leave();
      await survivor.leave();
    },
  );

  test('stopped at every step of its exchange holds up nobody’s put, and then goes on', async ({
    scene,
  }) => {
    const survivor = scene.terminal();
    const newcomer = scene.terminal();
    await survivor.call('create', 'jobs', OPTIONS);
    const room = Number(await survivor.call('fill', 'jobs', 'filler'));
    await survivor.call('drain', 'jobs');
    for (let point = 1; ; point += 1) {
      const fates = new Fates();
      for (const value of ['m1', 'm2', 'm3']) {
        await survivor.call('put', 'jobs', value);
        fates.put(value);
      }
      const stopped = live(scene, 'exchange', `stop:${point}`);
      const followed = accompany(stopped, survivor, fates);
      const hasStopped = await isStopped(stopped);
      if (hasStopped) {
        expect(await survivor.call('tryPut', 'jobs', 'filler')).toBe(true);
        stopped.signal('SIGCONT');
      }
      await followed;
      expect(await stopped.ends()).toEqual(NATURAL_END);
      const whole = await inspect(survivor, newcomer, fates, room);
      expect({ point, ...whole }, scene.describe()).toEqual({ point, ...WHOLE });
      if (!hasStopped) break;
    }
    await newcomer.leave();
    await survivor.leave();
  });
});

test(
  'a process alone, killed at every step from the creation to the removal, is in nobody’s way',
  { timeout: RUN_WATCHDOG_MS },
  async ({ scene }) => {
    const next = scene.terminal();
    let point = 1;
    for (; ; point += 1) {
      const fates = new Fates();
      const victim = live(scene, 'live', `kill:${point}`);
      for (let step = await nextStep(victim); step !== undefined; step = await nextStep(victim)) {
        fates.follow(step);
      }
      const ending = await victim.ends();
      const lived = victim.hasSaid('lived');
      expect(ending, `at point ${point}`).toEqual(lived ? NATURAL_END : KILLED);

      const found = await next.call('create', 'jobs').then(
        () => [],
        async (error: { code: string }) => {
          expect(error.code).toBe('ERR_EXISTS');
          await next.call('open', 'jobs');
          const settled = await next.call('settle', 'jobs');
          expect(settled, 'a queue that was in the way held something').not.toEqual([]);
          return settled;
        },
      );
      expect(fates.contradictions(found as Settled[]), `at point ${point}`).toEqual([]);
      await next.call('put', 'jobs', 'alive');
      expect(await next.call('get', 'jobs')).toBe('alive');
      await next.call('close', 'jobs');
      // A doorbell that was hung up but never announced is found by prune only.
      expect(scene.files().filter((name) => !name.startsWith('~bell-'))).toEqual([]);
      await next.call('prune');
      expect(scene.files(), `at point ${point}`).toEqual([]);
      if (lived) break;
    }
    console.log(`  killed at ${point - 1} points`);
    expect(point).toBeGreaterThan(30);
    await next.leave();
  },
);
