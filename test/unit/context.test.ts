import { beforeEach, describe, expect, it, vi } from 'vitest';

import type * as Index from '../../src/index.js';
import { MemoryBackend } from './memory-backend.js';
import { thrownBy } from './thrown-by.js';

const loads: (() => MemoryBackend)[] = [];
vi.mock('../../src/backends/native/native-backend.js', () => ({
  NativeBackend: function NativeBackend() {
    const load = loads.shift();
    if (load === undefined) throw new Error('loaded once too often');
    return load();
  },
}));

/** The package as a program imports it, with backends that load as told. */
async function imported(...outcomes: (() => MemoryBackend)[]): Promise<typeof Index> {
  loads.splice(0, Infinity, ...outcomes);
  vi.resetModules();
  return import('../../src/index.js');
}

describe('the package', () => {
  beforeEach(() => {
    loads.length = 0;
  });

  it('loads its backend at first use, and once', async () => {
    const backend = new MemoryBackend();
    const { Queue, list } = await imported(() => backend);
    expect(loads).toHaveLength(1);
    const q = Queue.create('jobs');
    expect(list()).toMatchObject([{ name: 'jobs' }]);
    q.close();
    expect(list()).toEqual([]);
  });

  it('says why it cannot, when the addon does not load', async () => {
    const cause = new Error('libstdc++.so.6: version not found');
    const fail = () => {
      throw cause;
    };
    const backend = new MemoryBackend();
    const { Queue, list, prune } = await imported(fail, fail, fail, () => backend);
    for (const call of [() => Queue.create('jobs'), () => list(), () => prune()]) {
      expect(thrownBy(call)).toMatchObject({ code: 'ERR_UNSUPPORTED', cause });
    }
    // Built meanwhile.
    Queue.create('jobs').close();
  });

  it('checks arguments before it loads anything', async () => {
    const { Queue, prune } = await imported();
    for (const call of [
      () => Queue.create('no/name'),
      () => Queue.create('jobs', { backend: 'socket' as 'native' }),
      () => prune(null as unknown as object),
      () => prune({ dryRun: 'yes' as unknown as boolean }),
    ]) {
      expect(thrownBy(call)).toMatchObject({ code: 'ERR_INVALID_ARG' });
    }
  });

  it('exports what it promises', async () => {
    const index = await imported();
    expect(Object.keys(index).sort()).toEqual([
      'AbortError',
      'Array',
      'AuthenticationError',
      'Barrier',
      'BoundedSemaphore',
      'BufferTooShort',
      'Condition',
      'EOFError',
      'ERROR_CODES',
      'Event',
      'InterprocError',
      'Lock',
      'Pipe',
      'Queue',
      'QueueEmpty',
      'QueueFull',
      'RLock',
      'RWLock',
      'RequestError',
      'Semaphore',
      'ShareableList',
      'SharedArray',
      'SharedMemory',
      'Struct',
      'TimeoutError',
      'Value',
      'list',
      'prune',
      'wait',
    ]);
  });
});
