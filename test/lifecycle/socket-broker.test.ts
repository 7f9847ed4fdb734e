import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SocketBackend } from '../../src/backends/socket/socket-backend.js';
import { brokerOf, brokersOf, startBroker, until, untilGone } from './brokers.js';

const PACKAGE = new URL('../../dist/index.js', import.meta.url).href;
const BROKER = new URL('../../dist/backends/socket/broker-process.js', import.meta.url);
const NEED_IT = `const { Queue } = await import(${JSON.stringify(PACKAGE)}); new Queue({ backend: 'socket' }).close();`;
/** It is left with something to keep. */
const KEEP_IT = `const { Queue } = await import(${JSON.stringify(PACKAGE)}); Queue.create('kept', { backend: 'socket', persist: true });`;

/** Whether there was room for one more name of the file. */
function linked(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    return true;
  } catch {
    return false;
  }
}

function keysIn(directory: string): string[] {
  return readdirSync(join(directory, '~socket')).filter((name) => /^\d+-/.test(name));
}

describe('the broker of a directory', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'interproc-broker-'));
  });

  afterEach(() => {
    for (const pid of brokersOf(directory)) process.kill(pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  /** Starts a process of its own that runs the text. */
  function run(text: string, prelude = '') {
    return spawn(
      'bash',
      ['-c', `${prelude}\nexec "$0" --input-type=module -e "$1"`, process.execPath, text],
      {
        env: { ...process.env, INTERPROC_DIR: directory },
        stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      },
    );
  }

  it('is started by who needs it', () => {
    startBroker(directory);
    expect(readdirSync(join(directory, '~socket'))).toContain('broker');
    expect(brokersOf(directory)).toHaveLength(1);
  });

  it('is found where the path is too long for the address of a socket', () => {
    const long = join(directory, 'x'.repeat(120));
    mkdirSync(long);
    startBroker(long);
    process.kill(brokerOf(long), 'SIGKILL');
  });

  it('is one, whoever starts it at once', async () => {
    const starters = Array.from({ length: 6 }, () => run(`${NEED_IT} process.stdin.resume();`));
    const ends = await Promise.all(starters.map((starter) => once(starter, 'exit')));
    expect(ends.map(([code]) => code as number)).toEqual(starters.map(() => 0));
    await until('all but one have left', () => brokersOf(directory).length === 1);
    expect(keysIn(directory)).toHaveLength(1);
  });

  it('leaves when nobody needs it, and leaves nothing', async () => {
    await once(run(NEED_IT), 'exit');
    await untilGone(brokerOf(directory));
    expect(readdirSync(join(directory, '~socket'))).toEqual([]);
  });

  it('leaves when its directory is gone, whatever it keeps', async () => {
    await once(run(KEEP_IT), 'exit');
    const pid = brokerOf(directory);
    // Longer than it stays without clients and objects.
    await sleep(1_500);
    expect(brokersOf(directory)).toEqual([pid]);
    rmSync(directory, { recursive: true });
    await untilGone(pid);
    expect(readdirSync(tmpdir())).not.toContain(directory.split('/').at(-1));
  });

  it('keeps no descriptor of who started it', async () => {
    // 30 is beyond those that Node itself sees to at its start.
    const starter = run(KEEP_IT, 'exec 30>&3');
    const pipe = starter.stdio[3] as Readable;
    const ended = once(pipe.resume(), 'end');
    await once(starter, 'exit');
    await ended;
    expect(brokersOf(directory)).toHaveLength(1);
  });

  it('closes nothing of its own where it was told of numbers that were free again when it started', async () => {
    const file = fileURLToPath(BROKER);
    const told = Array.from({ length: 60 }, (_, i) => `${i + 3}:1:1`).join();
    const broker = spawn(process.execPath, [file, told, directory], { stdio: 'ignore' });
    await until('it has its seat', () => existsSync(join(directory, '~socket', 'broker')));
    const q = new SocketBackend(directory).openChannel('jobs', 'create', {});
    expect(brokersOf(directory)).toEqual([broker.pid]);
    q.close();
  });

  it('has no room for more names than the file system gives its socket', (context) => {
    const backend = new SocketBackend(directory);
    const q = backend.openChannel('jobs', 'create', {});
    const [key = ''] = keysIn(directory);
    const more = mkdtempSync(join(directory, '~socket', 'more-'));
    // ext4 has 65,000.
    let names = 0;
    while (names < 70_000 && linked(join(directory, '~socket', key), join(more, `${names}`))) {
      names += 1;
    }
    if (names === 70_000) context.skip('as many names as one likes');
    expect(() => backend.openChannel('more', 'create', {})).toThrow(
      expect.objectContaining({
        code: 'ERR_NO_SPACE',
        message: expect.stringContaining(`'${join(directory, 'more')}'`),
      }),
    );
    rmSync(more, { recursive: true });
    backend.openChannel('more', 'create', {}).close();
    q.close();
  });

  it('lets nobody else in, whatever the umask of who started it', async () => {
    await once(run(NEED_IT, 'umask 0'), 'exit');
    for (const name of ['.', 'broker']) {
      expect(lstatSync(join(directory, '~socket', name)).mode & 0o077).toBe(0);
    }
  });

  it('is started anew by who needs it when it was killed', async () => {
    startBroker(directory);
    // Before this thread can have heard of it.
    execFileSync('sh', ['-c', `kill -9 ${brokerOf(directory)}; sleep 0.2`]);
    startBroker(directory);
    expect(brokersOf(directory)).toHaveLength(1);
    expect(keysIn(directory), 'that of the killed one').toHaveLength(1);
  });

  it('removes the file for its words that a starter was killed over', async () => {
    const DIE_OVER_IT = `import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      fs.rmSync = () => process.kill(process.pid, 'SIGKILL');
      syncBuiltinESMExports();`;
    const [, signal] = (await once(run(`${DIE_OVER_IT} ${NEED_IT}`), 'exit')) as [null, string];
    expect(signal).toBe('SIGKILL');
    expect(readdirSync(join(directory, '~socket'))).toHaveLength(1);
    startBroker(directory);
    const pid = brokerOf(directory);
    process.kill(pid, 'SIGTERM');
    await untilGone(pid);
    expect(readdirSync(join(directory, '~socket'))).toEqual([]);
  });

  describe('that cannot be started', () => {
    const node = process.execPath;

    afterEach(() => {
      process.execPath = node;
    });

    function standIn(text: string): void {
      process.execPath = join(directory, 'node');
      writeFileSync(process.execPath, `#!/bin/sh\n${text}\n`);
      chmodSync(process.execPath, 0o700);
    }

    it.each([
      ['what it said', 'echo "Error: no luck today" >&2; exit 3', /exit code 3.*no luck today/],
      ['that it said nothing', 'exit 4', /exit code 4.*without a word/],
      ['by which signal it ended', 'kill -9 $$', /SIGKILL/],
    ])('is an error that says %s', (_, text, words) => {
      standIn(text);
      expect(() => startBroker(directory)).toThrow(
        expect.objectContaining({ code: 'ERR_BROKER', message: expect.stringMatching(words) }),
      );
    });

    it('is an error that says so if there is no such program', () => {
      process.execPath = join(directory, 'nothing');
      expect(() => startBroker(directory)).toThrow(
        expect.objectContaining({
          code: 'ERR_BROKER',
          message: expect.stringContaining('could not be started'),
        }),
      );
    });
  });

  it('is told to end, and tells its clients by that', async () => {
    const backend = new SocketBackend(directory);
    const q = backend.openChannel('jobs', 'create', {});
    const rung = new Promise((resolve) => (q.onReady = resolve));
    q.arm(0);
    process.kill(brokerOf(directory), 'SIGTERM');
    expect(await rung).toBe(0);
    expect(() => q.size()).toThrow(expect.objectContaining({ code: 'ERR_BROKER' }));
    q.close();
    await until('its name is gone', () => !readdirSync(directory).includes('jobs'));
  });
});
