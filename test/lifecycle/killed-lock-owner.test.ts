import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';

import { atScale } from './scale.js';
import { BACKENDS, test, testOn } from './scene.js';
import type { Backend, Scene } from './scene.js';
import { CallFailed, Terminal } from './terminal.js';

/** A process that does with locks what the test tells it. */
function lockTerminal(scene: Scene): Terminal {
  return new Terminal(scene.start('lock-terminal'));
}

interface GuardSeen {
  readonly id: string;
  readonly recovered: boolean;
}

/** Where an awaited or blocking call has had the time to fall asleep; nothing depends on it but which way is tested. */
const ASLEEP_MS = 30;

interface Case {
  readonly className: string;
  readonly args: readonly unknown[];
  /** What the victim does, and how others come to have the same. */
  readonly holds: string;
  readonly wants: string;
}

const CASES: readonly Case[] = [
  { className: 'Lock', args: [], holds: 'acquire', wants: 'acquire' },
  { className: 'RLock', args: [], holds: 'acquire', wants: 'acquire' },
  { className: 'Condition', args: [], holds: 'acquire', wants: 'acquire' },
  { className: 'Semaphore', args: [1], holds: 'acquire', wants: 'acquire' },
  { className: 'BoundedSemaphore', args: [1], holds: 'acquire', wants: 'acquire' },
  { className: 'RWLock', args: [], holds: 'acquireWrite', wants: 'acquireWrite' },
  { className: 'RWLock', args: [], holds: 'acquireWrite', wants: 'acquireRead' },
  { className: 'RWLock', args: [], holds: 'acquireRead', wants: 'acquireWrite' },
];

const named = CASES.map((one) => ({
  ...one,
  toString: () => `${one.className}.${one.holds}, ${one.wants}`,
}));

/** A broker notices every death in the same way, whatever was held; where there is none, each object has its own. */
function casesOn(backend: Backend) {
  return backend === 'native' ? named : named.slice(0, 1);
}

/** A survivor with the object, and a victim that has it open. */
async function meet(scene: Scene, { className, args }: Case): Promise<[Terminal, Terminal]> {
  const survivor = lockTerminal(scene);
  const victim = lockTerminal(scene);
  await survivor.call('create', 'it', className, ...args);
  await victim.call('open', 'it', className);
  return [survivor, victim];
}

describe('an owner killed while it holds', () => {
  test.for(named)('is followed by one that awaits: %s', async (one, { scene }) => {
    for (let round = 0; round < atScale(2, 50); round += 1) {
      const [survivor, victim] = await meet(scene, one);
      expect(await victim.call(one.holds, 'it')).toMatchObject({ recovered: false });
      const waiting = await survivor.begin(one.wants, 'it');
      if (round % 2 === 0) await sleep(ASLEEP_MS);
      await victim.kill();
      const guard = (await waiting.result) as GuardSeen;
      expect(guard.recovered).toBe(true);
      await survivor.call('release', guard.id);
      expect(await survivor.call(one.wants, 'it')).toMatchObject({ recovered: false });
      await survivor.leave();
    }
  });

  test.for(named)('is followed by one that blocks: %s', async (one, { scene }) => {
    const [survivor, victim] = await meet(scene, one);
    await victim.call(`${one.holds}Sync`, 'it');
    const waiting = await survivor.begin(`${one.wants}Sync`, 'it');
    await sleep(ASLEEP_MS);
    await victim.kill();
    expect(await waiting.result).toMatchObject({ recovered: true });
    await survivor.leave();
  });

  describe.each(BACKENDS)('on %s,', (backend) => {
    testOn(backend).for(casesOn(backend))(
      'is followed by one that tries later: %s',
      async (one, { scene }) => {
        const [survivor, victim] = await meet(scene, one);
        await victim.call(one.holds, 'it');
        const tried = one.wants.replace('acquire', 'tryAcquire');
        expect(await survivor.call(tried, 'it')).toBeNull();
        await victim.kill();
        expect(await survivor.call(tried, 'it')).toMatchObject({ recovered: true });
        await survivor.leave();
      },
    );
  });

  test.for(named)('is followed by one that opens it later: %s', async (one, { scene }) => {
    const [survivor, victim] = await meet(scene, one);
    await victim.call(one.holds, 'it');
    await victim.kill();
    const newcomer = lockTerminal(scene);
    await newcomer.call('open', 'it', one.className);
    expect(await newcomer.call(one.wants, 'it')).toMatchObject({ recovered: true });
    await newcomer.leave();
    await survivor.leave();
  });
});

