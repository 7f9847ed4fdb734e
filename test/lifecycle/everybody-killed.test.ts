import { describe, expect } from 'vitest';
import { test } from './scene.js';
import type { Scene } from './scene.js';

/** Two that are attached, one of them with its doorbell hung up, killed at once. */
async function killTwo(scene: Scene, messages: readonly unknown[], options: object = {}) {
  const one = scene.terminal();
  const other = scene.terminal();
  await one.call('create', 'jobs', options);
  await other.call('open', 'jobs');
  const pending = await other.begin('get', 'jobs');
  await one.call('put', 'jobs', 'hello');
  expect(await pending.result).toBe('hello');
  for (const message of messages) await one.call('put', 'jobs', message);
  if (messages.length === 0) await other.begin('get', 'jobs');
  await Promise.all([one.kill(), other.kill()]);
}

describe('when everybody was killed', () => {
  test('an empty queue is a leftover: create succeeds', async ({ scene }) => {
    await killTwo(scene, []);
    expect(scene.files()).toContain('jobs');
    const next = scene.terminal();
    await next.call('create', 'jobs', { capacityBytes: 8192 });
    expect(await next.participants('jobs')).toBe(1);
    await next.call('put', 'jobs', 'alive');
    expect(await next.call('get', 'jobs')).toBe('alive');
    await next.leave();
  });

  test('an empty queue is a leftover: open does not find it', async ({ scene }) => {
    await killTwo(scene, []);
    const next = scene.terminal();
    await expect(next.call('open', 'jobs')).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
    await next.leave();
  });

  test('a queue that holds messages keeps them', async ({ scene }) => {
    await killTwo(scene, [1, 2, 3]);
    const next = scene.terminal();
    await expect(next.call('create', 'jobs')).rejects.toMatchObject({ code: 'ERR_EXISTS' });
    await next.call('open', 'jobs');
    expect(await next.call('size', 'jobs')).toBe(3);
    expect(await next.call('drain', 'jobs')).toEqual([1, 2, 3]);
    await next.leave();
  });

  test('a queue whose only message was held keeps it, marked', async ({ scene }) => {
    const holder = scene.terminal();
    await holder.call('create', 'jobs');
    await holder.call('put', 'jobs', 'held');
    await holder.receive('jobs');
    await holder.kill();
    const next = scene.terminal();
    await next.call('open', 'jobs');
    const received = await next.receive('jobs');
    expect(received).toMatchObject({ value: 'held', redelivered: true, deliveries: 2 });
    await next.call('ack', received.id);
    await next.leave();
  });

  test('prune removes what they left: queues, messages and doorbells', async ({ scene }) => {
    await killTwo(scene, ['unread']);
    const holder = scene.terminal();
    await holder.call('create', 'other');
    await holder.begin('get', 'other');
    await holder.kill();
    expect(scene.files().filter((name) => name.startsWith('~bell-'))).not.toEqual([]);
    const cleaner = scene.terminal();
    const removed = (await cleaner.call('prune')) as string[];
    expect(removed.sort()).toEqual(['jobs', 'other']);
    expect(scene.files()).toEqual([]);
    await cleaner.leave();
  });

  test('prune spares what is in use and what persists', async ({ scene }) => {
    await killTwo(scene, ['unread'], { persist: true });
    const user = scene.terminal();
    await user.call('create', 'in-use');
    const waiting = await user.begin('get', 'in-use');
    const cleaner = scene.terminal();
    expect(await cleaner.call('prune')).toEqual([]);
    const names = scene.files().map((name) => name.replace(/^~bell-.*/, '~bell'));
    expect(names.sort()).toEqual(['in-use', 'jobs', '~bell']);
    await cleaner.call('open', 'in-use');
    await cleaner.call('put', 'in-use', 'still here');
    expect(await waiting.result).toBe('still here');
    await cleaner.call('open', 'jobs');
    await cleaner.call('unlink', 'jobs');
    await user.leave();
    await cleaner.leave();
  });

  test('a persistent queue goes on, and their doorbells go', async ({ scene }) => {
    await killTwo(scene, [], { persist: true });
    const next = scene.terminal();
    await next.call('open', 'jobs');
    expect(await next.participants('jobs')).toBe(1);
    await next.call('put', 'jobs', 'again');
    expect(await next.call('get', 'jobs')).toBe('again');
    await next.leave();
    expect(scene.files()).toEqual(['jobs']);
    const last = scene.terminal();
    await last.call('open', 'jobs');
    await last.call('unlink', 'jobs');
    await last.leave();
  });
});
