import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { faultAddon } from './fault-addon.js';
import { Fates } from './fates.js';
import type { Fate, Settled, Step } from './fates.js';
import type { Program } from './program.js';
import { test } from './scene.js';
import type { Scene } from './scene.js';
import { Turns } from './turns.js';
import { WHOLE, Witnesses } from './witnesses.js';

const RUN_WATCHDOG_MS = 900_000;

/** Long enough for a wait to have fallen asleep, mostly: whether it has decides what is met, not what is right. */
const FALL_ASLEEP_MS = 15;

const KILLED = { code: null, signal: 'SIGKILL' };
const NATURAL_END = { code: 0, signal: null };

/** What a wait goes through, besides looking around, which passes the same points over and over. */
const POINTS_OF_A_WAIT = [
  'doorbell.made',
  'wait.armed',
  'wait.listed',
  'wait.sleep',
  'wait.disarmed',
  'ring.take',
  'ring.taken',
  'ring.head_moved',
  'queue.copied',
  'ledger.held',
  'ring.leave',
  'ring.left',
  'ledger.ack',
  'ring.claim',
  'ring.claimed',
  'ring.written',
  'ring.published',
];

/** What a call killed at this point of a wait has come to: a get, or a put. */
function decidedAt(point: string, step: string): Fate | undefined {
  if (step === 'get') return point === 'ring.left' ? 'gone' : 'present';
  if (step === 'put') return point === 'ring.published' ? 'present' : 'gone';
  return undefined;
}

const meets = faultAddon();

/** One life after another, each with the next fault. */
function lives(scene: Scene, life: string, fault: (turn: number) => string): Turns {
  return new Turns((turn) => {
    return scene.start('step-by-step', [life], meets(fault(turn)));
  });
}

/** Its steps, to the last one it announces. */
async function* stepsOf(program: Program): AsyncGenerator<Step, void> {
  for (;;) {
    try {
      yield (await program.says('step')) as Step;
    } catch (error) {
      if (program.isRunning) throw error;
      return;
    }
  }
}

/** Whether it lived to the end of its life; else it was killed. */
async function hasLived(program: Program, point: unknown): Promise<boolean> {
  const ending = await program.ends();
  const lived = program.hasSaid('lived');
  expect({ point, ...ending }).toEqual({ point, ...(lived ? NATURAL_END : KILLED) });
  return lived;
}

test(
  'killed at every step of puts, gets, receives, acks and nacks',
  { timeout: RUN_WATCHDOG_MS },
  async ({ scene }) => {
    const witnesses = await Witnesses.of(scene);
    const victims = lives(scene, 'exchange', (turn) => `kill:${turn}`);
    let point = 0;
    for (let lived = false; !lived;) {
      point += 1;
      const fates = new Fates();
      for (const value of ['m1', 'm2', 'm3']) await witnesses.put(value, fates);
      const victim = victims.next();
      for await (const step of stepsOf(victim)) fates.follow(step);
      lived = await hasLived(victim, point);
      const inspection = await witnesses.inspect(fates);
      expect({ point, ...inspection }, scene.describe()).toEqual({ point, ...WHOLE });
    }
    console.log(`  killed at ${point - 1} points`);
    expect(point).toBeGreaterThan(30);
    await victims.end();
    await witnesses.leave();
  },
);

/** Ends each of its waits once it has begun, and returns the step it was in when it died. */
async function endWaits(
  victim: Program,
  witnesses: Witnesses,
  fates: Fates,
): Promise<Step | undefined> {
  let last: Step | undefined;
  for await (const step of stepsOf(victim)) {
    last = step;
    const isForRoom = step.step === 'put';
    if (step.at === 'before') {
      if (isForRoom) await witnesses.fill();
      victim.tell('go');
      continue;
    }
    if (step.at === 'doing' && ['get', 'receive', 'put'].includes(step.step)) {
      await delay(FALL_ASLEEP_MS);
      if (isForRoom) await witnesses.survivor.call('get', 'jobs');
      else await witnesses.put(step.value, fates);
    }
    fates.follow(step);
  }
  return last;
}

test.for(POINTS_OF_A_WAIT)(
  'killed in a wait, at %s',
  { timeout: RUN_WATCHDOG_MS },
  async (point, { scene }) => {
    const witnesses = await Witnesses.of(scene);
    const victims = lives(scene, 'wait', (turn) => `kill:${turn}:${point}`);
    let pass = 0;
    for (let lived = false; !lived;) {
      pass += 1;
      const fates = new Fates();
      const victim = victims.next();
      const last = await endWaits(victim, witnesses, fates);
      lived = await hasLived(victim, pass);
      const decided = last?.at === 'doing' ? decidedAt(point, last.step) : undefined;
      if (!lived && last !== undefined && decided !== undefined) fates.set(last.value, decided);
      const { bells, ...inspection } = await witnesses.inspect(fates);
      expect({ pass, ...inspection, bells: [] }, scene.describe()).toEqual({ pass, ...WHOLE });
      // A doorbell that was hung up, but never announced to anybody, is found by prune only.
      expect(bells.length).toBe(point === 'doorbell.made' && !lived ? 1 : 0);
      await witnesses.survivor.call('prune');
    }
    expect(pass, 'the point was passed').toBeGreaterThan(1);
    await victims.end();
    await witnesses.leave();
  },
);

