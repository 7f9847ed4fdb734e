import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { test } from './scene.js';

const NATURAL_END = { code: 0, signal: null };

/** Long enough for a process that has nothing to wait for to be gone, on any machine that runs tests. */
const LOOK_AFTER_MS = 700;

describe('a program that comes to the end of its text', () => {
  test.for([
    'an idle open queue',
    'an idle queue that has waited before',
    'a queue whose wait timed out',
    'a queue whose wait was aborted',
    'an unacknowledged message',
    'an unref’d pending get',
    'a pending get, unref’d afterwards',
    'an unref’d pending put',
    'an unref’d pending join',
    'an unref’d pending get with a time-out',
    'a closed queue',
  ])('ends with %s', async (deed, { scene }) => {
    const program = scene.start('keeping-alive', [deed]);
    expect(await program.says('end-of-text')).toBe(true);
    expect(await program.ends()).toEqual(NATURAL_END);
    const leavesMessage =
      deed === 'an unacknowledged message' || deed.endsWith('put') || deed.endsWith('join');
    expect(scene.files()).toEqual(leavesMessage ? ['jobs'] : []);
    if (leavesMessage) {
      const cleaner = scene.terminal();
      expect(await cleaner.call('prune')).toEqual(['jobs']);
      await cleaner.leave();
    }
  });

  test.for([
    ['a pending get', 'put', 'came'],
    ['a pending get, unref’d and ref’d again', 'put', 'came'],
    ['a pending receive', 'put', 'came'],
    ['a pending step of for await', 'put', { value: 'came', done: false }],
    ['a pending put', 'get', undefined],
    ['a pending join', 'get', undefined],
    ['a pending openWhenAvailable', 'create', 'absent'],
  ] as const)('goes on with %s, and ends after it', async ([deed, relief, outcome], { scene }) => {
    const program = scene.start('keeping-alive', [deed]);
    expect(await program.says('end-of-text')).toBe(true);
    await delay(LOOK_AFTER_MS);
    expect(program.isRunning).toBe(true);
    const other = scene.terminal();
    if (relief === 'create') {
      await other.call('create', 'absent');
    } else {
      await other.call('open', 'jobs');
      await (relief === 'get' ? other.call('get', 'jobs') : other.call('put', 'jobs', 'came'));
      if (deed === 'a pending join') await other.call('taskDone', 'jobs');
    }
    expect(await program.says('resolved')).toEqual(outcome);
    expect(await program.ends()).toEqual(NATURAL_END);
    if (relief === 'get') await other.call('drain', 'jobs');
    await other.leave();
  });
});
