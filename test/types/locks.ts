/** What the compiler knows about locks. Checked by `npm run types`, never run. */

import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  Queue,
  RLock,
  RWLock,
  Semaphore,
} from 'interproc';
import type { Guard, RLockGuard } from 'interproc';
import { same } from './same.js';

export async function locks(): Promise<void> {
  const lock = Lock.create('a', { persist: true, maxParticipants: 3 });
  same<typeof lock, Lock>();
  const guard = await lock.acquire({ timeoutMs: 5, signal: AbortSignal.timeout(5) });
  same<typeof guard, Guard>();
  const tried = lock.tryAcquire();
  same<typeof tried, Guard | null>();
  const blocked = lock.acquireSync({ timeoutMs: 5 });
  same<typeof blocked, Guard>();
  const result = await lock.with(async (held) => held.recovered);
  same<typeof result, boolean>();
  const plain = await lock.with(() => 7, { timeoutMs: 5 });
  same<typeof plain, number>();
  using held = await Lock.open('a').acquire();
  void held;
  const found: Lock = await Lock.openWhenAvailable('a', { timeoutMs: 5 });
  void found;
  // @ts-expect-error a blocking call cannot be aborted
  lock.acquireSync({ signal: AbortSignal.timeout(5) });
  // @ts-expect-error a Lock is not acquired again
  guard.acquire();
  // @ts-expect-error there is no such option
  Lock.create('a', { colour: 'red' });
  // @ts-expect-error locks are made by the class's own calls
  new Lock('a');
}

export async function reentry(): Promise<void> {
  const lock = new RLock();
  const guard = await lock.acquire();
  same<typeof guard, RLockGuard>();
  const again = guard.acquire();
  same<typeof again, RLockGuard>();
  const queue = new Queue<RLock>();
  await queue.put(lock);
}

export async function semaphores(): Promise<void> {
  const semaphore = Semaphore.create('s', 3, { persist: true });
  same<typeof semaphore, Semaphore>();
  const bounded = BoundedSemaphore.openOrCreate('s', 3);
  same<typeof bounded, BoundedSemaphore>();
  same<typeof semaphore.value, number>();
  semaphore.release();
  const anonymous: Semaphore = new BoundedSemaphore(2);
  void anonymous;
  // @ts-expect-error what it began with is not asked when it is opened
  Semaphore.open('s', 3);
}

export async function waiting(): Promise<void> {
  const event = new Event();
  const set = await event.wait({ timeoutMs: 5 });
  same<typeof set, boolean>();
  same<typeof event.isSet, boolean>();
  const lock = new Lock();
  const condition = new Condition(lock);
  const named = Condition.create('c', { lock: new RLock() });
  same<typeof named, Condition>();
  const notified = await condition.wait();
  same<typeof notified, boolean>();
  const found = await condition.waitFor(() => 'found');
  same<typeof found, string>();
  const count = condition.notify(2);
  same<typeof count, number>();
  const barrier = Barrier.create('b', 3, { action: async () => 1, timeoutMs: 5 });
  const index = await barrier.wait();
  same<typeof index, number>();
  // @ts-expect-error how many must come has to be said
  new Barrier();
  // @ts-expect-error an event is no lock
  new Condition(event);
}

export async function readersAndWriters(): Promise<void> {
  const lock = RWLock.open('r');
  const read = await lock.acquireRead();
  same<typeof read, Guard>();
  const write = lock.tryAcquireWrite();
  same<typeof write, Guard | null>();
  const result = await lock.withRead(() => 'read');
  same<typeof result, string>();
}
