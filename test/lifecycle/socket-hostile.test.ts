import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FrameWriter, MAX_BODY_BYTES } from '../../src/backends/brokered/frames.js';
import {
  HELLO,
  LIST,
  OPEN_CHANNEL,
  PROTOCOL_VERSION,
} from '../../src/backends/brokered/operations.js';
import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { Queue } from '../../src/index.js';
import { seededRandom } from '../conformance/seeded-random.js';
import { brokerOf, brokersOf, until } from './brokers.js';

const MiB = 2 ** 20;

describe('a client that does not keep to the protocol', () => {
  let directory: string;
  let q: Queue<string>;
  let pid: number;
  const sockets: Socket[] = [];

  beforeEach(() => {
    directory = mkdtempSync('/dev/shm/interproc-hostile-');
    process.env['INTERPROC_DIR'] = directory;
    q = Queue.create('jobs', { backend: 'socket' });
    pid = brokerOf(directory);
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    // Others go on, with the same broker.
    await q.put('still here');
    expect(await q.get()).toBe('still here');
    expect(brokersOf(directory)).toEqual([pid]);
    q.close();
    process.kill(pid, 'SIGKILL');
    rmSync(directory, { recursive: true });
    delete process.env['INTERPROC_DIR'];
  });

  async function stranger(): Promise<Socket> {
    const socket = connect(join(directory, '~socket', 'broker'));
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  async function guest(): Promise<Socket> {
    const socket = await stranger();
    const hello = new FrameWriter();
    hello.begin(0, HELLO, 1).u32(PROTOCOL_VERSION).u32(process.pid).end();
    socket.write(hello.takeAway());
    await once(socket, 'data');
    return socket;
  }

  function header(bytes: number, handle: number, operation: number, sequence = 1): Buffer {
    const buffer = Buffer.alloc(12);
    buffer.writeUInt32LE(bytes, 0);
    buffer.writeUInt32LE(handle, 4);
    buffer.writeUInt16LE(operation, 8);
    buffer.writeUInt16LE(sequence, 10);
    return buffer;
  }

  async function isHungUpOn(socket: Socket): Promise<void> {
    socket.resume();
    await once(socket, 'close');
  }

  /** What the broker has had at most. */
  function mostBytes(): number {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  it('says nothing at all', async () => {
    await stranger();
  });

  it('does not greet', async () => {
    const socket = await stranger();
    socket.write(header(0, 0, LIST));
    await isHungUpOn(socket);
  });

  it('speaks another version, and is told so', async () => {
    const socket = await stranger();
    const hello = new FrameWriter();
    hello
      .begin(0, HELLO, 1)
      .u32(PROTOCOL_VERSION + 1)
      .u32(process.pid)
      .end();
    socket.write(hello.takeAway());
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply.toString('latin1')).toContain('ERR_VERSION');
  });

  it.each([
    ['before it has greeted', 'stranger', 65, HELLO],
    ['of what carries no message', 'guest', MiB + 1, LIST],
    ['of what carries no message', 'guest', MiB + 1, OPEN_CHANNEL],
    ['of an object that it has not opened', 'guest', MiB + 1, 100],
    ['beyond any', 'guest', MAX_BODY_BYTES + 1, 22],
    ['beyond any', 'guest', 2 ** 32 - 1, 22],
  ] as const)('announces a length %s: %s', async (_, who, bytes, operation) => {
    const socket = await { stranger, guest }[who]();
    // The announcement is enough: nothing of it need come.
    socket.write(header(bytes, operation === 100 ? 7 : 0, operation));
    await isHungUpOn(socket);
  });

  it.each([0, 4, 12, 100])('leaves after %i bytes of a frame of 1,000', async (bytes) => {
    const socket = await guest();
    socket.write(Buffer.concat([header(1_000, 0, LIST), Buffer.alloc(100)]).subarray(0, bytes));
    await sleep(20);
    socket.destroy();
  });

  it('begins a large frame and falls silent: it costs what has come', async () => {
    const before = mostBytes();
    const clients = await Promise.all(Array.from({ length: 64 }, guest));
    for (const socket of clients) socket.write(header(2 ** 30, 0, 22));
    await sleep(100);
    expect(mostBytes() - before).toBeLessThan(32 * MiB);
  });

  it('asks for what is not there', async () => {
    const socket = await guest();
    for (const operation of [0, 1, 9, 19, 99, 65_535]) {
      socket.write(header(0, 0, operation));
      const [reply] = (await once(socket, 'data')) as [Buffer];
      expect(reply.toString('latin1')).toContain('ERR_CORRUPT');
    }
    socket.write(header(0, 99, 100));
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply.toString('latin1')).toContain('ERR_CLOSED');
  });

  it('says words that nobody knows', async () => {
    const socket = await guest();
    socket.write(header(0, 0, 9, 0));
    await isHungUpOn(socket);
  });

  it('sends noise', async () => {
    const random = seededRandom('noise to a broker');
    const below = (limit: number) => Math.floor(random() * limit);
    const operations = [...Array.from({ length: 40 }, (_, i) => i + 10), 100, 200, 300, 400];
    for (let round = 0; round < 50; round += 1) {
      const socket = await guest();
      for (let frame = 0; frame < 20; frame += 1) {
        const length = below(200);
        const noise = Buffer.from(Array.from({ length }, () => below(256)));
        // Half of it in frames that could be sound.
        const operation = operations[below(operations.length)] as number;
        const framed = header(length, below(3), operation, below(2));
        socket.write(below(2) === 0 ? noise : Buffer.concat([framed, noise]));
      }
      socket.resume();
      await sleep(1);
      socket.destroy();
    }
  });

  it('asks on and on and never reads: the broker stops serving it', async () => {
    const named = Array.from({ length: 100 }, (_, i) =>
      Queue.create(`listed-${i}`, { backend: 'socket' }),
    );
    const socket = await guest();
    socket.pause();
    const reply = JSON.stringify(new SocketBackend(directory).list()).length;
    const before = mostBytes();
    const count = 30_000;
    expect(count * reply, 'what comes, if it is answered').toBeGreaterThan(300 * MiB);
    socket.write(Buffer.concat(Array.from({ length: count }, () => header(0, 0, LIST))));
    for (let i = 0; i < 50; i += 1) {
      await q.put('meanwhile');
      expect(await q.get()).toBe('meanwhile');
      await sleep(5);
    }
    expect(mostBytes() - before).toBeLessThan(64 * MiB);

    // It reads after all: every answer comes.
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
    socket.resume();
    await until('all answers have come', () => bytes >= count * reply);
    for (const each of named) each.close();
  });

  it('is killed while it is not served', async () => {
    const socket = await guest();
    socket.pause();
    const requests = Buffer.concat(Array.from({ length: 5_000 }, () => header(0, 0, LIST)));
    for (let i = 0; i < 40; i += 1) socket.write(requests);
    await sleep(100);
    socket.destroy();
    const large = randomBytes(MiB).toString('hex');
    await q.put(large);
    expect(await q.get()).toBe(large);
  });
});
