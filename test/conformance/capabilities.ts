/**
 * What a backend declares that it can do, it does; what it does not declare is refused, by the capability's name, by every call
 * that needs it.
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';

import type { CapabilityName } from '../../src/contract/capabilities.js';
import type { Backend } from '../../src/contract/channel.js';
import { bindListeners } from '../../src/primitives/bind-listeners.js';
import { bindLocks } from '../../src/primitives/bind-locks.js';
import { bindPipe } from '../../src/primitives/bind-pipe.js';
import { bindPosix } from '../../src/primitives/bind-posix.js';
import { bindQueue } from '../../src/primitives/bind-queue.js';
import { bindRings } from '../../src/primitives/bind-rings.js';
import { bindSharedArray } from '../../src/primitives/bind-shared-array.js';
import { bindSharedMemory } from '../../src/primitives/bind-shared-memory.js';
import { bindValue } from '../../src/primitives/bind-value.js';
import { HandleClasses } from '../../src/primitives/passengers.js';
import { Struct } from '../../src/shapes/struct.js';
import { coded } from './subject.js';

const Point = Struct({ x: 'int32', y: 'int32' });

/** All classes on one backend, and what they have opened. */
class Everything {
  readonly #opened: { close(): void }[] = [];
  readonly #handles = new HandleClasses();
  readonly #select;
  readonly Queue;
  readonly Value;
  readonly SharedArray;
  readonly SharedMemory;
  readonly locks;
  readonly rings;
  readonly posix;
  #names = 0;