test('killed at every step of waking somebody', { timeout: RUN_WATCHDOG_MS }, async ({ scene }) => {
  const witnesses = await Witnesses.of(scene);
  const { survivor } = witnesses;
  const sleep = (step: Step) => {
    if (step.step === 'put') {
      return survivor.begin(step.value === 'awaited' ? 'get' : 'getSync', 'jobs');
    }
    return witnesses.fill().then(() => survivor.begin('put', 'jobs', 'made room'));
  };
  const victims = lives(scene, 'wake', (turn) => `kill:${turn}`);
  let point = 0;
  for (let lived = false; !lived;) {
    point += 1;
    const fates = new Fates();
    let sleeping: { readonly step: Step; readonly result: Promise<unknown> } | undefined;
    const victim = victims.next();
    const wakeUp = async () => {
      if (sleeping === undefined) return;
      const { step, result } = sleeping;
      sleeping = undefined;
      const value = await result;
      if (step.step === 'put') fates.set(String(value), 'gone');
      else fates.set('made room', 'present');
    };
    for await (const step of stepsOf(victim)) {
      if (step.at === 'before') {
        sleeping = { step, ...(await sleep(step)) };
        await delay(FALL_ASLEEP_MS);
        victim.tell('go');
      }
      fates.follow(step);
      if (step.at === 'did') await wakeUp();
    }
    lived = await hasLived(victim, point);
    if (sleeping !== undefined) {
      // Whoever was to be woken is woken now, if not by the dead.
      if (sleeping.step.step === 'put') {
        await witnesses.asNewcomer('put', 'last');
        fates.set('last', 'present');
      } else {
        await witnesses.asNewcomer('get');
      }
      await wakeUp();
    }
    const inspection = await witnesses.inspect(fates);
    expect({ point, ...inspection }, scene.describe()).toEqual({ point, ...WHOLE });
  }
  console.log(`  killed at ${point - 1} points`);
  expect(point).toBeGreaterThan(20);
  await victims.end();
  await witnesses.leave();
});

async function isStopped(program: Program): Promise<boolean> {
  while (program.isRunning && !program.hasSaid('lived')) {
    const stat = readFileSync(`/proc/${program.pid}/stat`, 'utf8');
    if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')) return true;
    await delay(2);
  }
  return false;
}

test(
  'stopped at every step of an exchange holds up nobody’s put, and then goes on',
  { timeout: RUN_WATCHDOG_MS },
  async ({ scene }) => {
    const witnesses = await Witnesses.of(scene);
    const victims = lives(scene, 'exchange', (turn) => `stop:${turn}`);
    let point = 0;
    for (let hasStopped = true; hasStopped;) {
      point += 1;
      const fates = new Fates();
      for (const value of ['m1', 'm2', 'm3']) await witnesses.put(value, fates);
      const stopped = victims.next();
      const followed = (async () => {
        for await (const step of stepsOf(stopped)) fates.follow(step);
      })();
      hasStopped = await isStopped(stopped);
      if (hasStopped) {
        expect(await witnesses.survivor.call('tryPut', 'jobs', 'filler')).toBe(true);
        stopped.signal('SIGCONT');
      }
      await followed;
      expect(await hasLived(stopped, point)).toBe(true);
      const inspection = await witnesses.inspect(fates);
      expect({ point, ...inspection }, scene.describe()).toEqual({ point, ...WHOLE });
    }
    expect(point).toBeGreaterThan(30);
    await victims.end();
    await witnesses.leave();
  },
);

test(
  'alone, killed at every step from the creation to the removal, is in nobody’s way',
  { timeout: RUN_WATCHDOG_MS },
  async ({ scene }) => {
    const next = scene.terminal();
    /** What is there of the dead: nothing, or a queue that holds something. Leaves `next` with a queue. */
    const takeOver = async (): Promise<Settled[]> => {
      try {
        await next.call('create', 'jobs');
        return [];
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_EXISTS' });
      }
      await next.call('open', 'jobs');
      const settled = (await next.call('settle', 'jobs')) as Settled[];
      expect(settled, 'what was in the way of create').not.toEqual([]);
      return settled;
    };
    const victims = lives(scene, 'live', (turn) => `kill:${turn}`);
    let point = 0;
    for (let lived = false; !lived;) {
      point += 1;
      const fates = new Fates();
      const victim = victims.next();
      for await (const step of stepsOf(victim)) fates.follow(step);
      lived = await hasLived(victim, point);
      expect(fates.contradictions(await takeOver()), `at point ${point}`).toEqual([]);
      await next.call('put', 'jobs', 'alive');
      expect(await next.call('get', 'jobs')).toBe('alive');
      await next.call('close', 'jobs');
      expect(scene.files().filter((name) => !name.startsWith('~bell-'))).toEqual([]);
      // A doorbell that was hung up, but never announced to anybody, is found by prune only.
      await next.call('prune');
      expect(scene.files(), `at point ${point}`).toEqual([]);
    }
    console.log(`  killed at ${point - 1} points`);
    expect(point).toBeGreaterThan(30);
    await victims.end();
    await next.leave();
  },
);