describe('an owner that leaves without releasing', () => {
  test.for(['leave', 'exit', 'throw'] as const)(
    'is followed, and the next one told: %s',
    async (way, { scene }) => {
      for (const one of named) {
        const [survivor, leaver] = await meet(scene, one);
        await leaver.call(one.holds, 'it');
        const waiting = await survivor.begin(one.wants, 'it');
        if (way === 'leave') await leaver.leave();
        else leaver.call(way, '3').catch(() => {});
        await leaver.program.ends();
        expect(await waiting.result).toMatchObject({ recovered: true });
        await survivor.leave();
      }
    },
  );

  test.for([false, true])(
    'is a worker that is terminated, blocked: %s',
    async (blocks, { scene }) => {
      const survivor = lockTerminal(scene);
      const owner = lockTerminal(scene);
      for (const className of ['Lock', 'RLock', 'Semaphore']) {
        const name = `${className}-${blocks}`;
        await survivor.call('create', name, className);
        // The thread that is blocked waits for a semaphore of its own.
        if (!blocks || className === 'Semaphore') {
          await owner.call('startHolder', name, className, 'acquire', blocks);
          const waiting = await survivor.begin('acquire', name);
          await owner.call('terminateHolder', name);
          expect(await waiting.result).toMatchObject({ recovered: true });
        }
      }
      await owner.leave();
      await survivor.leave();
    },
  );
});

describe.each(BACKENDS)('an owner that is merely stopped, on %s,', (backend) => {
  const test = testOn(backend);

  test.for(casesOn(backend))('is not robbed: %s', async (one, { scene }) => {
    const [survivor, owner] = await meet(scene, one);
    const held = (await owner.call(one.holds, 'it')) as GuardSeen;
    owner.program.signal('SIGSTOP');
    const hasty = survivor.call(one.wants, 'it', { timeoutMs: 1200 });
    await expect(hasty).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(await survivor.call(one.wants.replace('acquire', 'tryAcquire'), 'it')).toBeNull();
    const waiting = await survivor.begin(one.wants, 'it');
    owner.program.signal('SIGCONT');
    await owner.call('release', held.id);
    expect(await waiting.result).toMatchObject({ recovered: false });
    await owner.leave();
    await survivor.leave();
  });

  test('keeps nobody out whom it waits with', async ({ scene }) => {
    const [survivor, sleeper] = await meet(scene, named[0] as Case);
    const third = lockTerminal(scene);
    await third.call('open', 'it', 'Lock');
    const held = (await third.call('acquire', 'it')) as GuardSeen;
    const asleep = await sleeper.begin('acquire', 'it');
    await sleep(ASLEEP_MS);
    sleeper.program.signal('SIGSTOP');
    const waiting = await survivor.begin('acquire', 'it');
    await third.call('release', held.id);
    const guard = (await waiting.result) as GuardSeen;
    for (let i = 0; i < atScale(50, 2000); i += 1) {
      await survivor.call('release', i === 0 ? guard.id : 'it');
      await survivor.call('acquire', 'it');
    }
    await survivor.call('release', 'it');
    sleeper.program.signal('SIGCONT');
    expect(await asleep.result).toMatchObject({ recovered: false });
    await Promise.all([third, sleeper].map((terminal) => terminal.leave()));
    await survivor.leave();
  });
});

