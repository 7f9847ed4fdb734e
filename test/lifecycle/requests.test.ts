import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect } from 'vitest';

import { atScale } from './scale.js';
import { test } from './scene.js';

const NATURAL_END = { code: 0, signal: null };

/** Long enough for a process that has nothing to wait for to be gone, on any machine that runs tests. */
const LOOK_AFTER_MS = 700;

const IN_FLIGHT = 300;

describe('requests in flight', () => {
  test('reject with EOF when the process with the handler is killed', async ({ scene }) => {
    for (let round = 0; round < atScale(2, 30); round++) {
      const server = scene.start('request-side', ['serve', IN_FLIGHT]);
      await server.says('listening');
      const client = scene.start('request-side', ['ask', IN_FLIGHT]);
      expect(await client.says('answers')).toEqual(
        Array.from({ length: IN_FLIGHT }, (_, i) => i * 2),
      );
      await server.says('kept');
      await server.kill();
      expect(await client.says('ends')).toEqual(Array.from({ length: IN_FLIGHT }, () => 'ERR_EOF'));
      expect(await client.ends()).toEqual(NATURAL_END);
    }
  });

  test('abort the signals of their handlers when the requester is killed', async ({ scene }) => {
    for (let round = 0; round < atScale(2, 30); round++) {
      const server = scene.start('request-side', ['serve', IN_FLIGHT]);
      await server.says('listening');
      const client = scene.start('request-side', ['ask', IN_FLIGHT]);
      await server.says('kept');
      await client.kill();
      expect(await server.says('aborted')).toEqual(
        Array.from({ length: IN_FLIGHT }, () => 'ERR_EOF'),
      );
      expect(await server.ends()).toEqual(NATURAL_END);
    }
  });
});

describe('a program with a connection that comes to the end of its text', () => {
  test.for([
    'an idle connection',
    'a connection that has made requests',
    'a request that timed out',
    'an unref’d pending request',
    'an unref’d handler',
    'a handler that was stopped',
    'a handler of a closed connection',
    'a handler whose requester is gone',
    'an unref’d wait',
    'a wait that timed out',
  ])('ends with %s', async (deed, { scene }) => {
    const program = scene.start('connection-alive', [deed]);
    expect(await program.says('end-of-text')).toBe(true);
    expect(await program.ends()).toEqual(NATURAL_END);
  });

  test.for(['a pending request', 'a handler', 'a wait', 'a wait with a time-out'])(
    'goes on with %s',
    async (deed, { scene }) => {
      const program = scene.start('connection-alive', [deed]);
      expect(await program.says('end-of-text')).toBe(true);
      await delay(LOOK_AFTER_MS);
      expect(program.isRunning).toBe(true);
      await program.kill();
      const cleaner = scene.terminal();
      await cleaner.call('prune');
      await cleaner.leave();
    },
  );
});

describe('one wait for 1,000 connections', () => {
  const COUNT = 1000;

  test('tells of each when its message comes, and of no other', async ({ scene }) => {
    const waiter = scene.start('wait-on-connections', [COUNT]);
    await waiter.says('listening');
    const clients = scene.start('many-clients', [COUNT]);
    await clients.says('connected');
    await waiter.says('waiting');
    const order = Array.from({ length: COUNT }, (_, i) => (i * 617) % COUNT);
    for (let from = 0; from < COUNT; from += 100) {
      clients.tell(JSON.stringify(order.slice(from, from + 100)));
      await clients.says('sent');
    }
    const served = (await waiter.says('served')) as { order: number[]; calls: number };
    expect(served.order.toSorted((a, b) => a - b)).toEqual(order.toSorted((a, b) => a - b));
    expect(served.calls).toBeLessThanOrEqual(COUNT);
    clients.hangUp();
    expect(await waiter.ends()).toEqual(NATURAL_END);
    expect(await clients.ends()).toEqual(NATURAL_END);
  });
});
