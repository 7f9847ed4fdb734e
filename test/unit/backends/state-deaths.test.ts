/** What becomes of what a client of a hub held, waited for or was told, when its line ends: by its death, or its wish. */

import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';

import {
  ACQUIRE,
  ACQUIRED,
  BROKEN,
  BUSY,
  CHANGE,
  RECOVERED,
  SHARE,
} from '../../../src/contract/locks.js';
import type { BarrierPlace } from '../../../src/contract/locks.js';
import { JOIN } from '../../../src/contract/channel.js';
import type { Side } from '../../../src/contract/shared-object.js';
import { STATE_DEFAULTS } from '../../../src/contract/state.js';
import type { State, StateKind, StateOptions } from '../../../src/contract/state.js';
import type { Link } from '../../../src/backends/brokered/remote/link.js';
import { openState } from '../../../src/backends/brokered/remote/remote-state.js';
import { DirectBackend } from '../direct-backend.js';
import { thrownBy } from '../thrown-by.js';

const backend = new DirectBackend();
const clients: Client[] = [];

/** One line to the hub, and the state it has open. */
class Client {
  readonly link: Link = backend.anotherLink();
  readonly state: State;
  readonly rung: Side[] = [];

  constructor(kind: StateKind, options: Partial<StateOptions> = {}) {
    this.state = this.openAgain(kind, options);
    this.state.onReady = (side) => this.rung.push(side);
    clients.push(this);
  }

  openAgain(kind: StateKind, options: Partial<StateOptions> = {}): State {
    return openState(this.link, 'it', 'openOrCreate', {
      ...STATE_DEFAULTS,
      byteLength: 0,
      schema: '',
      parameter: 0,
      persist: false,
      kind,
      ...options,
    });
  }

  die(): void {
    this.link.close();
  }

  get lock() {
    return the(this.state.parts.lock);
  }
  get semaphore() {
    return the(this.state.parts.semaphore);
  }
  get condition() {
    return the(this.state.parts.condition);
  }
  get event() {
    return the(this.state.parts.event);
  }
  get barrier() {
    return the(this.state.parts.barrier);
  }
  get rwLock() {
    return the(this.state.parts.rwLock);
  }
  get cells() {
    return the(this.state.cells);
  }

  come(): BarrierPlace {
    const place = this.barrier.come();
    if (place === BROKEN) throw new Error('it is broken');
    return place;
  }
}

function the<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('it has no such part');
  return part;
}

/** Whatever is on its way arrives. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await turn();
}

/** What is kept for somebody is kept for a while. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

/** Whoever waits meanwhile has waited long. */
async function aWhile(): Promise<void> {
  const begin = performance.now();
  await until(() => performance.now() - begin > 5);
}

afterEach(() => {
  vi.useRealTimers();
  for (const client of clients.splice(0)) client.die();
  expect(backend.list()).toEqual([]);
});