describe('one killed while it waits', () => {
  test.for(named)('is forgotten: %s', async (one, { scene }) => {
    const [survivor, victim] = await meet(scene, one);
    const held = (await survivor.call(one.holds, 'it')) as GuardSeen;
    await victim.begin(one.wants, 'it');
    await sleep(ASLEEP_MS);
    const third = lockTerminal(scene);
    await third.call('open', 'it', one.className);
    const waiting = await third.begin(one.wants, 'it');
    await victim.kill();
    await survivor.call('release', held.id);
    expect(await waiting.result).toMatchObject({ recovered: false });
    await third.leave();
    await survivor.leave();
  });

  test('for a condition, is forgotten by those who notify', async ({ scene }) => {
    const notifier = lockTerminal(scene);
    await notifier.call('create', 'it', 'Condition');
    const waiters = [lockTerminal(scene), lockTerminal(scene), lockTerminal(scene)];
    const waits: Promise<unknown>[] = [];
    for (const waiter of waiters) {
      await waiter.call('open', 'it', 'Condition');
      await waiter.call('acquire', 'it');
      waits.push((await waiter.begin('wait', 'it')).result);
    }
    const [first, second, third] = waiters as [Terminal, Terminal, Terminal];
    await first.kill();
    await second.kill();
    const guard = (await notifier.call('acquire', 'it')) as GuardSeen;
    expect(await notifier.call('notify', 'it', 5)).toBe(1);
    await notifier.call('release', guard.id);
    expect(await waits[2]).toBe(true);
    await third.leave();
    await notifier.leave();
  });

  test('for a condition, and notified, leaves the notification to another', async ({ scene }) => {
    const notifier = lockTerminal(scene);
    const [first, second] = [lockTerminal(scene), lockTerminal(scene)];
    await notifier.call('create', 'it', 'Condition');
    await first.call('open', 'it', 'Condition');
    await second.call('open', 'it', 'Condition');
    await first.call('acquire', 'it');
    await first.begin('wait', 'it');
    first.program.signal('SIGSTOP');
    await notifier.call('acquire', 'it');
    expect(await notifier.call('notify', 'it')).toBe(1);
    await notifier.call('release', 'it');
    await second.call('acquire', 'it');
    const waiting = await second.begin('wait', 'it');
    await first.kill();
    expect(await waiting.result).toBe(true);
    await second.leave();
    await notifier.leave();
  });

  test('for an event, is forgotten by those who set it', async ({ scene }) => {
    const setter = lockTerminal(scene);
    const [first, second] = [lockTerminal(scene), lockTerminal(scene)];
    await setter.call('create', 'it', 'Event');
    await first.call('open', 'it', 'Event');
    await second.call('open', 'it', 'Event');
    await first.begin('wait', 'it');
    const waiting = await second.begin('waitSync', 'it');
    await first.kill();
    await setter.call('set', 'it');
    expect(await waiting.result).toBe(true);
    await second.leave();
    await setter.leave();
  });

  test.for(['wait', 'waitSync'])('at a barrier, breaks it at once: %s', async (call, { scene }) => {
    const survivor = lockTerminal(scene);
    const victim = lockTerminal(scene);
    await survivor.call('create', 'it', 'Barrier', 3);
    await victim.call('open', 'it', 'Barrier');
    await victim.begin(call, 'it');
    const waiting = await survivor.begin(call, 'it');
    await sleep(ASLEEP_MS);
    await victim.kill();
    await expect(waiting.result).rejects.toMatchObject({ code: 'ERR_BROKEN' });
    expect(await survivor.call('get', 'it', 'broken')).toBe(true);
    await survivor.call('reset', 'it');
    expect(await survivor.call('get', 'it', 'broken')).toBe(false);
    await survivor.leave();
  });

  test('at a barrier, and stopped only, breaks nothing', async ({ scene }) => {
    const survivor = lockTerminal(scene);
    const sleeper = lockTerminal(scene);
    await survivor.call('create', 'it', 'Barrier', 3);
    await sleeper.call('open', 'it', 'Barrier');
    const first = await sleeper.begin('wait', 'it');
    sleeper.program.signal('SIGSTOP');
    const second = await survivor.begin('wait', 'it');
    await sleep(1200);
    expect(await survivor.call('get', 'it', 'broken')).toBe(false);
    const third = await survivor.begin('wait', 'it');
    expect([await second.result, await third.result].sort()).toEqual([1, 2]);
    sleeper.program.signal('SIGCONT');
    expect(await first.result).toBe(0);
    await sleeper.leave();
    await survivor.leave();
  });
});

test('what is refused in one process is refused in another', async ({ scene }) => {
  const [survivor, owner] = await meet(scene, named[0] as Case);
  await owner.call('acquire', 'it');
  await expect(survivor.call('release', 'it')).rejects.toBeInstanceOf(CallFailed);
  await expect(survivor.call('release', 'it')).rejects.toMatchObject({ code: 'ERR_NOT_OWNER' });
  await owner.leave();
  await survivor.leave();
});

describe('a pending acquire', () => {
  test('keeps the process alive until it is served', async ({ scene }) => {
    const [survivor, waiter] = await meet(scene, named[0] as Case);
    const held = (await survivor.call('acquire', 'it')) as GuardSeen;
    const waiting = await waiter.begin('acquire', 'it');
    waiter.program.hangUp();
    await sleep(300);
    expect(waiter.program.isRunning).toBe(true);
    await survivor.call('release', held.id);
    expect(await waiting.result).toMatchObject({ recovered: false });
    expect(await waiter.program.ends()).toEqual({ code: 0, signal: null });
    await survivor.leave();
  });

  test('does not when it is unref’d', async ({ scene }) => {
    const [survivor, waiter] = await meet(scene, named[0] as Case);
    await survivor.call('acquire', 'it');
    await waiter.begin('unref', 'it');
    await waiter.begin('acquire', 'it');
    waiter.program.hangUp();
    expect(await waiter.program.ends()).toEqual({ code: 0, signal: null });
    await survivor.leave();
  });

  test('does not when only the process itself could serve it: it ends', async ({ scene }) => {
    const program = scene.start('await-own-lock');
    await program.says('waiting');
    // What Node says of a top-level await that nothing can settle any more.
    expect(await program.ends()).toEqual({ code: 13, signal: null });
    const hasty = scene.start('await-own-lock', [50]);
    expect(await hasty.says('failed')).toBe('ERR_TIMEOUT');
    expect(await hasty.ends()).toEqual({ code: 0, signal: null });
  });
});

test('a handle that is forgotten while it holds gives the lock up', async ({ scene }) => {
  const program = scene.start('forgotten-lock', [], { nodeArguments: ['--expose-gc'] });
  expect(await program.says('held')).toBe(true);
  expect(await program.says('recovered')).toBe(true);
  expect(await program.ends()).toEqual({ code: 0, signal: null });
});
