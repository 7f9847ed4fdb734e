import { describe, expect } from 'vitest';
import { nodes } from './nodes.js';
import { atScale } from './scale.js';
import { test } from './scene.js';
import { Turns } from './turns.js';

const REPETITIONS = atScale(20, 200);

const WAYS = [
  'natural end',
  'process.exit',
  'throw',
  'unhandled rejection',
  'SIGTERM',
  'SIGINT',
  'abort',
  'worker terminate',
  'worker process.exit',
] as const;

/** Of these nobody in the program is told: what it has open is found by others. */
const KILLS: readonly string[] = ['SIGTERM', 'SIGINT', 'abort'];

/** Those that the program cannot begin itself. */
const SIGNALS: Partial<Record<string, NodeJS.Signals>> = { SIGTERM: 'SIGTERM', SIGINT: 'SIGINT' };

const FIRST_DELIVERY = { redelivered: false, deliveries: 1 };
const SECOND_DELIVERY = { redelivered: true, deliveries: 2 };

describe.each(nodes)('under Node $version, holding a message and awaiting another,', ({ path }) => {
  test.for(WAYS)('%s: peers go on and get what was held', async (way, { scene }) => {
    const isOfWorker = way.startsWith('worker');
    const end = (program: ReturnType<typeof scene.start>) => {
      program.tell('leave');
      const signal = SIGNALS[way];
      if (signal !== undefined) program.signal(signal);
    };

    const bare = scene.start('leaving', [way], { node: path });
    bare.tell('begin');
    await bare.says('holding');
    end(bare);
    const bareWorkerCode = isOfWorker ? await bare.says('worker-gone') : undefined;
    if (isOfWorker) bare.tell('end');
    const bareEnding = await bare.ends();

    const peer = scene.terminal({ node: path });
    const bystander = scene.terminal({ node: path });
    for (const queue of ['jobs', 'idle']) {
      await peer.call('create', queue);
      await bystander.call('open', queue);
    }
    const turns = new Turns(() => scene.start('leaving', [way, 'jobs', 'idle'], { node: path }));
    for (let job = 0; job < REPETITIONS; job += 1) {
      await peer.call('put', 'jobs', job);
      const leaving = turns.next();
      expect(await leaving.says('holding')).toEqual({ value: job, ...FIRST_DELIVERY });
      const redelivery = await peer.begin('receive', 'jobs');
      const pending = await peer.begin('get', 'idle');

      end(leaving);
      if (isOfWorker) expect(await leaving.says('worker-gone')).toBe(bareWorkerCode);
      else expect(await leaving.ends()).toEqual(bareEnding);
      const bells = scene.files().filter((name) => name.startsWith('~bell-'));
      if (!KILLS.includes(way)) expect(bells, 'only the peer still listens').toHaveLength(1);

      const received = (await redelivery.result) as { id: string };
      expect(received).toEqual({ id: received.id, value: job, ...SECOND_DELIVERY });
      await peer.call('ack', received.id);
      await bystander.call('put', 'idle', job);
      expect(await pending.result).toBe(job);

      if (isOfWorker) {
        leaving.tell('end');
        expect(await leaving.ends()).toEqual(bareEnding);
      }
      for (const queue of ['jobs', 'idle']) {
        expect(await peer.participants(queue)).toBe(2);
        expect(await peer.call('size', queue)).toBe(0);
      }
    }
    await turns.end();
    await bystander.leave();
    await peer.leave();
  });
});
