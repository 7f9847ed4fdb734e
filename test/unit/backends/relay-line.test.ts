import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';

import { socketAddress } from '../../../src/backends/brokered/socket-address.js';
import { RelayLine } from '../../../src/backends/socket/relay-line.js';

const PATIENCE_MS = 300;

describe('a line over a relay', () => {
  let server: Worker;
  let line: RelayLine;
  let came: Buffer[];
  let bytesCame: number;

  async function connected(role: string, bytes = 0): Promise<void> {
    const address = socketAddress(`test-${randomBytes(8).toString('hex')}`);
    server = new Worker(new URL('./relay-line-server.mjs', import.meta.url), {
      workerData: { address, role, bytes },
      execArgv: [],
    });
    await once(server, 'message');
    const found = RelayLine.to(address, PATIENCE_MS);
    if (!(found instanceof RelayLine)) throw new Error(`no line: ${found}`);
    line = found;
    came = [];
    bytesCame = 0;
    line.onBytes = (chunk) => {
      came.push(Buffer.from(chunk));
      bytesCame += chunk.length;
    };
  }

  afterEach(async () => {
    line.close();
    await server.terminate();
  });

  it('brings bytes both ways, more than there is room for, to a thread that is blocked', async () => {
    await connected('echo');
    const all = randomBytes(4 * 2 ** 20);
    line.write(all);
    while (bytesCame < all.length) line.wait(10_000);
    expect(Buffer.concat(came).equals(all)).toBe(true);
  });

  it('brings bytes to an event loop', async () => {
    await connected('echo');
    line.ref();
    const heard = new Promise<string>((resolve) => {
      line.onBytes = (chunk) => resolve(chunk.toString());
    });
    line.write(Buffer.from('word'));
    expect(await heard).toBe('word');
  });

  it('has all been read before its end is told, however slow one reads', async () => {
    // More than the ring and what the relay keeps besides: in the meantime it does not read either.
    const bytes = 5 * 2 ** 20;
    await connected('last words', bytes);
    let cause: Error | undefined;
    line.onLost = (why) => (cause = why);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    while (cause === undefined) line.wait(10_000);
    expect(bytesCame).toBe(bytes);
    expect(() => line.write(Buffer.from('x'))).toThrow('gone');
  });

  it('tells an event loop of its end, behind what came before', async () => {
    await connected('last words', 10);
    line.ref();
    const heardBefore = await new Promise<number>((resolve) => {
      line.onLost = () => resolve(bytesCame);
    });
    expect(heardBefore).toBe(10);
  });

  it('gives up another side that takes nothing', async () => {
    await connected('deaf');
    const begin = performance.now();
    const much = Buffer.alloc(8 * 2 ** 20);
    expect(() => line.write(much)).toThrow('it has taken nothing for 0.3 s');
    expect(performance.now() - begin).toBeGreaterThanOrEqual(PATIENCE_MS);
  });

  it('knows whether the other side is there, also for a thread that is blocked', async () => {
    await connected('hang up');
    expect(line.isConnected()).toBe(true);
    const flag = new Int32Array(new SharedArrayBuffer(4));
    server.postMessage({ flag });
    Atomics.wait(flag, 0, 0, 10_000);
    expect(line.isConnected()).toBe(false);
  });

  it('says so if nobody listens', async () => {
    await connected('echo');
    expect(RelayLine.to(socketAddress('test-nobody'), PATIENCE_MS)).toBe('nobody');
  });
});
