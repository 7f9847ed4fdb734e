import { mkdtempSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { list, Lock, Pipe, Queue } from '../../src/index.js';
import { seededRandom } from '../conformance/seeded-random.js';
import { brokerOf, brokersOf, killBroker, startBroker, until } from './brokers.js';
import { LINES, useLine } from './lines.js';
import { nodes } from './nodes.js';
import { Program } from './program.js';

const SOCKET = { backend: 'socket' } as const;

const cases = nodes.flatMap((node) => LINES.map((line) => ({ ...node, line })));

describe.each(cases)('around a broker, under Node $version, $line,', ({ path, line }) => {
  let directory: string;
  const programs: Program[] = [];

  beforeEach(() => {
    directory = mkdtempSync('/dev/shm/interproc-deaths-');
    process.env['INTERPROC_DIR'] = directory;
    useLine(line);
  });

  afterEach(async () => {
    const running = programs.splice(0).filter((program) => program.isRunning);
    await Promise.all(running.map((program) => program.kill()));
    for (const pid of brokersOf(directory)) process.kill(pid, 'SIGKILL');
    rmSync(directory, { recursive: true });
    delete process.env['INTERPROC_DIR'];
    useLine('by descriptors');
  });

  function start(...args: readonly (string | number)[]): Program {
    const program = new Program('socket-peer', args.map(String), {
      directory,
      node: path,
      environment: { INTERPROC_BACKEND: 'socket' },
    });
    programs.push(program);
    return program;
  }

  /** What has come, until every number below `count` has; each with how often. */
  async function collect(q: Queue<number>, count: number): Promise<Map<number, number>> {
    const times = new Map<number, number>();
    while (times.size < count) {
      const value = await q.get({ timeoutMs: 30_000 });
      times.set(value, (times.get(value) ?? 0) + 1);
    }
    for (;;) {
      const value = await q.get({ timeoutMs: 100 }).catch(() => undefined);
      if (value === undefined) return times;
      times.set(value, (times.get(value) ?? 0) + 1);
    }
  }

  function repetitions(times: Map<number, number>): number {
    return [...times.values()].reduce((sum, each) => sum + each - 1, 0);
  }

  it('consumers that are killed at any moment lose nothing', async () => {
    const random = seededRandom('kills of consumers');
    const [from, to] = ['in', 'out'].map((name) => Queue.create<number>(name, SOCKET)) as [
      Queue<number>,
      Queue<number>,
    ];
    const count = 2_000;
    const steady = start('consume');
    let kills = 0;
    const killing = (async () => {
      while (kills < 6) {
        const victim = start('consume');
        await sleep(100 + 200 * random());
        await victim.kill();
        kills += 1;
      }
    })();
    const putting = (async () => {
      for (let i = 0; i < count; i += 1) {
        await from.put(i);
        if (i % 20 === 0) await sleep(10);
      }
    })();
    await Promise.all([killing, putting]);
    const times = await collect(to, count);
    // Killed between its put and its ack, a consumer has another do it again.
    expect(repetitions(times)).toBeLessThanOrEqual(kills);
    expect(from.size).toBe(0);
    await steady.kill();
    from.close();
    to.close();
  });

  it('a lock whose owner was killed is recovered, and passed on', async () => {
    const lock = Lock.create('lock', SOCKET);
    for (let round = 0; round < 5; round += 1) {
      const owner = start('hold');
      await owner.says('held');
      expect(lock.tryAcquire()).toBeNull();
      const waiting = lock.acquire();
      await owner.kill();
      const guard = await waiting;
      expect(guard.recovered).toBe(true);
      guard.release();
    }
    lock.close();
  });

  it('an end of a pipe whose process was killed is at its end', async () => {
    const listener = Pipe.listen<number>('service', SOCKET);
    const talker = start('talk');
    const connection = await listener.accept();
    await talker.says('connected');
    for (let i = 0; i < 100; i += 1) expect(await connection.recv()).toBe(i);
    await talker.kill();
    let next = 100;
    const drained = (async () => {
      for (;;) expect(await connection.recv()).toBe(next++);
    })();
    await expect(drained).rejects.toMatchObject({ code: 'ERR_EOF' });
    connection.close();
    listener.close();
  });

  it('what was put before process.exit has been put', async () => {
    const q = Queue.create<number>('in', SOCKET);
    for (const count of [1, 7, 500]) {
      await start('putAndExit', count).ends();
      expect(q.size).toBe(count);
      for (let i = 0; i < count; i += 1) expect(await q.get()).toBe(i);
    }
    q.close();
  });

  it('a handle whose message was not put before its process was killed keeps nothing', async () => {
    const q = Queue.create('in', SOCKET);
    const program = start('boardAndDie', 'encoded');
    expect(await program.ends()).toEqual({ code: null, signal: 'SIGKILL' });
    await until('its queue is gone', () => list(SOCKET).every(({ name }) => name === 'in'));
    expect(q.size).toBe(0);
    q.close();
  });

  it('a handle whose message was put before that arrives', async () => {
    const q = Queue.create<{ passenger: Queue<string> }>('in', SOCKET);
    const program = start('boardAndDie', 'put');
    expect(await program.ends()).toEqual({ code: null, signal: 'SIGKILL' });
    await until('it has nothing open', () => q.stats().participants === 1);
    const { passenger } = await q.get();
    await passenger.put('here');
    expect(await Queue.open<string>('passenger', SOCKET).get()).toBe('here');
    passenger.close();
    q.close();
  });

  it('threads have lines of their own: one that is terminated gives back what it held', async () => {
    const [from, to] = ['in', 'out'].map((name) => Queue.create<number>(name, SOCKET)) as [
      Queue<number>,
      Queue<number>,
    ];
    const count = 1_500;
    const program = start('workers', 4);
    await program.says('started');
    const terminating = (async () => {
      for (let i = 0; i < 3; i += 1) {
        await sleep(150);
        program.tell('terminate');
        await program.says('terminated');
      }
    })();
    for (let i = 0; i < count; i += 1) {
      await from.put(i);
      if (i % 20 === 0) await sleep(5);
    }
    await terminating;
    const times = await collect(to, count);
    expect(repetitions(times)).toBeLessThanOrEqual(3);
    program.hangUp();
    await program.ends();
    from.close();
    to.close();
  });

  it.each(['waitForAll', 'waitInWorker'])(
    'its SIGKILL ends every wait, and what is opened next finds another: %s',
    async (role) => {
      const program = start(role);
      await program.says('waiting');
      await killBroker(directory);
      const codes = (await program.says('settled')) as Record<string, string>;
      expect(codes).toEqual(
        Object.fromEntries(Object.keys(codes).map((name) => [name, 'ERR_BROKER'])),
      );
      expect(Object.keys(codes)).toHaveLength(13);
      expect(await program.says('anew')).toBe('alive');
      expect(await program.ends()).toEqual({ code: 0, signal: null });
    },
  );

  it('its SIGKILL ends a call that blocks', async () => {
    startBroker(directory);
    const q = Queue.create('in', SOCKET);
    const program = start('blocked');
    await program.says('blocking');
    await until('it has it open', () => q.stats().participants === 2);
    await sleep(50);
    process.kill(brokerOf(directory), 'SIGKILL');
    expect(await program.says('settled')).toBe('ERR_BROKER');
    expect(await program.ends()).toEqual({ code: 0, signal: null });
    q.close();
  });
});
