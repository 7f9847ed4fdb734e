import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Queue, list } from '../../src/index.js';
import { seatAddress } from '../../src/backends/socket/pipe-place.js';
import { brokerOf, brokersOf, killBroker, startBroker, until, untilGone } from './brokers.js';
import { useLine } from './lines.js';

const PACKAGE = new URL('../../dist/index.js', import.meta.url).href;
const SOCKET = { backend: 'socket' } as const;
/** The first put is a request; those behind it are words. */
const PUT_ALL = `for (let i = 0; i < 50; i += 1) q.putNowait(i);`;
const OPEN = `const { Queue } = await import(${JSON.stringify(PACKAGE)}); const q = Queue.open('jobs', { backend: 'socket' });`;
const NEED_IT = `const { Queue } = await import(${JSON.stringify(PACKAGE)}); new Queue({ backend: 'socket' }).close();`;
const KEEP_IT = `const { Queue } = await import(${JSON.stringify(PACKAGE)}); Queue.create('kept', { backend: 'socket', persist: true });`;
const IN_WORKER = `
  import { once } from 'node:events';
  import { Worker } from 'node:worker_threads';
  const text = ${JSON.stringify(`${OPEN} ${PUT_ALL} (await import('node:worker_threads')).parentPort.postMessage('put'); for (;;);`)};
  const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(text)));
  await once(worker, 'message');
  await worker.terminate();
`;

// Pipes are abstract sockets here, and the rest is as on Windows.
describe('a broker and its clients that have nothing but pipes', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync('/dev/shm/interproc-pipes-');
    process.env['INTERPROC_DIR'] = directory;
    useLine('relayed');
  });

  afterEach(() => {
    for (const pid of brokersOf(directory)) process.kill(pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    delete process.env['INTERPROC_DIR'];
    useLine('by descriptors');
  });

  function run(text: string): ChildProcess {
    return spawn(process.execPath, ['--input-type=module', '-e', text], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }

  function entries(): string[] {
    return readdirSync(join(directory, '~socket'));
  }

  it('is one, whoever starts it at once', async () => {
    const starters = Array.from({ length: 6 }, () => run(`${NEED_IT} process.exit();`));
    const ends = await Promise.all(starters.map((starter) => once(starter, 'exit')));
    expect(ends.map(([code]) => code as number)).toEqual(starters.map(() => 0));
    await until('all but one have left', () => brokersOf(directory).length === 1);
    expect(entries()).toEqual([expect.stringMatching(/^pipe-/)]);
  });

  it('leaves when nobody needs it, and leaves nothing', async () => {
    await once(run(NEED_IT), 'exit');
    await untilGone(brokerOf(directory));
    expect(entries()).toEqual([]);
  });

  it('leaves when its directory is gone, whatever it keeps', async () => {
    await once(run(KEEP_IT), 'exit');
    const pid = brokerOf(directory);
    rmSync(directory, { recursive: true });
    await untilGone(pid);
  });

  it('is started anew when it was killed, and what led to the dead one goes', async () => {
    startBroker(directory);
    const [dead] = entries();
    await killBroker(directory);
    expect(entries()).toEqual([dead]);
    expect(list(SOCKET)).toEqual([]);
    expect(entries()).toEqual([]);
    startBroker(directory);
    expect(entries()).toHaveLength(1);
    expect(entries()).not.toEqual([dead]);
    process.kill(brokerOf(directory), 'SIGKILL');
  });

  it('is started though the clients of a dead one hold their ends', async () => {
    const q = Queue.create('jobs', SOCKET);
    const holder = run(`${OPEN} process.kill(process.pid, 'SIGSTOP');`);
    await until('it has it open', () => q.stats().participants === 2);
    await killBroker(directory);
    startBroker(directory);
    expect(brokersOf(directory)).toHaveLength(1);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    q.close();
  });

  it('has a seat for each directory, by whatever path one comes', () => {
    const [first, second] = [mkdtempSync(directory), mkdtempSync(directory)];
    const link = join(first, 'link');
    symlinkSync(first, link);
    expect(seatAddress(link)).toBe(seatAddress(first));
    expect(seatAddress(second)).not.toBe(seatAddress(first));
  });

  it('passes over what leads to nobody', async () => {
    startBroker(directory);
    await killBroker(directory);
    writeFileSync(join(directory, '~socket', 'pipe-0-000000000000'), '');
    const q = Queue.create('jobs', SOCKET);
    q.putNowait(1);
    expect(q.getNowait()).toBe(1);
    q.close();
  });

  it.each([
    ['SIGKILL', `${OPEN} ${PUT_ALL} process.kill(process.pid, 'SIGKILL');`],
    ['process.exit', `${OPEN} ${PUT_ALL} process.exit();`],
    ['the end of its thread', IN_WORKER],
  ])('has what was put before %s', async (_, text) => {
    const q = Queue.create('jobs', SOCKET);
    for (let round = 0; round < 5; round += 1) {
      await once(run(text), 'exit');
      for (let i = 0; i < 50; i += 1) expect(q.getNowait()).toBe(i);
    }
    q.close();
  });

  it('keeps no program alive that waits for nothing', async () => {
    const q = Queue.create('jobs', SOCKET);
    const [code] = (await once(run(`${OPEN} q.putNowait('end');`), 'exit')) as [number];
    expect(code).toBe(0);
    expect(q.getNowait()).toBe('end');
    q.close();
  });

  it('keeps a program alive that waits', async () => {
    const q = Queue.create('jobs', SOCKET);
    const out = Queue.create('out', SOCKET);
    const program = run(
      `${OPEN} const out = Queue.open('out', { backend: 'socket' }); await out.put(await q.get());`,
    );
    await until('it has come to the end of its text', () => q.stats().participants === 2);
    await sleep(300);
    expect(program.exitCode).toBeNull();
    await q.put('late');
    expect(await out.get()).toBe('late');
    expect(await once(program, 'exit')).toEqual([0, null]);
    q.close();
    out.close();
  });
});
