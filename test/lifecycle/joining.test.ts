import { describe, expect } from 'vitest';
import { atScale } from './scale.js';
import { test } from './scene.js';

describe('joining while a consumer is killed', () => {
  test.for(['join', 'joinSync'] as const)(
    '%s does not wait for what the dead had got and not done',
    async (call, { scene }) => {
      const joiner = scene.terminal();
      await joiner.call('create', 'jobs');
      for (let round = 0; round < atScale(3, 50); round += 1) {
        const taker = scene.terminal();
        await taker.call('open', 'jobs');
        for (let job = 0; job < 3; job += 1) await joiner.call('put', 'jobs', job);
        for (let job = 0; job < 3; job += 1) await taker.call('get', 'jobs');
        await taker.call('taskDone', 'jobs');
        await expect(joiner.call('join', 'jobs', { timeoutMs: 50 })).rejects.toMatchObject({
          code: 'ERR_TIMEOUT',
        });
        const joined = await joiner.begin(call, 'jobs');
        await taker.kill();
        await joined.result;
        expect(await joiner.participants('jobs')).toBe(1);
      }
      await joiner.leave();
    },
  );

  test('waits until what the dead held was delivered again and acknowledged', async ({ scene }) => {
    const joiner = scene.terminal();
    const other = scene.terminal();
    await joiner.call('create', 'jobs');
    await other.call('open', 'jobs');
    for (let round = 0; round < atScale(3, 50); round += 1) {
      const holder = scene.terminal();
      await holder.call('open', 'jobs');
      await joiner.call('put', 'jobs', 'got');
      await joiner.call('put', 'jobs', 'received');
      await holder.call('get', 'jobs');
      await holder.receive('jobs');
      const joined = await joiner.begin('join', 'jobs');
      let isJoined = false;
      void joined.result.then(() => (isJoined = true));
      await holder.kill();
      const again = await other.receive('jobs');
      expect(again).toMatchObject({ value: 'received', redelivered: true });
      await expect(other.call('join', 'jobs', { timeoutMs: 600 })).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
      });
      expect(isJoined).toBe(false);
      await other.call('ack', again.id);
      await joined.result;
    }
    await other.leave();
    await joiner.leave();
  });

  test('waits for those who live', async ({ scene }) => {
    const joiner = scene.terminal();
    const [dying, living] = [scene.terminal(), scene.terminal()];
    await joiner.call('create', 'jobs');
    for (const consumer of [dying, living]) {
      await consumer.call('open', 'jobs');
      await joiner.call('put', 'jobs', 1);
      await consumer.call('get', 'jobs');
    }
    const joined = await joiner.begin('join', 'jobs');
    await dying.kill();
    await expect(living.call('join', 'jobs', { timeoutMs: 600 })).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
    });
    await living.call('taskDone', 'jobs');
    await joined.result;
    await living.leave();
    await joiner.leave();
  });

  test('does not give the place of the dead to the next with its tasks', async ({ scene }) => {
    const joiner = scene.terminal();
    const taker = scene.terminal();
    await joiner.call('create', 'jobs', { maxParticipants: 2 });
    await taker.call('open', 'jobs');
    await joiner.call('put', 'jobs', 1);
    await taker.call('get', 'jobs');
    await taker.kill();
    const next = scene.terminal();
    await next.call('open', 'jobs');
    await joiner.call('join', 'jobs');
    await expect(next.call('taskDone', 'jobs')).rejects.toMatchObject({ code: 'ERR_NOT_OWNER' });
    await next.leave();
    await joiner.leave();
  });

  test('goes on when another who joins is killed', async ({ scene }) => {
    const joiner = scene.terminal();
    const dying = scene.terminal();
    await joiner.call('create', 'jobs');
    await dying.call('open', 'jobs');
    await joiner.call('put', 'jobs', 1);
    await dying.begin('join', 'jobs');
    const joined = await joiner.begin('join', 'jobs');
    await dying.kill();
    await joiner.call('get', 'jobs');
    await joiner.call('taskDone', 'jobs');
    await joined.result;
    await joiner.leave();
  });
});

test('a consumer that comes to its natural end leaves nothing unfinished of what it got', async ({
  scene,
}) => {
  const joiner = scene.terminal();
  const taker = scene.terminal();
  await joiner.call('create', 'jobs');
  await taker.call('open', 'jobs');
  await joiner.call('put', 'jobs', 1);
  await taker.call('get', 'jobs');
  const joined = await joiner.begin('join', 'jobs');
  await taker.leave();
  await joined.result;
  await joiner.leave();
});
