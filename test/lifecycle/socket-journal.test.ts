import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Pipe, Queue } from '../../src/index.js';
import { seededRandom } from '../conformance/seeded-random.js';
import { brokersOf, until } from './brokers.js';
import { nodes } from './nodes.js';
import { Program } from './program.js';

const RAW = { backend: 'socket', codec: 'raw', capacityBytes: 2 ** 22 } as const;

describe.each(nodes)('words that come fast to a broker, under Node $version,', ({ path }) => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = mkdtempSync('/dev/shm/interproc-journal-');
    file = join(directory, '~count');
    process.env['INTERPROC_DIR'] = directory;
  });

  afterEach(() => {
    for (const pid of brokersOf(directory)) process.kill(pid, 'SIGKILL');
    rmSync(directory, { recursive: true });
    delete process.env['INTERPROC_DIR'];
  });

  async function start(kind: 'queue' | 'pipe'): Promise<Program> {
    writeFileSync(file, Buffer.alloc(4));
    const program = new Program('put-without-pause', [kind, file], {
      directory,
      node: path,
      environment: { INTERPROC_BACKEND: 'socket' },
    });
    if (kind === 'queue') await program.says('ready');
    return program;
  }

  /** How many it had given when it was killed. */
  const given = () => readFileSync(file).readUInt32LE();

  /** When it has given many. */
  async function killLater(program: Program, random: number): Promise<void> {
    await until('many were given', () => given() > 2_000);
    await sleep(100 * random);
    await program.kill();
  }

  const numberIn = (bytes: Uint8Array) => Buffer.from(bytes).readUInt32LE();

  it('are in the queue, in order, when who put them is killed', async () => {
    const random = seededRandom('kills of who puts fast');
    const queue = Queue.create('numbers', RAW);
    for (let round = 0; round < 6; round++) {
      const program = await start('queue');
      // Nobody asks the broker for anything meanwhile.
      await killLater(program, random());
      let next = 0;
      for (;;) {
        const bytes = await queue.get({ timeoutMs: 100 }).catch(() => undefined);
        if (bytes === undefined) break;
        expect(numberIn(bytes)).toBe(next++);
      }
      // One more may have been put that it could not note.
      expect([given(), given() + 1]).toContain(next);
    }
    queue.close();
  });

  it('are in the connection, in order, when who sent them is killed', async () => {
    const random = seededRandom('kills of who sends fast');
    const listener = Pipe.listen('numbers', RAW);
    for (let round = 0; round < 6; round++) {
      const program = await start('pipe');
      const connection = await listener.accept();
      await killLater(program, random());
      let next = 0;
      for await (const bytes of connection) expect(numberIn(bytes)).toBe(next++);
      expect([given(), given() + 1]).toContain(next);
      connection.close();
    }
    listener.close();
  });
});
