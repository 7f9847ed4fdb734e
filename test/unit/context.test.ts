import { beforeEach, describe, expect, it, vi } from 'vitest';

import type * as Index from '../../src/index.js';
import { DirectBackend } from './direct-backend.js';
import { thrownBy } from './thrown-by.js';

const loads: (() => DirectBackend)[] = [];
vi.mock('../../src/backends/native/native-backend.js', () => ({
  NativeBackend: function NativeBackend() {
    const load = loads.shift();
    if (load === undefined) throw new Error('loaded once too often');
    return load();
  },
}));

vi.mock('../../src/backends/socket/socket-backend.js', () => ({
  SocketBackend: class extends DirectBackend {
    override readonly kind = 'socket' as 'memory';
  },
}));
vi.mock('../../src/backends/memory/memory-backend.js', () => ({ MemoryBackend: DirectBackend }));

/** The package as a program imports it, with backends that load as told. */
async function imported(...outcomes: (() => DirectBackend)[]): Promise<typeof Index> {
  loads.splice(0, Infinity, ...outcomes);
  vi.resetModules();
  return import('../../src/index.js');
}

describe('the package', () => {
  beforeEach(() => {
    loads.length = 0;
  });

  it('loads its backend at first use, and once', async () => {
    const backend = new DirectBackend();
    const { Queue, list } = await imported(() => backend);
    expect(loads).toHaveLength(1);
    const q = Queue.create('jobs');
    expect(list()).toMatchObject([{ name: 'jobs' }]);
    q.close();
    expect(list()).toEqual([]);
  });

  it('says why it cannot, when the addon does not load', async () => {
    const cause = new Error('libstdc++.so.6: version not found\nRequire stack: …');
    const fail = () => {
      throw cause;
    };
    const native = new DirectBackend();
    const { Queue, list, prune } = await imported(fail, fail, fail, () => native);
    const calls = [
      () => Queue.create('jobs', { backend: 'native' }),
      () => list({ backend: 'native' }),
      () => prune({ backend: 'native' }),
    ];
    for (const call of calls) {
      const error = thrownBy(call) as Error;
      expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED', cause });
      expect(error.message).toContain('(libstdc++.so.6: version not found)');
    }
    // Built meanwhile.
    Queue.create('jobs', { backend: 'native' }).close();
  });

  it('falls back, and says why', async () => {
    const { backend, Queue, list, prune } = await imported(() => {
      throw new Error('libstdc++.so.6: version not found');
    });
    const q = Queue.create('jobs');
    expect(backend.kind).toBe('socket');
    expect(backend.reason).toContain('libstdc++.so.6: version not found');
    expect(list()).toMatchObject([{ name: 'jobs' }]);
    expect(list({ backend: 'socket' })).toEqual(list());
    q.close();
    expect(prune()).toEqual([]);
  });

  it('has what only native has nowhere else', async () => {
    process.env['INTERPROC_BACKEND'] = 'socket';
    try {
      await imported();
      const { MpmcRing, SpscRing } = await import('../../src/ring.js');
      const { PosixSemaphore, PosixSharedMemory } = await import('../../src/posix.js');
      for (const [capability, call] of [
        ['rings', () => MpmcRing.create('r')],
        ['rings', () => SpscRing.create('r', { role: 'producer' })],
        ['posix', () => PosixSharedMemory.create('/m', 8)],
        ['posix', () => PosixSharedMemory.unlink('/m')],
        ['posix', () => PosixSemaphore.create('/s', 1)],
      ] as const) {
        const error = thrownBy(call) as Error;
        expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED' });
        expect(error.message).toMatch(new RegExp(`'${capability}'.*'socket'`));
      }
    } finally {
      delete process.env['INTERPROC_BACKEND'];
    }
  });

  it('checks arguments before it loads anything', async () => {
    const index = await imported();
    const { Queue, list, Pipe, prune } = index;
    const wrong = { backend: 'sockets' as 'socket' };
    for (const call of [
      () => Queue.create('no/name'),
      () => Queue.create('jobs', wrong),
      () => Queue.open('jobs', wrong),
      () => Queue.openOrCreate('jobs', wrong),
      () => new Queue(wrong),
      () => Pipe(wrong),
      () => Pipe.listen('jobs', wrong),
      () => new index.Value('int32', 0, wrong),
      () => index.Value.open('v', wrong),
      () => new index.SharedArray('int32', 2, wrong),
      () => index.SharedArray.open('xs', wrong),
      () => new index.SharedMemory(8, wrong),
      () => index.SharedMemory.open('m', wrong),
      () => new index.ShareableList([1], wrong),
      () => index.ShareableList.open('l', wrong),
      () => new index.Lock(wrong),
      () => index.Lock.openOrCreate('l', wrong),
      () => new index.RLock(wrong),
      () => new index.Semaphore(1, wrong),
      () => new index.BoundedSemaphore(1, wrong),
      () => new index.Condition(wrong),
      () => new index.Event(wrong),
      () => new index.Barrier(2, wrong),
      () => new index.RWLock(wrong),
      () => list(wrong),
      () => list(null as unknown as object),
      () => list({ backends: 'socket' } as object),
      () => prune(wrong),
      () => prune(null as unknown as object),
      () => prune({ dryrun: true } as object),
      () => prune({ dryRun: 'yes' as unknown as boolean }),
    ]) {
      expect(thrownBy(call)).toMatchObject({ code: 'ERR_INVALID_ARG' });
    }
    await expect(Pipe.connect('jobs', wrong)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG' });
    await expect(Queue.openWhenAvailable('jobs', wrong)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG',
    });
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
      'backend',
      'list',
      'prune',
      'wait',
    ]);
  });
});
