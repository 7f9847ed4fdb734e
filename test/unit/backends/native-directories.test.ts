import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Queue } from '../../../src/index.js';

describe('a queue whose directory is not that of new objects any more', () => {
  const directories: string[] = [];
  const before = process.env['INTERPROC_DIR'];

  function moveOn(): string {
    const directory = mkdtempSync('/dev/shm/interproc-directories-');
    directories.push(directory);
    process.env['INTERPROC_DIR'] = directory;
    return directory;
  }

  beforeEach(() => {
    moveOn();
  });

  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
    if (before === undefined) delete process.env['INTERPROC_DIR'];
    else process.env['INTERPROC_DIR'] = before;
  });

  it('still carries handles of what lives beside it', () => {
    const q = Queue.create<{ reply: Queue<string> }>('q');
    const reply = new Queue({ codec: 'string' });
    q.putNowait({ reply });
    moveOn();
    const { reply: arrived } = q.getNowait();
    arrived.putNowait('there');
    expect(reply.getNowait()).toBe('there');
    for (const handle of [q, reply, arrived]) handle.close();
  });

  it('has its dead letters beside it', () => {
    const q = Queue.create('q', { maxDeliveries: 1, deadLetter: 'dead' });
    q.putNowait('poison');
    const elsewhere = moveOn();
    q.tryReceive()?.nack();
    expect(q.tryGet()).toBe(undefined);
    expect(readdirSync(elsewhere)).toEqual([]);
    process.env['INTERPROC_DIR'] = directories[0] as string;
    const dead = Queue.open('dead');
    expect(dead.tryGet()).toBe('poison');
    for (const handle of [q, dead]) handle.close();
  });

  it('says that it carries none of what lives elsewhere', () => {
    const q = Queue.create<unknown>('q');
    moveOn();
    const reply = new Queue();
    expect(() => q.tryPut({ reply })).toThrow(
      expect.objectContaining({
        code: 'ERR_ENCODE',
        message: expect.stringContaining('another directory') as string,
      }),
    );
    for (const handle of [q, reply]) handle.close();
  });
});
