import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { atScale } from './scale.js';
import { test } from './scene.js';

const STOPPED_MS = 3000;

describe('a stopped consumer', () => {
  test('is not robbed of what it holds, however often others look', async ({ scene }) => {
    for (let round = 0; round < atScale(1, 40); round += 1) {
      const holder = scene.terminal();
      const other = scene.terminal();
      await holder.call('create', 'jobs');
      await other.call('open', 'jobs');
      await other.call('put', 'jobs', 'mine');
      const held = await holder.receive('jobs');
      holder.program.signal('SIGSTOP');
      const robbing = await other.begin('receive', 'jobs', { timeoutMs: STOPPED_MS });
      await expect(robbing.result).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
      expect(await other.participants('jobs')).toBe(2);
      holder.program.signal('SIGCONT');
      await holder.call('ack', held.id);
      expect(await other.call('size', 'jobs')).toBe(0);
      await other.leave();
      await holder.leave();
    }
  });

  test.for(['get', 'getSync'] as const)(
    'with a pending %s keeps no message from the others',
    async (call, { scene }) => {
      const stopped = scene.terminal();
      const other = scene.terminal();
      await stopped.call('create', 'jobs');
      await other.call('open', 'jobs');
      const itsOwn = await stopped.begin(call, 'jobs');
      // It really sleeps, and is the one a put would ring.
      while (((await other.call('stats', 'jobs')) as { waits: number }).waits === 0) await delay(5);
      const others = await other.begin(call, 'jobs');
      stopped.program.signal('SIGSTOP');
      const producer = scene.terminal();
      await producer.call('open', 'jobs');
      await producer.call('put', 'jobs', 'for who is awake');
      expect(await others.result).toBe('for who is awake');
      stopped.program.signal('SIGCONT');
      await producer.call('put', 'jobs', 'for who woke up');
      expect(await itsOwn.result).toBe('for who woke up');
      await producer.leave();
      await other.leave();
      await stopped.leave();
    },
  );
});

describe('a stopped producer', () => {
  test.for(['put', 'putSync'] as const)(
    'that waits for room in %s delays nobody else',
    async (call, { scene }) => {
      const stopped = scene.terminal();
      const consumer = scene.terminal();
      const producer = scene.terminal();
      await consumer.call('create', 'jobs', { maxItems: 2 });
      await stopped.call('open', 'jobs');
      await producer.call('open', 'jobs');
      await consumer.call('fill', 'jobs', 'filler');
      const itsOwn = await stopped.begin(call, 'jobs', 'late');
      while (((await consumer.call('stats', 'jobs')) as { waits: number }).waits === 0) {
        await delay(5);
      }
      stopped.program.signal('SIGSTOP');
      const others = await producer.begin(call, 'jobs', 'in time');
      expect(await consumer.call('get', 'jobs')).toBe('filler');
      await others.result;
      expect(await consumer.call('get', 'jobs')).toBe('filler');
      expect(await consumer.call('get', 'jobs')).toBe('in time');
      stopped.program.signal('SIGCONT');
      await itsOwn.result;
      expect(await consumer.call('get', 'jobs')).toBe('late');
      await producer.leave();
      await stopped.leave();
      await consumer.leave();
    },
  );
});
