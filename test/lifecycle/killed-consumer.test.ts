import { describe, expect } from 'vitest';
import { atScale } from './scale.js';
import { BACKENDS, test, testOn } from './scene.js';

describe('a consumer killed while it holds a message', () => {
  test('leaves it to one that waits already, marked as redelivered', async ({ scene }) => {
    const survivor = scene.terminal();
    await survivor.call('create', 'jobs');
    for (let job = 0; job < atScale(5, 100); job += 1) {
      const holder = scene.terminal();
      await holder.call('open', 'jobs');
      await survivor.call('put', 'jobs', job);
      expect(await holder.receive('jobs')).toMatchObject({ value: job, deliveries: 1 });
      const waiting = await survivor.begin('receive', 'jobs');
      await holder.kill();
      const received = (await waiting.result) as { id: string };
      expect(received).toMatchObject({ value: job, redelivered: true, deliveries: 2 });
      await survivor.call('ack', received.id);
      expect(await survivor.participants('jobs')).toBe(1);
    }
    await survivor.leave();
  });

  describe.each(BACKENDS)('on %s,', (backend) => {
    const test = testOn(backend);

    test('leaves it to the next, ahead of newer messages, once the death is noticed', async ({
      scene,
    }) => {
      const survivor = scene.terminal();
      const holder = scene.terminal();
      await survivor.call('create', 'jobs');
      await holder.call('open', 'jobs');
      for (const job of ['old 1', 'old 2', 'new 1', 'new 2']) {
        await survivor.call('put', 'jobs', job);
      }
      await holder.receive('jobs');
      await holder.receive('jobs');
      await holder.kill();
      // Who takes over the place of the dead notices first.
      const newcomer = scene.terminal();
      await newcomer.call('open', 'jobs');
      const order = [];
      for (let i = 0; i < 4; i += 1) {
        const { id, value, redelivered } = await survivor.receive('jobs');
        order.push([value, redelivered]);
        await survivor.call('ack', id);
      }
      expect(order).toEqual([
        ['old 1', true],
        ['old 2', true],
        ['new 1', false],
        ['new 2', false],
      ]);
      await newcomer.leave();
      await survivor.leave();
    });

    test('leaves what stands in a stream of its own, and nothing that was handed out', async ({
      scene,
    }) => {
      const survivor = scene.terminal();
      await survivor.call('create', 'jobs');
      await survivor.call('put', 'jobs', 'handed out');
      await survivor.call('put', 'jobs', 'in the stream');
      const holder = scene.start('hold-in-stream', ['jobs']);
      expect(await holder.says('took')).toBe('handed out');
      expect(await holder.says('holding')).toBe(1);
      const waiting = await survivor.begin('receive', 'jobs');
      await holder.kill();
      const received = (await waiting.result) as { id: string };
      expect(received).toMatchObject({ value: 'in the stream', redelivered: true });
      await survivor.call('ack', received.id);
      expect(await survivor.participants('jobs')).toBe(1);
      await survivor.leave();
    });
  });

  test('leaves it to one that never finds the queue empty', async ({ scene }) => {
    const survivor = scene.terminal();
    const holder = scene.terminal();
    await survivor.call('create', 'jobs', { capacityBytes: 1 << 20 });
    await holder.call('open', 'jobs');
    await survivor.call('put', 'jobs', 'held');
    await holder.receive('jobs');
    await holder.kill();
    const feeder = scene.start('keep-filled', ['jobs']);
    await feeder.says('filled');
    const busy = scene.start('get-until', ['jobs', '"held"']);
    await busy.says('found');
    expect(await busy.ends()).toEqual({ code: 0, signal: null });
    await feeder.kill();
    await survivor.call('drain', 'jobs');
    await survivor.leave();
  });

  test('is counted: after maxDeliveries kills the message is a dead letter', async ({ scene }) => {
    const survivor = scene.terminal();
    await survivor.call('create', 'jobs', { maxDeliveries: 3, deadLetter: 'dead' });
    await survivor.call('put', 'jobs', 'poison');
    for (let delivery = 1; delivery <= 3; delivery += 1) {
      const victim = scene.terminal();
      await victim.call('open', 'jobs');
      expect(await victim.receive('jobs')).toMatchObject({
        value: 'poison',
        deliveries: delivery,
        redelivered: delivery > 1,
      });
      await victim.kill();
    }
    const next = await survivor.begin('receive', 'jobs');
    await survivor.call('openWhenAvailable', 'dead');
    expect(await survivor.call('get', 'dead')).toBe('poison');
    await survivor.call('put', 'jobs', 'harmless');
    expect(await next.result).toMatchObject({ value: 'harmless', deliveries: 1 });
    await survivor.call('ack', ((await next.result) as { id: string }).id);
    expect(await survivor.call('size', 'jobs')).toBe(0);
    await survivor.leave();
  });
});

test('a message that get had returned goes with its killed consumer', async ({ scene }) => {
  const survivor = scene.terminal();
  const consumer = scene.terminal();
  await survivor.call('create', 'jobs');
  await consumer.call('open', 'jobs');
  await survivor.call('put', 'jobs', 1);
  await survivor.call('put', 'jobs', 2);
  expect(await consumer.call('get', 'jobs')).toBe(1);
  await consumer.kill();
  expect(await survivor.call('get', 'jobs')).toBe(2);
  expect(await survivor.call('size', 'jobs')).toBe(0);
  expect(await survivor.participants('jobs')).toBe(1);
  await survivor.leave();
});

test.for(['get', 'getSync'] as const)(
  'a consumer killed in a pending %s takes no message along',
  async (call, { scene }) => {
    const survivor = scene.terminal();
    await survivor.call('create', 'jobs');
    for (let round = 0; round < atScale(5, 100); round += 1) {
      const waiter = scene.terminal();
      await waiter.call('open', 'jobs');
      await waiter.begin(call, 'jobs');
      const waiting = await survivor.begin('get', 'jobs');
      await waiter.kill();
      const producer = scene.start('put-all', ['jobs', String(round)]);
      expect(await waiting.result).toBe(round);
      await producer.ends();
    }
    expect(await survivor.participants('jobs')).toBe(1);
    await survivor.leave();
  },
);
