import { linkSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Queue, list, prune } from '../../src/index.js';
import { brokerOf, brokersOf, killBroker, startBroker, untilGone } from './brokers.js';

const NATIVE = { backend: 'native' } as const;
const SOCKET = { backend: 'socket' } as const;
const HERE = [NATIVE, SOCKET, 'native', 'socket'] as const;
const THERE = [SOCKET, NATIVE, 'socket', 'native'] as const;

describe('a name that one backend has', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync('/dev/shm/interproc-names-');
    process.env['INTERPROC_DIR'] = directory;
  });

  afterEach(() => {
    for (const pid of brokersOf(directory)) process.kill(pid, 'SIGKILL');
    rmSync(directory, { recursive: true });
    delete process.env['INTERPROC_DIR'];
  });

  it.each([HERE, THERE])(
    'is refused by the other, in words that say who has it',
    (mine, other, kind, otherKind) => {
      const q = Queue.create('jobs', mine);
      for (const open of [Queue.create, Queue.open, Queue.openOrCreate]) {
        expect(() => open.call(Queue, 'jobs', other)).toThrow(
          expect.objectContaining({
            code: 'ERR_BACKEND',
            message: expect.stringContaining(`INTERPROC_BACKEND=${kind}`),
          }),
        );
      }
      expect(() => Queue.open('others', other)).toThrow(
        expect.objectContaining({ code: 'ERR_NOT_FOUND' }),
      );
      expect(list({ backend: otherKind })).toEqual([]);
      expect(list({ backend: kind })).toMatchObject([{ name: 'jobs' }]);
      expect(prune({ backend: otherKind })).toEqual([]);
      expect(Queue.open('jobs', mine).name).toBe('jobs');
      q.close();
    },
  );

  it.each([HERE, THERE])('is free for the other when the object is gone', (mine, other) => {
    Queue.create('jobs', mine).close();
    Queue.create('unlinked', mine).unlink();
    for (const name of ['jobs', 'unlinked']) Queue.create(name, other).close();
  });

  it('is not taken by an anonymous object', () => {
    const q = new Queue(SOCKET);
    expect(readdirSync(directory)).toEqual(['~socket']);
    q.close();
  });

  it('is free for native when the broker was killed', async () => {
    Queue.create('jobs', { ...SOCKET, persist: true }).close();
    await killBroker(directory);
    const q = Queue.create('jobs', NATIVE);
    expect(list(NATIVE)).toMatchObject([{ name: 'jobs' }]);
    q.close();
  });

  it('is not there for native when the broker was killed', async () => {
    Queue.create('jobs', { ...SOCKET, persist: true }).close();
    await killBroker(directory);
    expect(() => Queue.open('jobs', NATIVE)).toThrow(
      expect.objectContaining({ code: 'ERR_NOT_FOUND' }),
    );
    expect(readdirSync(directory)).toEqual(['~socket']);
  });

  it.each([NATIVE, SOCKET])('is free after a prune when the broker was killed', async (pruning) => {
    Queue.create('jobs', { ...SOCKET, persist: true }).close();
    await killBroker(directory);
    expect(prune({ ...pruning, dryRun: true })).toEqual([]);
    expect(readdirSync(directory)).toEqual(['jobs', '~socket']);
    expect(prune(pruning)).toEqual([]);
    expect(readdirSync(directory)).toEqual(['~socket']);
  });

  it('is free when another broker has come: it removes all that the last one has left', async () => {
    for (const name of ['a', 'b', 'c']) Queue.create(name, { ...SOCKET, persist: true }).close();
    await killBroker(directory);
    const q = Queue.create('a', SOCKET);
    expect(readdirSync(directory)).toEqual(['a', '~socket']);
    const keys = readdirSync(join(directory, '~socket')).filter((name) => /^\d+-/.test(name));
    expect(keys).toHaveLength(1);
    expect(() => Queue.open('a', NATIVE)).toThrow(expect.objectContaining({ code: 'ERR_BACKEND' }));
    Queue.create('b', NATIVE).close();
    q.close();
  });

  it('is free when the broker has left', async () => {
    Queue.create('jobs', { ...SOCKET, persist: true }).close();
    const pid = brokerOf(directory);
    process.kill(pid, 'SIGTERM');
    await untilGone(pid);
    expect(readdirSync(directory)).toEqual(['~socket']);
    expect(readdirSync(join(directory, '~socket'))).toEqual([]);
  });

  it('is free when making the object failed', async () => {
    expect(() => Queue.create('jobs', { ...SOCKET, capacityBytes: 2 ** 33 })).toThrow();
    startBroker(directory);
    expect(readdirSync(directory)).toEqual(['~socket']);
  });

  it('is no socket of another program', async () => {
    const server = createServer().listen(join(directory, 'jobs'));
    await once(server, 'listening');
    linkSync(join(directory, 'jobs'), join(directory, 'again'));
    startBroker(directory);
    for (const backend of [NATIVE, SOCKET]) {
      expect(() => Queue.create('jobs', backend)).toThrow(
        expect.objectContaining({ code: 'ERR_PERMISSION' }),
      );
      prune(backend);
    }
    expect(readdirSync(directory)).toEqual(['again', 'jobs', '~socket']);
    server.close();
  });

  it('is no file of another program', () => {
    writeFileSync(join(directory, 'jobs'), 'mine');
    expect(() => Queue.openOrCreate('jobs', SOCKET)).toThrow(
      expect.objectContaining({ code: 'ERR_PERMISSION' }),
    );
    expect(readFileSync(join(directory, 'jobs'), 'utf8')).toBe('mine');
  });
});
