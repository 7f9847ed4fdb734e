import { describe, expect } from 'vitest';
import { atScale } from './scale.js';
import { test } from './scene.js';

describe('the last one out', () => {
  test('removes an empty queue; whoever leaves before does not', async ({ scene }) => {
    const terminals = [scene.terminal(), scene.terminal(), scene.terminal()] as const;
    const [first, second, third] = terminals;
    await first.call('create', 'jobs');
    await second.call('open', 'jobs');
    await third.call('open', 'jobs');
    await first.call('close', 'jobs');
    expect(scene.files()).toEqual(['jobs']);
    await second.leave();
    expect(scene.files()).toEqual(['jobs']);
    await third.call('close', 'jobs');
    expect(scene.files()).toEqual([]);
    await third.leave();
    await first.leave();
  });

  test('takes the doorbell along', async ({ scene }) => {
    const terminal = scene.terminal();
    await terminal.call('create', 'jobs');
    const pending = await terminal.begin('get', 'jobs');
    expect(scene.files()).toHaveLength(2);
    await terminal.call('put', 'jobs', 1);
    await pending.result;
    await terminal.leave();
    expect(scene.files()).toEqual([]);
  });

  test('leaves a named queue with messages until it is drained', async ({ scene }) => {
    const producer = scene.terminal();
    await producer.call('create', 'jobs');
    await producer.call('putMany', 'jobs', [1, 2]);
    await producer.leave();
    expect(scene.files()).toEqual(['jobs']);
    const half = scene.terminal();
    await half.call('open', 'jobs');
    expect(await half.call('get', 'jobs')).toBe(1);
    await half.leave();
    expect(scene.files()).toEqual(['jobs']);
    const rest = scene.terminal();
    await rest.call('open', 'jobs');
    expect(await rest.call('get', 'jobs')).toBe(2);
    await rest.leave();
    expect(scene.files()).toEqual([]);
  });

  test('gives back what it holds, and so leaves the queue', async ({ scene }) => {
    const holder = scene.terminal();
    await holder.call('create', 'jobs');
    await holder.call('put', 'jobs', 'held');
    await holder.receive('jobs');
    await holder.leave();
    expect(scene.files()).toEqual(['jobs']);
    const next = scene.terminal();
    await next.call('open', 'jobs');
    const received = await next.receive('jobs');
    expect(received).toMatchObject({ value: 'held', redelivered: true, deliveries: 2 });
    await next.call('ack', received.id);
    await next.leave();
  });

  test('leaves a persistent queue, empty or not, until unlink', async ({ scene }) => {
    const first = scene.terminal();
    await first.call('create', 'jobs', { persist: true });
    await first.leave();
    expect(scene.files()).toEqual(['jobs']);
    const second = scene.terminal();
    await second.call('open', 'jobs');
    await second.call('unlink', 'jobs');
    expect(scene.files()).toEqual([]);
    await second.leave();
  });
});

describe('a queue unlinked underneath', () => {
  test('goes on for those who have it open, and its name is free', async ({ scene }) => {
    const one = scene.terminal();
    const other = scene.terminal();
    for (let round = 0; round < atScale(100, 1000); round += 1) {
      await one.call('create', 'jobs');
      await other.call('open', 'jobs');
      await one.call('put', 'jobs', 'before');
      await other.call('unlink', 'jobs');
      expect(scene.files()).not.toContain('jobs');
      await one.call('put', 'jobs', 'after');
      expect(await other.call('get', 'jobs')).toBe('before');
      expect(await other.call('get', 'jobs')).toBe('after');
      const waiting = await other.begin('get', 'jobs');
      await one.call('put', 'jobs', 'awaited');
      expect(await waiting.result).toBe('awaited');
      await one.call('close', 'jobs');
      // A queue of the same name is another queue, and the leaver of the old one does not take it along.
      await one.call('create', 'jobs');
      await one.call('put', 'jobs', 'new');
      await other.call('close', 'jobs');
      expect(await one.call('get', 'jobs')).toBe('new');
      await one.call('close', 'jobs');
      expect(scene.files()).not.toContain('jobs');
    }
    await one.leave();
    await other.leave();
  });

  test('and then left by the killed takes their doorbells along', async ({ scene }) => {
    const victim = scene.terminal();
    const survivor = scene.terminal();
    await victim.call('create', 'jobs');
    await survivor.call('open', 'jobs');
    await victim.begin('get', 'jobs');
    await survivor.call('unlink', 'jobs');
    await victim.kill();
    await survivor.call('put', 'jobs', 1);
    expect(await survivor.call('get', 'jobs')).toBe(1);
    await survivor.leave();
  });
});
