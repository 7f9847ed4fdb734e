import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ChannelOptions } from '../../src/contract/channel.js';
import { PUT, TAKE } from '../../src/contract/channel.js';
import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { brokerOf } from './brokers.js';
import { LINES, useLine } from './lines.js';

const PATIENCE_MS = 400;
const OPTIONS: ChannelOptions = { persist: true };

describe.each(LINES)('a broker that is stopped, %s,', (line) => {
  let directory: string;
  let backend: SocketBackend;
  let pid: number;

  beforeEach(() => {
    directory = mkdtempSync('/dev/shm/interproc-stopped-');
    useLine(line);
    backend = new SocketBackend(directory, PATIENCE_MS);
    backend.openChannel(undefined, 'create', {}).close();
    pid = brokerOf(directory);
  });

  afterEach(() => {
    process.kill(pid, 'SIGKILL');
    rmSync(directory, { recursive: true });
    useLine('by descriptors');
  });

  function isBroken(): unknown {
    return expect.objectContaining({ code: 'ERR_BROKER' });
  }

  it('is given up after a while, by who asks and by who comes', () => {
    const q = backend.openChannel('jobs', 'create', OPTIONS);
    process.kill(pid, 'SIGSTOP');
    const begin = performance.now();
    expect(() => q.size()).toThrow(isBroken());
    expect(performance.now() - begin).toBeGreaterThanOrEqual(PATIENCE_MS);
    expect(() => q.size()).toThrow(isBroken());
    expect(() => backend.openChannel('jobs', 'open', {})).toThrow(isBroken());
    q.close();
  });

  // Without a descriptor, the broker cannot ask whether somebody is still there.
  it.skipIf(line === 'relayed')('does not do late what was asked of it by who has given up', () => {
    const q = backend.openChannel('jobs', 'create', OPTIONS);
    process.kill(pid, 'SIGSTOP');
    expect(() => backend.openChannel('late', 'create', OPTIONS)).toThrow(isBroken());
    process.kill(pid, 'SIGCONT');
    expect(backend.list().map(({ name }) => name)).toEqual(['jobs']);
    const again = backend.openChannel('jobs', 'open', {});
    expect(again.size()).toBe(0);
    again.close();
    q.close();
  });

  it('rings who waits: the wait is over', async () => {
    const q = backend.openChannel('jobs', 'create', OPTIONS);
    const rung = new Promise((resolve) => (q.onReady = resolve));
    expect(q.arm(TAKE)).toBe(false);
    process.kill(pid, 'SIGSTOP');
    expect(() => q.size()).toThrow(isBroken());
    expect(await rung).toBe(TAKE);
    expect(() => q.arm(PUT)).toThrow(isBroken());
    q.close();
  });

  it('goes on where nobody has given up', () => {
    const q = backend.openChannel('jobs', 'create', OPTIONS);
    process.kill(pid, 'SIGSTOP');
    // This thread is blocked meanwhile.
    spawn('sh', ['-c', `sleep 0.1; kill -CONT ${pid}`]);
    expect(q.size()).toBe(0);
    q.close();
  });
});