  constructor(readonly backend: Backend) {
    const select = () => backend;
    this.#select = select;
    this.Queue = bindQueue(select, this.#handles);
    this.Value = bindValue(select, this.#handles);
    this.SharedArray = bindSharedArray(select, this.#handles);
    this.SharedMemory = bindSharedMemory(select, this.#handles);
    this.locks = bindLocks(select, this.#handles);
    this.rings = bindRings(select);
    this.posix = bindPosix(select);
  }

  get Pipe() {
    return bindPipe(this.#select, this.#handles);
  }

  get listeners() {
    return bindListeners(this.#select, this.#handles);
  }

  name(): string {
    this.#names++;
    return `capabilities-${process.pid}-${this.#names}`;
  }

  keep<H extends { close(): void }>(handle: H): H {
    this.#opened.push(handle);
    return handle;
  }

  /** A queue with these bytes in it. */
  queue(...messages: number[]) {
    const q = this.keep(new this.Queue({ codec: 'raw' }));
    for (const message of messages) q.putNowait(Uint8Array.of(message));
    return q;
  }

  /** Both ends; what the second can receive is there. */
  pipe() {
    const [ours, theirs] = this.Pipe({ codec: 'raw' });
    this.keep(ours).trySend(Uint8Array.of(1));
    return { ours, theirs: this.keep(theirs) };
  }

  event() {
    const event = this.keep(new this.locks.Event());
    event.set();
    return event;
  }

  condition() {
    return this.keep(new this.locks.Condition());
  }

  value() {
    return this.keep(new this.Value('int32', 1));
  }

  array() {
    return this.keep(new this.SharedArray('int32', [1, 2]));
  }

  points() {
    return this.keep(new this.SharedArray(Point, [{ x: 1, y: 2 }]));
  }

  cleanUp(): void {
    for (const handle of this.#opened.splice(0).reverse()) handle.close();
  }
}

type Use = (all: Everything) => unknown;

/** Each call that needs it, so made that it need not wait. */
const USES: Partial<Record<CapabilityName, Readonly<Record<string, Use>>>> = {
  pipes: { 'Pipe()': (all) => all.pipe() },
  listeners: {
    'Pipe.listen()': async (all) => all.keep(await all.listeners.listen(all.name())),
    async 'Pipe.connect()'(all) {
      const name = all.name();
      if (all.backend.capabilities.listeners) all.keep(await all.listeners.listen(name));
      all.keep(await all.listeners.connect(name));
    },
  },
  blocking: {
    'Queue.putSync': (all) => all.queue().putSync(Uint8Array.of(1)),
    'Queue.putManySync': (all) => all.queue().putManySync([Uint8Array.of(1)]),
    'Queue.getSync': (all) => all.queue(1).getSync(),
    'Queue.getManySync': (all) => all.queue(1).getManySync(),
    'Queue.getInto': (all) => all.queue(1).getInto(new Uint8Array(1)),
    'Queue.joinSync': (all) => all.queue().joinSync(),
    'Connection.sendSync': (all) => all.pipe().ours.sendSync(Uint8Array.of(1)),
    'Connection.sendManySync': (all) => all.pipe().ours.sendManySync([Uint8Array.of(1)]),
    'Connection.recvSync': (all) => all.pipe().theirs.recvSync(),
    'Connection.recvManySync': (all) => all.pipe().theirs.recvManySync(),
    'Connection.waitReadableSync': (all) => all.pipe().theirs.waitReadableSync(),
    'Connection.sendBytesSync': (all) => all.pipe().ours.sendBytesSync(Uint8Array.of(1)),
    'Connection.recvBytesSync': (all) => all.pipe().theirs.recvBytesSync(),
    'Connection.recvBytesIntoSync': (all) => all.pipe().theirs.recvBytesIntoSync(new Uint8Array(1)),
    'Lock.acquireSync': (all) => all.keep(new all.locks.Lock()).acquireSync(),
    'RLock.acquireSync': (all) => all.keep(new all.locks.RLock()).acquireSync(),
    'Semaphore.acquireSync': (all) => all.keep(new all.locks.Semaphore()).acquireSync(),
    'BoundedSemaphore.acquireSync': (all) =>
      all.keep(new all.locks.BoundedSemaphore()).acquireSync(),
    'Condition.acquireSync': (all) => all.condition().acquireSync(),
    'Event.waitSync': (all) => all.event().waitSync(),
    'Barrier.waitSync': (all) => all.keep(new all.locks.Barrier(1)).waitSync(),
    'RWLock.acquireReadSync': (all) => all.keep(new all.locks.RWLock()).acquireReadSync(),
    'RWLock.acquireWriteSync': (all) => all.keep(new all.locks.RWLock()).acquireWriteSync(),
    'EmbeddedLock.acquireSync': (all) => all.value().lock.acquireSync(),
    'Value.waitForSync': (all) => all.value().waitForSync(() => true),
    'SharedArray.waitForSync': (all) => all.array().waitForSync(() => true),
    async 'Condition.waitSync'(all) {
      const condition = all.condition();
      await condition.acquire();
      condition.waitSync({ timeoutMs: 0 });
    },
    async 'Condition.waitForSync'(all) {
      const condition = all.condition();
      await condition.acquire();
      condition.waitForSync(() => true);
    },
  },
  redelivery: {
    'Queue.receive': (all) => all.queue(1).receive(),
    'Queue.tryReceive': (all) => all.queue(1).tryReceive(),
    'Queue.receiveSync': (all) =>
      all.backend.capabilities.blocking ? all.queue(1).receiveSync() : all.queue(1).tryReceive(),
    'Queue.toReadable': (all) => all.queue(1).toReadable().destroy(),
    'Queue.toReadableStream': (all) => all.queue(1).toReadableStream().cancel(),
  },
  leases: {
    'Queue.reserve': (all) => all.queue().reserve(1).commit(),
    'Queue.reserveWhenAvailable': async (all) =>
      (await all.queue().reserveWhenAvailable(1)).commit(),
    'Queue.reserveWhenAvailableSync': (all) =>
      all.backend.capabilities.blocking
        ? all.queue().reserveWhenAvailableSync(1).commit()
        : all.queue().reserve(1).commit(),
    'Queue.peek': (all) => all.queue(1).peek().release(),
    'Queue.peekWhenAvailable': async (all) => (await all.queue(1).peekWhenAvailable()).release(),
    'Queue.peekWhenAvailableSync': (all) =>
      all.backend.capabilities.blocking
        ? all.queue(1).peekWhenAvailableSync().release()
        : all.queue(1).peek().release(),
  },
  views: {
    'SharedMemory.buffer': (all) => all.keep(new all.SharedMemory(8)).buffer,
    'Value.view': (all) => all.keep(new all.Value(Point)).view,
    'SharedArray.subarray': (all) => all.array().subarray(0, 1),
    'SharedArray.viewAt': (all) => all.points().viewAt(0),
  },
  rings: {
    'MpmcRing.create': (all) => all.keep(all.rings.MpmcRing.create(all.name())),
    'SpscRing.create': (all) =>
      all.keep(all.rings.SpscRing.create(all.name(), { role: 'producer' })),
  },
  posix: {
    'PosixSharedMemory.create'(all) {
      const name = all.name();
      all.keep(all.posix.PosixSharedMemory.create(name, 8));
      all.posix.PosixSharedMemory.unlink(name);
    },
    'PosixSemaphore.create'(all) {
      const name = all.name();
      all.keep(all.posix.PosixSemaphore.create(name, 1));
      all.posix.PosixSemaphore.unlink(name);
    },
  },
};

/** The names of all calls that block, where they can be found by their names. */
function blockingCalls(all: Everything): string[] {
  const { Queue, Value, SharedArray, locks, backend } = all;
  const { Lock, RLock, Semaphore, Condition, Event, Barrier, RWLock } = locks;
  const prototypes: Record<string, object> = {
    Queue,
    Value,
    SharedArray,
    Lock,
    RLock,
    Semaphore,
    Condition,
    Event,
    Barrier,
    RWLock,
    EmbeddedLock: all.value().lock.constructor,
    ...(backend.capabilities.pipes ? { Connection: all.pipe().ours.constructor } : {}),
  };
  return Object.entries(prototypes).flatMap(([label, made]) =>
    methodsOf((made as { prototype: object }).prototype)
      .filter((method) => method.endsWith('Sync'))
      .map((method) => `${label}.${method}`),
  );
}

function methodsOf(prototype: object): string[] {
  if (prototype === Object.prototype) return [];
  return [
    ...Object.getOwnPropertyNames(prototype),
    ...methodsOf(Object.getPrototypeOf(prototype) as object),
  ];
}

const LOOK_FOR = fileURLToPath(new URL('./look-for.mjs', import.meta.url));

export function capabilities(backend: Backend): void {
  describe.each(Object.entries(USES))('the capability %s', (capability, uses) => {
    const all = new Everything(backend);
    afterEach(() => {
      all.cleanUp();
      expect(backend.registry.list()).toEqual([]);
    });
    const isThere = backend.capabilities[capability as CapabilityName];

    it.each(Object.entries(uses))(
      isThere ? 'is there for %s' : 'is what %s says is missing',
      async (_, use) => {
        if (isThere) {
          await use(all);
          return;
        }
        const refused = async () => use(all);
        await expect(refused).rejects.toThrow(coded('ERR_UNSUPPORTED'));
        await expect(refused).rejects.toThrow(`needs the capability '${capability}'`);
      },
    );
  });

  describe('capabilities', () => {
    const all = new Everything(backend);
    afterEach(() => all.cleanUp());

    it('are asked of every call that blocks', () => {
      const asked = Object.values(USES).flatMap((uses) => Object.keys(uses));
      const calls = blockingCalls(all);
      expect(calls.length).toBeGreaterThan(20);
      expect(calls.filter((call) => !asked.includes(call))).toEqual([]);
    });

    it('do not change the result of a step on a value', () => {
      const n = all.value();
      expect([n.add(2), n.compareExchange(3, 9), n.value]).toEqual([1, 3, 9]);
    });

    it('say whether other processes find the objects', async () => {
      const { kind } = backend;
      const q = all.keep(all.Queue.create(all.name()));
      const { stdout } = await promisify(execFile)(process.execPath, [LOOK_FOR, q.name], {
        env: { ...process.env, INTERPROC_BACKEND: kind },
      });
      expect(stdout).toBe(backend.capabilities.betweenProcesses ? 'found' : 'ERR_NOT_FOUND');
      q.unlink();
    });
  });
}
