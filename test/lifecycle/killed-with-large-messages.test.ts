import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import type { Program } from './program.js';
import { SeededRandom } from './programs/seeded-random.mjs';
import { atScale, printedSeed } from './scale.js';
import { test } from './scene.js';

interface Got {
  readonly producer: number;
  readonly number: number;
  readonly whole: boolean;
  readonly deliveries: number;
}

/** All that a program that has ended has said with this word. */
async function allSaid(program: Program, word: string): Promise<unknown[]> {
  const said: unknown[] = [];
  while (program.hasSaid(word)) said.push(await program.says(word));
  return said;
}

/** Small, so that nearly every message stands beside the ring; the quota makes producers wait. */
const OPTIONS = { codec: 'raw', capacityBytes: 4096, maxSideBytes: 3_000_000 };

const KILLS = atScale(12, 400);
const SURVIVOR_PUTS = atScale(60, 2_000);

describe('with large messages on their way', () => {
  test('killed producers and consumers take none with them, tear none, and leave nothing', async ({
    scene,
  }) => {
    const random = new SeededRandom(printedSeed('killed with large messages'));
    const keeper = scene.terminal();
    await keeper.call('create', 'large', OPTIONS);
    let producers = 0;
    const startProducer = () => scene.start('large-producer', ['large', ++producers]);
    const startConsumer = () => scene.start('large-consumer', ['large']);

    const survivor = scene.start('large-producer', ['large', ++producers, SURVIVOR_PUTS]);
    const putters = [survivor, startProducer()];
    const takers = [startConsumer(), startConsumer()];
    await Promise.all([...putters, ...takers].map((program) => program.says('ready')));
    for (let kill = 0; kill < KILLS; kill += 1) {
      await sleep(random.below(40));
      // The last of each is the one that lives now.
      const programs = random.below(2) === 0 ? putters : takers;
      await programs.at(-1)?.kill();
      const next = programs === putters ? startProducer() : startConsumer();
      programs.push(next);
      await next.says('ready');
    }
    await putters.at(-1)?.kill();
    await survivor.ends();
    await keeper.call('end', 'large');
    const living = takers.filter((taker) => taker.isRunning);
    await Promise.all(living.map((taker) => taker.says('finished')));
    await Promise.all(living.map((taker) => taker.ends()));
    await keeper.leave();

    const settled = new Map<number, Set<number>>();
    const seen = new Set<string>();
    for (const taker of takers) {
      const got = (await allSaid(taker, 'got')) as Got[];
      for (const { producer, number, whole, deliveries } of got) {
        expect(whole, `message ${number} of ${producer}`).toBe(true);
        // Who had it before says so by its count, whichever consumer is asked first.
        const delivery = `delivery ${deliveries} of ${producer}/${number}`;
        expect(seen.has(delivery), `${delivery} twice`).toBe(false);
        seen.add(delivery);
        const numbers = settled.get(producer) ?? new Set<number>();
        settled.set(producer, numbers.add(number));
      }
    }
    for (const [index, putter] of putters.entries()) {
      const said = await allSaid(putter, 'put');
      const numbers = settled.get(index + 1) ?? new Set<number>();
      const missing = said.filter((number) => !numbers.has(number as number));
      expect(missing, `of producer ${index + 1}`).toEqual([]);
      // The one whose put was cut short may have gone in.
      expect(numbers.size - said.length).toBeOneOf([0, 1]);
    }
  });

  test('when everybody was killed, prune leaves an empty directory', async ({ scene }) => {
    const keeper = scene.terminal();
    await keeper.call('create', 'large', OPTIONS);
    const producer = scene.start('large-producer', ['large', 1]);
    const consumer = scene.start('large-consumer', ['large']);
    await Promise.all([producer.says('ready'), consumer.says('ready')]);
    for (let i = 0; i < 10; i += 1) await consumer.says('acked');
    await Promise.all([producer.kill(), consumer.kill(), keeper.kill()]);
    const janitor = scene.terminal();
    expect(await janitor.call('prune', '')).toEqual(['large']);
    await janitor.leave();
  });

  test('when everybody was killed, who comes next finds what was put, whole', async ({ scene }) => {
    const keeper = scene.terminal();
    await keeper.call('create', 'large', OPTIONS);
    const producer = scene.start('large-producer', ['large', 1]);
    for (let i = 0; i < 6; i += 1) await producer.says('put');
    await Promise.all([producer.kill(), keeper.kill()]);
    const next = scene.terminal();
    await next.call('open', 'large');
    const consumer = scene.start('large-consumer', ['large']);
    await consumer.says('ready');
    await next.call('end', 'large');
    await consumer.ends();
    const got = (await allSaid(consumer, 'got')) as Got[];
    expect(got.slice(0, 6).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(got.every(({ whole }) => whole)).toBe(true);
    await next.leave();
  });
});