describe('a lock', () => {
  it('goes to the next when its owner dies, who is told', async () => {
    const [dead, next] = [new Client('lock'), new Client('lock')];
    expect(dead.lock.tryAcquire(true)).toBe(ACQUIRED);
    expect(next.lock.tryAcquire(false)).toBe(BUSY);
    next.state.arm(ACQUIRE);
    await settled();
    expect(next.rung).toEqual([]);
    dead.die();
    await settled();
    expect(next.rung).toEqual([ACQUIRE]);
    expect(next.lock.tryAcquire(false)).toBe(RECOVERED);
    next.lock.release();
    expect(next.lock.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('goes to the next as well when its owner only closes', () => {
    const [owner, next] = [new Client('value', { byteLength: 4 }), new Client('value')];
    owner.lock.tryAcquire(true);
    owner.state.close();
    expect(next.lock.tryAcquire(true)).toBe(RECOVERED);
  });

  it('wakes another when the one that was called dies before it comes', async () => {
    const [owner, dead, next] = [new Client('lock'), new Client('lock'), new Client('lock')];
    owner.lock.tryAcquire(true);
    dead.state.arm(ACQUIRE);
    next.state.arm(ACQUIRE);
    owner.lock.release();
    await settled();
    expect([dead.rung, next.rung]).toEqual([[ACQUIRE], []]);
    dead.die();
    await settled();
    expect(next.rung).toEqual([ACQUIRE]);
    expect(next.lock.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('wakes another when the one that was called does not want it any more', async () => {
    const [owner, busy, next] = [new Client('lock'), new Client('lock'), new Client('lock')];
    owner.lock.tryAcquire(true);
    busy.state.arm(ACQUIRE);
    next.state.arm(ACQUIRE);
    owner.lock.release();
    // The call is on its way.
    busy.state.disarm(ACQUIRE);
    await settled();
    expect([busy.rung, next.rung]).toEqual([[], [ACQUIRE]]);
  });

  it('wakes another in a while when the one that was called is stopped', async () => {
    const [owner, stopped, next] = [new Client('lock'), new Client('lock'), new Client('lock')];
    owner.lock.tryAcquire(true);
    stopped.state.arm(ACQUIRE);
    next.state.arm(ACQUIRE);
    owner.lock.release();
    await until(() => next.rung.length > 0);
    expect(next.lock.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('goes to the first of two who have waited long', async () => {
    const [owner, first, second] = [new Client('lock'), new Client('lock'), new Client('lock')];
    owner.lock.tryAcquire(true);
    first.state.arm(ACQUIRE);
    second.state.arm(ACQUIRE);
    await aWhile();
    owner.lock.release();
    await settled();
    expect([first.rung, second.rung]).toEqual([[ACQUIRE], []]);
    // Or to another handle of its thread, which may be blocked there.
    const beside = the(first.openAgain('lock').parts.lock);
    expect(beside.tryAcquire(true)).toBe(ACQUIRED);
    beside.release();
    expect(first.lock.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('wakes another in a while also if others come and go all the time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    const [owner, stopped, next] = [new Client('lock'), new Client('lock'), new Client('lock')];
    const restless = new Client('lock');
    owner.lock.tryAcquire(true);
    stopped.state.arm(ACQUIRE);
    next.state.arm(ACQUIRE);
    owner.lock.release();
    for (let ms = 0; ms < 100; ms += 10) {
      vi.advanceTimersByTime(10);
      restless.state.arm(ACQUIRE);
      restless.state.disarm(ACQUIRE);
    }
    await settled();
    expect(next.rung).toEqual([ACQUIRE]);
    expect(next.lock.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('is waited for anew by who was called and finds it taken', async () => {
    const [owner, late, quick] = [new Client('lock'), new Client('lock'), new Client('lock')];
    owner.lock.tryAcquire(true);
    late.state.arm(ACQUIRE);
    owner.lock.release();
    expect(quick.lock.tryAcquire(true)).toBe(ACQUIRED);
    await settled();
    expect(late.rung).toEqual([ACQUIRE]);
    expect(late.lock.tryAcquire(false)).toBe(BUSY);
    late.state.arm(ACQUIRE);
    await settled();
    expect(late.rung).toEqual([ACQUIRE]);
    quick.lock.release();
    await settled();
    expect(late.rung).toEqual([ACQUIRE, ACQUIRE]);
  });

  it('wakes another in a while when one is stopped that was called when another had come', async () => {
    const [owner, first, stopped, next] = [
      new Client('lock'),
      new Client('lock'),
      new Client('lock'),
      new Client('lock'),
    ];
    owner.lock.tryAcquire(true);
    for (const { state } of [first, stopped, next]) state.arm(ACQUIRE);
    owner.lock.release();
    expect(first.lock.tryAcquire(false)).toBe(ACQUIRED);
    await aWhile();
    first.lock.release();
    await until(() => next.rung.length > 0);
    expect(next.lock.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('is kept a moment for who has waited long, and then not', async () => {
    const [owner, slow, quick] = [new Client('lock'), new Client('lock'), new Client('lock')];
    owner.lock.tryAcquire(true);
    slow.state.arm(ACQUIRE);
    await aWhile();
    owner.lock.release();
    expect(quick.lock.tryAcquire(true)).toBe(BUSY);
    await until(() => quick.lock.tryAcquire(true) === ACQUIRED);
    // What keeps its place is the wait: it comes one day by itself.
    expect(slow.lock.tryAcquire(false)).toBe(BUSY);
  });
});

describe('a semaphore', () => {
  it('has the permits back of who dies, and tells the next', async () => {
    const options = { parameter: 2 };
    const [dead, next] = [new Client('semaphore', options), new Client('semaphore')];
    expect([dead.semaphore.tryAcquire(true), dead.semaphore.tryAcquire(true)]).toEqual([
      ACQUIRED,
      ACQUIRED,
    ]);
    next.state.arm(ACQUIRE);
    dead.die();
    await settled();
    expect(next.rung).toEqual([ACQUIRE]);
    expect(next.semaphore.value()).toBe(2);
    expect(next.semaphore.tryAcquire(false)).toBe(RECOVERED);
    expect(next.semaphore.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('has no more back than are missing from what it began with', () => {
    const [dead, other] = [new Client('semaphore', { parameter: 1 }), new Client('semaphore')];
    dead.semaphore.tryAcquire(true);
    expect(other.semaphore.release()).toBe(true);
    dead.die();
    expect(other.semaphore.value()).toBe(1);
    expect(other.semaphore.tryAcquire(true)).toBe(ACQUIRED);
  });

  it('is had by the first who wait, though another handle of the first has had a permit', async () => {
    const [holder, first, second] = [
      new Client('semaphore', { parameter: 2 }),
      new Client('semaphore'),
      new Client('semaphore'),
    ];
    for (let i = 0; i < 2; i++) holder.semaphore.tryAcquire(true);
    first.state.arm(ACQUIRE);
    second.state.arm(ACQUIRE);
    await aWhile();
    for (let i = 0; i < 2; i++) holder.semaphore.release();
    await settled();
    expect([first.rung, second.rung]).toEqual([[ACQUIRE], [ACQUIRE]]);
    // What is kept for a thread, another of its handles may have.
    const beside = the(first.openAgain('semaphore').parts.semaphore);
    expect(beside.tryAcquire(true)).toBe(ACQUIRED);
    expect(second.semaphore.tryAcquire(false)).toBe(BUSY);
    expect(first.semaphore.tryAcquire(false)).toBe(ACQUIRED);
    second.state.arm(ACQUIRE);
    await settled();
    expect(second.rung).toEqual([ACQUIRE]);
    beside.release();
    await settled();
    expect(second.rung).toEqual([ACQUIRE, ACQUIRE]);
    expect(second.semaphore.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('rings everybody who is called, whatever another handle of theirs has had', async () => {
    const [holder, first, second] = [
      new Client('semaphore', { parameter: 2 }),
      new Client('semaphore'),
      new Client('semaphore'),
    ];
    for (let i = 0; i < 2; i++) holder.semaphore.tryAcquire(true);
    first.state.arm(ACQUIRE);
    second.state.arm(ACQUIRE);
    await aWhile();
    for (let i = 0; i < 2; i++) holder.semaphore.release();
    await settled();
    const beside = the(first.openAgain('semaphore').parts.semaphore);
    expect(beside.tryAcquire(true)).toBe(ACQUIRED);
    // It has not looked, and waits again.
    first.state.arm(ACQUIRE);
    await settled();
    expect(first.rung).toEqual([ACQUIRE, ACQUIRE]);
    expect(first.semaphore.tryAcquire(false)).toBe(ACQUIRED);
  });

  it('without bounds takes back what is held, and refuses what would be too many', () => {
    const most = 2 ** 24 - 1;
    const [one, other] = [
      new Client('semaphore', { parameter: most }),
      new Client('semaphore', { parameter: most }),
    ];
    one.semaphore.tryAcquire(true);
    expect(other.semaphore.release()).toBe(false);
    expect(one.semaphore.release()).toBe(true);
    expect(one.semaphore.release()).toBe(false);
    expect(one.semaphore.value()).toBe(most);
  });
});

describe('a condition', () => {
  it('passes the notifications of who dies on to others', async () => {
    const [dead, next, notifier] = [
      new Client('condition'),
      new Client('condition'),
      new Client('condition'),
    ];
    for (const waiter of [dead, next]) {
      waiter.lock.tryAcquire(true);
      expect(waiter.condition.beginWait()).toBe(true);
      waiter.lock.release();
      waiter.state.arm(CHANGE);
    }
    notifier.lock.tryAcquire(true);
    expect(notifier.condition.notify(1)).toBe(1);
    notifier.lock.release();
    await settled();
    expect([dead.rung, next.rung]).toEqual([[CHANGE], []]);
    expect(dead.condition.take()).toBe(true);
    dead.die();
    await settled();
    expect(next.rung).toEqual([CHANGE]);
    expect([next.condition.take(), next.condition.take()]).toEqual([true, false]);
    next.lock.tryAcquire(false);
    next.condition.finishWait();
    expect(next.condition.notify(9)).toBe(0);
  });

  it('forgets who dies while it waits', () => {
    const [dead, notifier] = [new Client('condition'), new Client('condition')];
    dead.lock.tryAcquire(true);
    dead.condition.beginWait();
    dead.lock.release();
    dead.die();
    notifier.lock.tryAcquire(true);
    expect(notifier.condition.notify(9)).toBe(0);
  });

  it('is waited for and notified with the lock only', () => {
    const one = new Client('condition');
    expect(one.condition.beginWait()).toBe(false);
    expect(one.condition.notify(1)).toBe(-1);
  });
});

describe('a barrier', () => {
  it('breaks for those who wait and those who come when one that came dies', async () => {
    const parties = { parameter: 3 };
    const [dead, waiting, late] = [
      new Client('barrier', parties),
      new Client('barrier'),
      new Client('barrier'),
    ];
    dead.come();
    const place = waiting.come();
    expect(waiting.barrier.passed(place)).toBe(BUSY);
    waiting.state.arm(CHANGE);
    dead.die();
    await settled();
    expect(waiting.rung).toEqual([CHANGE]);
    expect(waiting.barrier.passed(place)).toBe(BROKEN);
    expect(late.barrier.come()).toBe(BROKEN);
    late.barrier.reset();
    expect(late.come().index).toBe(0);
  });

  it('breaks when the last one dies while it runs its action', async () => {
    const [waiting, dead] = [new Client('barrier', { parameter: 2 }), new Client('barrier')];
    const place = waiting.come();
    expect(dead.come().isLast).toBe(true);
    dead.die();
    await settled();
    expect(waiting.barrier.passed(place)).toBe(BROKEN);
  });

  it('is not broken by who dies when it has passed', async () => {
    const [waiting, dead] = [new Client('barrier', { parameter: 2 }), new Client('barrier')];
    const place = waiting.come();
    expect(dead.barrier.pass(dead.come())).toBe(true);
    dead.die();
    await settled();
    expect(waiting.barrier.giveUp(place)).toBe(true);
    expect(waiting.barrier.isBroken()).toBe(false);
  });
});

describe('a lock of readers and writers', () => {
  it('lets a writer in when the reader dies, who is told', async () => {
    const [dead, writer] = [new Client('rwlock'), new Client('rwlock')];
    dead.rwLock.tryRead(true);
    expect(writer.rwLock.tryWrite(false)).toBe(BUSY);
    writer.state.arm(ACQUIRE);
    dead.die();
    await settled();
    expect(writer.rung).toEqual([ACQUIRE]);
    expect(writer.rwLock.tryWrite(false)).toBe(RECOVERED);
  });

  it('lets readers in when the writer dies, or the one that waited to write', async () => {
    const [writer, waiting, reader] = [
      new Client('rwlock'),
      new Client('rwlock'),
      new Client('rwlock'),
    ];
    writer.rwLock.tryWrite(true);
    waiting.state.arm(ACQUIRE);
    reader.state.arm(SHARE);
    writer.die();
    await settled();
    // Readers first.
    expect([waiting.rung, reader.rung]).toEqual([[], [SHARE]]);
    expect(reader.rwLock.tryRead(false)).toBe(RECOVERED);
    reader.rwLock.releaseRead();
    await settled();
    expect(waiting.rung).toEqual([ACQUIRE]);
    expect(reader.rwLock.tryRead(true)).toBe(BUSY);
    waiting.die();
    expect(reader.rwLock.tryRead(true)).toBe(ACQUIRED);
  });

  it('goes to the writer when the readers that come first do not come', async () => {
    const [writer, waiting, stopped] = [
      new Client('rwlock'),
      new Client('rwlock'),
      new Client('rwlock'),
    ];
    writer.rwLock.tryWrite(true);
    waiting.state.arm(ACQUIRE);
    stopped.state.arm(SHARE);
    writer.rwLock.releaseWrite();
    await until(() => waiting.rung.length > 0);
    expect(waiting.rwLock.tryWrite(false)).toBe(ACQUIRED);
  });
});

describe('cells', () => {
  const options = { byteLength: 8 };

  it('keep what was told before a death, and wake who waits for a change', async () => {
    const [dead, other] = [new Client('value', options), new Client('value', options)];
    const load = () => other.cells.ofType('int32').operate('load', 0);
    other.cells.beforeLook();
    expect(load()).toBe(0);
    other.state.arm(JOIN);
    await settled();
    expect(other.rung).toEqual([]);
    dead.cells.ofType('int32').operate('store', 0, 7);
    dead.die();
    await settled();
    expect(other.rung).toEqual([JOIN]);
    expect(load()).toBe(7);
  });

  it('ring at once for a change between the look and the wait', async () => {
    const [one, other] = [new Client('value', options), new Client('value', options)];
    other.cells.beforeLook();
    other.cells.ofType('int32').operate('load', 0);
    one.state.write(4, new Uint8Array([1]));
    other.state.arm(JOIN);
    await settled();
    expect(other.rung).toEqual([JOIN]);
  });
});

describe('whatever it is', () => {
  it('throws ERR_BROKER when the hub is gone, rings who waits, and closes in silence', async () => {
    const one = new Client('event');
    one.event.mark();
    one.state.arm(CHANGE);
    one.die();
    await settled();
    expect(one.rung).toEqual([CHANGE]);
    expect(thrownBy(() => one.event.isSet())).toMatchObject({ code: 'ERR_BROKER' });
    one.state.leave(ACQUIRE);
    one.state.close();
  });

  it('takes as many handles as it was made for', () => {
    const options = { maxParticipants: 1 };
    const one = new Client('memory', { byteLength: 8, ...options });
    expect(thrownBy(() => new Client('memory'))).toMatchObject({ code: 'ERR_NO_SLOT' });
    one.state.close();
    expect(thrownBy(() => one.state.read(0, new Uint8Array(1)))).toMatchObject({
      code: 'ERR_CLOSED',
    });
  });
});
