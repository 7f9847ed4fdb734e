/** Shared memory and semaphores of POSIX, with programs in other languages on the other side. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { PosixSemaphore, PosixSharedMemory } from '../../src/posix.js';
import { PosixNames } from '../conformance/posix-names.js';

const names = new PosixNames('interop');
const work = mkdtempSync(join(tmpdir(), 'interproc-interop-'));

afterAll(() => {
  rmSync(work, { recursive: true });
});

function source(file: string): string {
  return fileURLToPath(new URL(`programs/${file}`, import.meta.url));
}

function isThere(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** How the peer is started; undefined where its language is not there. */
function python(): string[] | undefined {
  const hasModule = isThere('python3', '-c', 'import multiprocessing.shared_memory');
  return hasModule ? ['python3', source('peer.py')] : undefined;
}

function c(): string[] | undefined {
  if (!isThere('cc', '--version')) return undefined;
  const program = join(work, 'peer');
  const libraries = ['-lrt', '-pthread'];
  execFileSync('cc', ['-Wall', '-Werror', '-O2', '-o', program, source('peer.c'), ...libraries]);
  return [program];
}

const peers: Peer[] = [];

afterEach(() => {
  for (const peer of peers.splice(0)) peer.kill();
});

/** A peer at work. */
class Peer {
  readonly #process;
  readonly #lines;
  readonly #ended: Promise<number | null>;

  constructor([command = '', ...args]: string[], deed: string, memory: string, semaphore: string) {
    this.#process = spawn(command, [...args, deed, memory, semaphore], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', resolve);
    });
  }

  /** The next line that it says; undefined: it has ended. */
  async says(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  go(): void {
    this.#process.stdin.write('\n');
  }

  /** Does nothing if it has ended. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async ends(): Promise<void> {
    this.#process.stdin.end();
    expect(await this.#ended).toBe(0);
  }
}

describe.each([
  ['Python', python()],
  ['C', c()],
])('with a program in %s', (language, command) => {
  if (command === undefined) {
    console.error(
      `SKIPPED: there is no ${language} here, so that nothing is known of work with it`,
    );
  }
  const peerIt = it.runIf(command !== undefined);
  const memoryOf = (byteLength: number) =>
    names.keep(PosixSharedMemory.create(names.next(), byteLength));
  const semaphoreOf = (value: number) => names.keep(PosixSemaphore.create(names.next(), value));
  const start = (deed: string, memory: string, semaphore = '/none') => {
    const peer = new Peer(command ?? [], deed, memory, semaphore);
    peers.push(peer);
    return peer;
  };

  peerIt('what is made here is opened there, and both see what the other writes', async () => {
    const memory = memoryOf(10_001);
    const semaphore = semaphoreOf(0);
    const array = new Uint8Array(memory.buffer).map((_, i) => i % 251);
    memory.write(array);
    const peer = start('answer', memory.name, semaphore.name);
    expect(await peer.says()).toBe(`ready ${memory.name.slice(1)} 10001`);
    semaphore.post();
    expect(await peer.says()).toBe('answered');
    await peer.ends();
    expect([...memory.read(new Uint8Array(10_001))]).toEqual([...array].map((byte) => byte + 1));
    expect(semaphore.value).toBe(0);
    // It is still there: nobody but us removes it.
    memory.unlink();
    semaphore.unlink();
  });

  peerIt('what is made there is opened here', async () => {
    const name = names.next();
    const peer = start('create', name);
    expect(await peer.says()).toBe('created');
    const memory = names.keep(PosixSharedMemory.open(name));
    expect(memory.byteLength).toBe(5000);
    expect(new Uint8Array(memory.buffer)[4999]).toBe(77);
    memory.write(Uint8Array.of(88));
    peer.go();
    expect(await peer.says()).toBe('saw 88');
    await peer.ends();
    memory.unlink();
  });

  peerIt('a post there ends a wait here, awaited or blocking', async () => {
    const semaphore = semaphoreOf(0);
    for (const wait of [() => semaphore.wait(), () => semaphore.waitSync()]) {
      const peer = start('post', '/none', semaphore.name);
      peer.go();
      await wait();
      await peer.ends();
    }
    expect(semaphore.value).toBe(0);
    semaphore.unlink();
  });

  peerIt('a semaphore keeps both apart', async () => {
    const memory = memoryOf(4);
    const semaphore = semaphoreOf(1);
    const counter = new Uint32Array(memory.buffer);
    const peer = start('count', memory.name, semaphore.name);
    expect(await peer.says()).toBe('ready');
    for (let i = 0; i < 10_000; i++) {
      semaphore.waitSync();
      counter[0] = (counter[0] ?? 0) + 1;
      semaphore.post();
    }
    await peer.ends();
    expect(counter[0]).toBe(20_000);
    expect(semaphore.value).toBe(1);
    memory.unlink();
    semaphore.unlink();
  });
});
