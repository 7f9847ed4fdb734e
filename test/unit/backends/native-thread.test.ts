import { mkdtempSync, rmSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it, vi } from 'vitest';

const directory = mkdtempSync('/dev/shm/interproc-thread-');
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('the package, evaluated twice in one thread', () => {
  it('wakes the calls of both', async () => {
    const { Queue } = await import('../../../src/context.js');
    vi.resetModules();
    const second = await import('../../../src/context.js');
    expect(second.Queue).not.toBe(Queue);

    const mine = Queue.create<string>('twice');
    const got = [mine.get()];
    const theirs = second.Queue.open<string>('twice');
    got.push(theirs.get());
    const putter = Queue.open<string>('twice');
    // Not in the turn of the gets: they are asleep by then.
    setImmediate(() => putter.putMany(['a', 'b']));
    expect((await Promise.all(got)).sort()).toEqual(['a', 'b']);
    for (const q of [mine, theirs, putter]) q.close();
  });
});

describe('an end of a pipe that nobody can reach any more', () => {
  it('is in this thread no longer', async () => {
    const { NativeBackend } = await import('../../../src/backends/native/native-backend.js');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const forgetOne = () => new NativeBackend().openPipe({})[0];
    const kept = forgetOne();
    expect(kept.peerIsHere).toBe(true);
    for (let look = 0; look < 100 && kept.peerIsHere; look++) {
      collect();
      await turn();
    }
    expect(kept.peerIsHere).toBe(false);
    expect(kept.peerIsGone()).toBe(true);
    kept.close();
  });
});
