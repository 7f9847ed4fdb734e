import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NativeBackend } from '../../../src/backends/native/native-backend.js';
import { bindPipe } from '../../../src/primitives/bind-pipe.js';
import { bindQueue } from '../../../src/primitives/bind-queue.js';
import { HandleClasses } from '../../../src/primitives/passengers.js';
import { thrownBy } from '../thrown-by.js';
import { coded } from '../../conformance/subject.js';

describe('a carrier that is closed while its message is encoded', () => {
  const before = process.env['INTERPROC_DIR'];
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync('/dev/shm/interproc-test-');
    process.env['INTERPROC_DIR'] = directory;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['INTERPROC_DIR'];
    else process.env['INTERPROC_DIR'] = before;
    rmSync(directory, { recursive: true });
  });

  const backend = new NativeBackend();
  const handles = new HandleClasses();
  const Queue = bindQueue(() => backend, handles);
  const Pipe = bindPipe(() => backend, handles);

  it.each(['queue', 'connection'])('leaves no ticket: a %s', (kind) => {
    const q = Queue.create('q');
    const held = Queue.open('q');
    const [a, b] = Pipe();
    const [mine, theirs] = Pipe();
    const carrier = kind === 'queue' ? q : a;
    const value = {
      theirs,
      get closes() {
        carrier.close();
        return 1;
      },
    };
    const put = () => (kind === 'queue' ? q.putNowait(value) : a.trySend(value));
    expect(thrownBy(put)).toEqual(coded('ERR_CLOSED'));
    expect(readdirSync(directory).filter((name) => name.startsWith('~ticket-'))).toEqual([]);
    expect(theirs.trySend('usable')).toBe(true);
    expect(mine.tryRecv()).toBe('usable');
    for (const each of [q, held, a, b, mine, theirs]) each.close();
  });
});
