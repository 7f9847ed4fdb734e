import { describe, expect } from 'vitest';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';
import { SeededRandom } from './programs/seeded-random.mjs';

describe('a producer killed while it is blocked on a full queue', () => {
  test.for(['put', 'putSync'] as const)(
    'in %s: put nothing, and the others go on',
    async (call, { scene }) => {
      const consumer = scene.terminal();
      const other = scene.terminal();
      await consumer.call('create', 'jobs', { capacityBytes: 4096 });
      await other.call('open', 'jobs');
      const count = Number(await consumer.call('fill', 'jobs', 'first'));
      for (let round = 0; round < atScale(5, 100); round += 1) {
        const victim = scene.terminal();
        await victim.call('open', 'jobs');
        await victim.begin(call, 'jobs', 'never');
        const blocked = await other.begin(call, 'jobs', `after ${round}`);
        await victim.kill();
        await consumer.call('get', 'jobs');
        await blocked.result;
        expect(await consumer.call('size', 'jobs')).toBe(count);
      }
      expect(await consumer.participants('jobs')).toBe(2);
      expect(await consumer.call('drain', 'jobs')).not.toContain('never');
      expect(await consumer.call('fill', 'jobs', 'first')).toBe(count);
      await consumer.call('drain', 'jobs');
      await other.leave();
      await consumer.leave();
    },
  );
});

test('a producer killed in a burst leaves what it put, in order and without a gap', async ({
  scene,
}) => {
  const random = new SeededRandom(printedSeed('killed in a burst'));
  const consumer = scene.terminal();
  await consumer.call('create', 'numbers', { capacityBytes: 1 << 22 });
  for (let round = 0; round < atScale(15, 300); round += 1) {
    const producer = scene.start('count-up', ['numbers']);
    let accepted = -1;
    const reports = 1 + random.below(20);
    for (let i = 0; i < reports; i += 1) accepted = Number(await producer.says('accepted'));
    await producer.kill();
    while (producer.hasSaid('accepted')) accepted = Number(await producer.says('accepted'));
    const numbers = (await consumer.call('drain', 'numbers')) as number[];
    expect(numbers.length).toBeGreaterThanOrEqual(accepted);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(await consumer.participants('numbers')).toBe(1);
  }
  await consumer.leave();
});
