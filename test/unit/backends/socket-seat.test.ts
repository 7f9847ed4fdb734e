import {
  linkSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Seat, removeIfSame } from '../../../src/backends/socket/seat.js';

vi.mock('node:fs', { spy: true });

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interproc-seat-'));
  path = join(directory, 'name');
});

afterEach(() => {
  vi.resetAllMocks();
  rmSync(directory, { recursive: true });
});

function fileOf(content: string): bigint {
  writeFileSync(path, content);
  return lstatSync(path, { bigint: true }).ino;
}

function failingWith(code: string): () => never {
  return () => {
    throw Object.assign(new Error(code), { code });
  };
}

describe('a name that is taken away because its owner is dead', () => {
  it('is gone', () => {
    removeIfSame(directory, 'name', fileOf('dead'), directory);
    expect(readdirSync(directory)).toEqual([]);
    removeIfSame(directory, 'name', 1n, directory);
  });

  it.each(['', 'ENOSPC', 'EMLINK'])(
    "goes back if it is another's by then, also where links fail with '%s'",
    (code) => {
      const another = fileOf('alive');
      if (code !== '') vi.mocked(linkSync).mockImplementation(failingWith(code));
      removeIfSame(directory, 'name', another + 1n, directory);
      expect(readdirSync(directory)).toEqual(['name']);
      expect(readFileSync(path, 'utf8')).toBe('alive');
    },
  );

  it('is left to who has come to it meanwhile', () => {
    const another = fileOf('alive');
    vi.mocked(linkSync).mockImplementation(() => {
      writeFileSync(path, 'newer');
      return failingWith('EEXIST')();
    });
    removeIfSame(directory, 'name', another + 1n, directory);
    expect(readdirSync(directory)).toEqual(['name']);
    expect(readFileSync(path, 'utf8')).toBe('newer');
  });
});

describe('a seat', () => {
  const servers: Server[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listening(name: string): Promise<Server> {
    const server = createServer((socket) => socket.destroy()).listen(join(directory, name));
    servers.push(server);
    await once(server, 'listening');
    return server;
  }

  async function taken(name: string): Promise<Seat> {
    const seat = await Seat.take(directory, name);
    if (seat === undefined) throw new Error('somebody has it');
    return seat;
  }

  it('is taken from nobody who lives, and from the dead', async () => {
    const server = await listening('first');
    const first = await taken('first');
    await listening('second');
    expect(await Seat.take(directory, 'second')).toBe(undefined);
    expect(first.isTaken).toBe(true);
    expect(readdirSync(directory)).toEqual(['broker', 'first']);
    server.close();
    await listening('third');
    expect((await taken('third')).isTaken).toBe(true);
    expect(first.isTaken).toBe(false);
    expect(readdirSync(directory)).toEqual(['broker', 'third']);
  });

  it('is taken though whoever had it leaves just then', async () => {
    await listening('own');
    vi.mocked(linkSync).mockImplementationOnce(failingWith('EEXIST'));
    expect((await taken('own')).isTaken).toBe(true);
  });

  it("is nobody's whose own name is gone", async () => {
    expect(await Seat.take(directory, 'own')).toBe(undefined);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is left by who has it, and by nobody else', async () => {
    await listening('first');
    const first = await taken('first');
    rmSync(join(directory, 'broker'));
    await listening('second');
    const second = await taken('second');
    first.leave();
    expect(second.isTaken).toBe(true);
    second.leave();
    expect(second.isTaken).toBe(false);
    first.forget();
    second.forget();
    expect(readdirSync(directory)).toEqual([]);
  });
});
