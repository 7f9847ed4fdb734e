import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EMPTY, ENDED, FULL, JOIN, PUT, TAKE } from '../../../../src/contract/channel.js';
import type { Channel, ChannelOptions } from '../../../../src/contract/channel.js';
import { ownTime } from '../../../../src/backends/brokered/own-time.js';
import { openChannel } from '../../../../src/backends/brokered/remote/remote-channel.js';
import { BATCH } from '../../../../src/backends/brokered/channel-operations.js';
import type { Link } from '../../../../src/backends/brokered/remote/link.js';
import { DirectBackend } from '../../direct-backend.js';

/** Most that a killed taker may have taken without handing it out. */
const CHUNK = 16;

/** A process, as its hub sees it. */
class Party {
  readonly channel: Channel;
  /** What it asked for and what it said, since this was read last. */
  requests = 0;
  words = 0;

  constructor(
    readonly link: Link,
    options: ChannelOptions = {},
  ) {
    this.channel = openChannel(link, 'q', 'openOrCreate', options);
    const ask = link.ask.bind(link);
    const tell = link.tell.bind(link);
    const tellSoon = link.tellSoon.bind(link);
    const tellOutboxSoon = link.tellOutboxSoon.bind(link);
    vi.spyOn(link, 'ask').mockImplementation((rest) => (this.requests++, ask(rest)));
    vi.spyOn(link, 'tell').mockImplementation((rest) => (this.words++, tell(rest)));
    vi.spyOn(link, 'tellSoon').mockImplementation((messages) => (this.words++, tellSoon(messages)));
    vi.spyOn(link, 'tellOutboxSoon').mockImplementation(() => (this.words++, tellOutboxSoon()));
  }

  kill(): void {
    this.link.close();
  }

  put(id: number): number {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, id);
    return this.channel.tryPut(bytes);
  }

  putAll(from: number, count: number): void {
    for (let i = from; i < from + count; i++) expect(this.put(i)).toBe(0);
  }

  /** What it has taken, or a status. */
  take(): number {
    const length = this.channel.tryTake();
    return length < 0 ? length : this.#inInbox();
  }

  /** Up to so many, at least one. */
  takeMany(max: number): number[] {
    const count = this.channel.tryTakeMany(max);
    expect(count).toBeGreaterThan(0);
    const { inbox, offsets } = this.channel;
    const view = new DataView(inbox.buffer, inbox.byteOffset);
    return Array.from({ length: count }, (_, i) => view.getUint32(offsets[i] as number));
  }

  takeAll(count: number): number[] {
    return Array.from({ length: count }, () => this.take());
  }

  receive(): number {
    const length = this.channel.tryReceive();
    return length < 0 ? length : this.#inInbox();
  }

  #inInbox(): number {
    const { inbox } = this.channel;
    return new DataView(inbox.buffer, inbox.byteOffset).getUint32(0);
  }

  cost(): { requests: number; words: number } {
    const cost = { requests: this.requests, words: this.words };
    this.requests = 0;
    this.words = 0;
    return cost;
  }
}

let backend: DirectBackend;
/** As a clock that stands still: all that is done within a turn is done quickly. */
let now = 0;
/** What is due when the time has passed after which room goes back that was not used. */
let due: (() => void)[] = [];

beforeEach(() => {
  backend = new DirectBackend();
  now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.spyOn(ownTime, 'setTimeout').mockImplementation(((action: () => void) => {
    due.push(action);
    return { unref() {} };
  }) as never);
});

afterEach(() => {
  while (due.length > 0) timePasses();
  vi.restoreAllMocks();
});

function timePasses(): void {
  const actions = due;
  due = [];
  for (const action of actions) action();
}

function party(options?: ChannelOptions): Party {
  return new Party(backend.anotherLink(), options);
}

async function turns(): Promise<void> {
  for (let i = 0; i < 4; i++) await turn();
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

describe('room that was promised', () => {
  it('is given to who puts fast, and makes puts words', () => {
    const putter = party();
    putter.put(1);
    expect(putter.cost()).toEqual({ requests: 1, words: 0 });
    putter.putAll(2, 200);
    expect(putter.cost().requests).toBeLessThan(6);
    expect(party().takeAll(201)).toEqual(range(1, 201));
  });

  it('is not given to who puts slowly', async () => {
    const putter = party();
    for (let i = 0; i < 5; i++) {
      putter.cost();
      putter.put(i);
      expect(putter.cost()).toEqual({ requests: 1, words: 0 });
      now += 10;
      await turns();
    }
  });

  it('is given back when it was not used for a while', () => {
    const putter = party({ capacityBytes: 4096 });
    putter.putAll(0, 4);
    putter.cost();
    timePasses();
    expect(putter.cost()).toEqual({ requests: 0, words: 0 });
    timePasses();
    expect(putter.cost()).toEqual({ requests: 0, words: 1 });
    expect(due).toEqual([]);
    putter.put(4);
    expect(putter.cost()).toEqual({ requests: 1, words: 0 });
  });

  it('is kept by who puts now and then', async () => {
    const putter = party();
    const taker = party();
    putter.putAll(0, 2);
    putter.cost();
    for (let i = 2; i < 300; i++) {
      await turns();
      putter.put(i);
      if (i % 3 === 0) timePasses();
      expect(taker.take()).toBe(i - 2);
    }
    expect(putter.cost()).toEqual({ requests: 0, words: 298 });
  });

  it('is kept in a short wait, and given back in a long one', () => {
    const putter = party();
    const words = () => {
      expect(putter.channel.tryTake()).toBe(EMPTY);
      const { words: count } = putter.cost();
      return count;
    };
    const taker = party();
    putter.putAll(0, 2);
    taker.takeAll(2);
    words();
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 0.3));
    expect(putter.channel.waitSync(TAKE, 1)).toBe(false);
    // It waits, and waits no more.
    expect(words()).toBe(2);
    expect(putter.put(2)).toBe(0);
    expect(putter.cost()).toEqual({ requests: 0, words: 1 });
    taker.take();
    expect(putter.channel.waitSync(TAKE, 20)).toBe(false);
    expect(words()).toBe(3);
    expect(putter.put(3)).toBe(0);
    expect(putter.cost()).toEqual({ requests: 1, words: 0 });
  });

  it('is given back at once, in a wait too, when the queue ends', () => {
    const putter = party();
    const [ender, taker] = [party(), party()];
    putter.putAll(0, 2);
    taker.takeAll(2);
    let isEnded = false;
    backend.whileBlocked = () => {
      if (isEnded) return false;
      isEnded = true;
      ender.channel.end();
      return true;
    };
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 0.001));
    expect(putter.channel.waitSync(TAKE, 1)).toBe(true);
    expect(taker.take()).toBe(ENDED);
  });

  it("is in nobody's way: others find all the room that is not taken", () => {
    const putter = party({ capacityBytes: 4096 });
    const other = party();
    putter.putAll(0, 10);
    let count = 10;
    while (other.put(count) === 0) count++;
    expect(count).toBe(4096 / 64);
    expect(other.channel.isFull()).toBe(true);
  });

  it('is kept: what was put by it is there though its putter is killed', () => {
    const putter = party();
    putter.putAll(0, 100);
    putter.kill();
    const taker = party();
    expect(taker.takeAll(100)).toEqual(range(0, 100));
    expect(taker.take()).toBe(EMPTY);
  });

  it('ends with its putter, and all the room is there again', () => {
    const taker = party({ capacityBytes: 4096, persist: true });
    for (let round = 0; round < 50; round++) {
      const putter = party();
      putter.putAll(0, 5);
      putter.kill();
      taker.takeAll(5);
    }
    const putter = party();
    putter.putAll(0, 4096 / 64);
    expect(putter.put(0)).toBe(FULL);
  });

  it("is a batch's, too", () => {
    const putter = party();
    putter.putAll(0, 10);
    putter.cost();
    const messages = range(10, 5).map((id) => Uint8Array.of(0, 0, 0, id));
    expect(putter.channel.tryPutMany(messages, 0)).toBe(5);
    expect(putter.cost()).toEqual({ requests: 0, words: 1 });
    expect(party().takeAll(15)).toEqual(range(0, 15));
  });

  it('keeps the end of the queue waiting, until it was given back', async () => {
    const putter = party();
    const ender = party();
    const taker = party();
    putter.putAll(0, 4);
    ender.channel.end();
    // Not yet read by the putter.
    expect(putter.put(4)).toBe(0);
    expect(ender.put(0)).toBe(ENDED);
    expect(taker.takeAll(6)).toEqual([0, 1, 2, 3, 4, EMPTY]);
    expect(taker.channel.arm(TAKE)).toBe(false);
    const rung = vi.fn();
    taker.channel.onReady = rung;
    await turns();
    expect(rung).toHaveBeenCalledTimes(1);
    expect(taker.take()).toBe(ENDED);
    expect(putter.put(5)).toBe(ENDED);
  });

  it('is wanted back when the queue ends, however busily its putter puts', async () => {
    const putter = party();
    putter.putAll(0, 4);
    party().channel.end();
    await turn();
    expect(putter.put(4)).toBe(ENDED);
  });

  it('is void at both ends if it is on its way while its thread asks for room', () => {
    const putter = party({ capacityBytes: 4096 });
    const other = openChannel(putter.link, 'q', 'open', {});
    const taker = party();
    putter.putAll(0, 64);
    expect(putter.put(64)).toBe(FULL);
    putter.channel.arm(PUT);
    taker.takeAll(64);
    const bytes = new Uint8Array(8);
    for (let i = 0; i < 64; i++) expect(other.tryPut(bytes)).toBe(0);
    expect([other.tryPut(bytes), putter.put(65)]).toEqual([FULL, FULL]);
    taker.channel.end();
    expect(taker.takeAll(65)).toEqual([...Array.from({ length: 64 }, () => 0), ENDED]);
  });

  it('ends at once for who ends the queue', () => {
    const both = party();
    both.putAll(0, 4);
    both.channel.end();
    expect(both.put(4)).toBe(ENDED);
    expect(party().takeAll(5)).toEqual([0, 1, 2, 3, ENDED]);
  });

  it('does not keep the end waiting when its putter is killed', () => {
    const putter = party();
    const taker = party();
    putter.putAll(0, 4);
    taker.channel.end();
    expect(taker.takeAll(5)).toEqual([0, 1, 2, 3, EMPTY]);
    putter.kill();
    expect(taker.take()).toBe(ENDED);
  });

  it('comes with the answer to who waited for some', async () => {
    const putter = party({ capacityBytes: 4096 });
    const taker = party();
    putter.putAll(0, 64);
    expect(putter.put(64)).toBe(FULL);
    expect(putter.channel.arm(PUT)).toBe(false);
    const rung = vi.fn();
    putter.channel.onReady = rung;
    taker.takeAll(64);
    await turn();
    await turn();
    expect(rung).toHaveBeenCalledWith(PUT);
    putter.cost();
    expect(putter.put(64)).toBe(0);
    expect(putter.cost()).toMatchObject({ requests: 0 });
  });

  it('is kept for one message that is too large to be sent in vain', () => {
    const putter = party();
    const taker = party();
    const large = new Uint8Array(40_000).fill(7);
    expect(putter.channel.tryPut(large)).toBe(0);
    const before = putter.cost();
    expect(before).toMatchObject({ words: 1 });
    expect(putter.channel.tryPut(large)).toBe(FULL);
    expect(putter.cost()).toEqual({ requests: 1, words: 0 });
    expect(taker.channel.tryTake()).toBe(40_000);
  });

  it('is refused to who takes more than was promised', () => {
    const putter = party();
    const ended = vi.fn();
    // Word for word what a broken client might say.
    const { handle } = putter.channel as unknown as { handle: number };
    putter.link.beginTelling(handle, 105).bool(false);
    putter.link.tell(new Uint8Array(10));
    try {
      putter.channel.size();
    } catch (error) {
      ended(error);
    }
    expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_BROKER' }));
    expect(party().channel.size()).toBe(0);
  });
});

describe('messages in hand', () => {
  /** A taker that is quick, with `count` messages to come. */
  function quickTaker(count: number): Party {
    const putter = party({ capacityBytes: 2 ** 20 });
    const taker = party();
    putter.putAll(0, count);
    putter.channel.close();
    return taker;
  }

  it('make takes of a quick taker free of requests', () => {
    const taker = quickTaker(2000);
    taker.cost();
    expect(taker.takeAll(2000)).toEqual(range(0, 2000));
    expect(taker.cost().requests).toBeLessThan(20);
  });

  it('are not given to a slow one', () => {
    const taker = quickTaker(20);
    const other = party();
    taker.cost();
    for (let i = 0; i < 10; i++) {
      expect(taker.take()).toBe(2 * i);
      expect(other.take()).toBe(2 * i + 1);
      now += 5;
    }
    expect(taker.cost().requests).toBe(10);
  });

  it.each([600, 1100, 2000])(
    'are taken several at a time, never more than a batch, after %i one by one',
    (taken) => {
      const taker = quickTaker(4000);
      taker.takeAll(taken);
      const got: number[] = [];
      taker.cost();
      while (taken + got.length < 4000) {
        const messages = taker.takeMany(1000);
        expect(messages.length).toBeLessThanOrEqual(BATCH);
        got.push(...messages);
      }
      expect(got).toEqual(range(taken, 4000 - taken));
      expect(taker.cost().requests).toBeLessThan(6);
    },
  );

  it('come ahead for who takes several at a time, quickly', () => {
    const taker = quickTaker(3000);
    taker.cost();
    const got: number[] = [];
    while (got.length < 3000) got.push(...taker.takeMany(100));
    expect(got).toEqual(range(0, 3000));
    expect(taker.cost().requests).toBeLessThan(10);
  });

  it('go back when nothing was taken for a turn, in their order, uncounted', async () => {
    const taker = quickTaker(100);
    const other = party();
    expect(taker.takeAll(40)).toEqual(range(0, 40));
    expect(other.take()).toBeGreaterThan(40);
    await turns();
    expect(other.takeAll(5)).toEqual(range(40, 5));
    expect(other.channel.deliveries).toBe(1);
    expect(taker.channel.stats().redelivered).toBe(0);
  });

  it("are the other's when their holder is killed, but for those that it had taken", () => {
    const taker = quickTaker(200);
    const got = taker.takeAll(70);
    taker.kill();
    const heir = party();
    const rest: number[] = [];
    for (let id = heir.take(); id >= 0; id = heir.take()) rest.push(id);
    expect(rest).toEqual([...rest].sort((a, b) => a - b));
    // Nothing twice.
    expect(rest.filter((id) => got.includes(id))).toEqual([]);
    const lost = 200 - got.length - rest.length;
    expect(lost).toBeGreaterThanOrEqual(0);
    expect(lost).toBeLessThan(CHUNK);
  });

  it("are the other's, all of them, when they were pushed and not seen", () => {
    const putter = party();
    const taker = party();
    taker.channel.arm(TAKE);
    putter.putAll(0, 3);
    taker.kill();
    expect(party().takeAll(4)).toEqual([0, 1, 2, EMPTY]);
  });

  it('go back when their handle is closed', () => {
    const taker = quickTaker(200);
    const got = taker.takeAll(70);
    taker.channel.close();
    expect([...got, ...party().takeAll(130)]).toEqual(range(0, 200));
  });

  it('go back before their process blocks', () => {
    const taker = quickTaker(100);
    taker.takeAll(40);
    expect(taker.channel.waitSync(JOIN, 0)).toBe(false);
    expect(party().takeAll(60)).toEqual(range(40, 60));
  });

  it('go back when the process exits', () => {
    const taker = quickTaker(100);
    taker.takeAll(40);
    const [giveBack] = process.listeners('exit').filter(({ name }) => name === 'giveBackAll');
    (giveBack as () => void)();
    expect(party().takeAll(60)).toEqual(range(40, 60));
  });

  it('count in the size while they are not taken', () => {
    const taker = quickTaker(300);
    taker.takeAll(130);
    const size = party().channel.size();
    expect(size).toBeGreaterThan(300 - 130 - CHUNK);
    expect(size).toBeLessThanOrEqual(300 - 130);
    expect(taker.channel.size()).toBe(300 - 130);
  });

  it('go back before another handle of their thread waits, so that what came behind them is behind them', () => {
    const taker = party();
    const other = openChannel(taker.link, 'q', 'open', {});
    expect(other.tryTake()).toBe(EMPTY);
    expect(other.isQuiet).toBe(true);
    const putter = party();
    putter.putAll(0, 30);
    const got = taker.takeAll(6);
    putter.putAll(30, 10);
    expect(other.waitSync(TAKE, 0)).toBe(true);
    other.tryTake();
    expect(got).toEqual(range(0, 6));
    expect(new DataView(other.inbox.buffer, other.inbox.byteOffset).getUint32(0)).toBe(6);
  });

  it('keep the end of the queue waiting, until nothing can come back', async () => {
    const taker = quickTaker(7);
    const other = party();
    other.channel.end();
    expect(taker.takeAll(4)).toEqual([0, 1, 2, 3]);
    expect(other.take()).toBe(EMPTY);
    expect(taker.takeAll(3)).toEqual([4, 5, 6]);
    expect(other.take()).toBe(EMPTY);
    await turns();
    expect(other.take()).toBe(ENDED);
    expect(taker.take()).toBe(ENDED);
  });

  it('are unfinished while they are taken, and not when they were given back', async () => {
    const taker = quickTaker(40);
    const other = party();
    expect(taker.takeAll(20)).toEqual(range(0, 20));
    await turns();
    expect(other.takeAll(20)).toEqual(range(20, 20));
    expect(other.take()).toBe(EMPTY);
    for (let i = 0; i < 20; i++) {
      expect(other.channel.isFinished()).toBe(false);
      expect(taker.channel.taskDone()).toBe(true);
      expect(other.channel.taskDone()).toBe(true);
    }
    expect([taker.channel.taskDone(), other.channel.taskDone()]).toEqual([false, false]);
    expect(other.channel.isFinished()).toBe(true);
  });

  it('stay in hand though the queue is unlinked', () => {
    const taker = quickTaker(100);
    taker.takeAll(40);
    party().channel.unlink();
    expect(taker.takeAll(60)).toEqual(range(40, 60));
  });

  it('come with the answer to who waits', async () => {
    const taker = party();
    const putter = party();
    expect(taker.take()).toBe(EMPTY);
    expect(taker.channel.arm(TAKE)).toBe(false);
    putter.put(7);
    await turn();
    await turn();
    taker.cost();
    expect(taker.take()).toBe(7);
    expect(taker.cost()).toEqual({ requests: 0, words: 1 });
    // There was no other, so the next wait need not look first; but one that keeps nothing alive might end before it is told.
    expect(taker.channel.isQuiet).toBe(true);
    taker.channel.unref();
    expect(taker.channel.isQuiet).toBe(false);
    taker.channel.ref();
    putter.putAll(8, 5);
    taker.channel.arm(TAKE);
    await turn();
    await turn();
    expect(taker.take()).toBe(8);
    expect(taker.channel.isQuiet).toBe(false);
  });

  it('come with the answer to who waits, which says whether there are others', async () => {
    const taker = party();
    party().putAll(0, 10);
    taker.channel.arm(TAKE);
    await turn();
    await turn();
    taker.cost();
    expect(taker.take()).toBe(0);
    expect(taker.cost().requests).toBe(0);
    expect(taker.channel.isQuiet).toBe(false);
  });

  it("are somebody else's when the wait they came for was withdrawn", () => {
    const taker = party();
    const other = party();
    taker.channel.arm(TAKE);
    other.put(7);
    taker.channel.disarm(TAKE);
    expect(other.take()).toBe(7);
    expect(taker.take()).toBe(EMPTY);
  });

  it('are not pushed to who receives', async () => {
    const receivers = [party(), party()];
    const putter = party();
    for (const receiver of receivers) {
      expect(receiver.receive()).toBe(EMPTY);
      receiver.channel.arm(TAKE);
      receiver.cost();
    }
    putter.put(1);
    putter.put(2);
    await turn();
    await turn();
    expect(receivers.map((receiver) => receiver.receive())).toEqual([1, 2]);
    expect(receivers.map((receiver) => receiver.cost())).toEqual([
      { requests: 1, words: 0 },
      { requests: 1, words: 0 },
    ]);
  });

  it('are never messages with tickets in them, nor any that were delivered before', () => {
    const putter = party();
    const taker = party();
    putter.putAll(0, 6);
    const receiver = party();
    expect(receiver.receive()).toBe(0);
    receiver.kill();
    putter.channel.tryPutCarrying(new Uint8Array(8));
    expect(taker.take()).toBe(0);
    expect(taker.channel.deliveries).toBe(2);
    expect(taker.takeAll(5)).toEqual(range(1, 5));
    expect(taker.channel.deliveries).toBe(1);
    expect(taker.take()).toBe(-5);
  });

  it('leave the place of each that is handed out to another where items are counted', () => {
    const putter = party({ maxItems: 20 });
    putter.putAll(0, 20);
    const taker = party();
    for (let i = 0; i < 20; i++) {
      expect(taker.take()).toBe(i);
      expect(putter.put(20 + i)).toBe(0);
      expect(putter.put(99)).toBe(FULL);
    }
  });
});

describe('a bell that rings who is killed before he has looked', () => {
  it.each(['with', 'without'])('rings the next one, for a message %s tickets', async (how) => {
    const [victim, other, putter] = [party(), party(), party()];
    const rung = new Promise<void>((resolve) => {
      other.channel.onReady = () => resolve();
    });
    victim.channel.onReady = () => victim.kill();
    for (const { channel } of [victim, other]) {
      // Who receives is sent nothing with the bell.
      if (how === 'without') expect(channel.tryReceive()).toBe(EMPTY);
      expect(channel.arm(TAKE)).toBe(false);
    }
    const { channel } = putter;
    const message = Uint8Array.of(1);
    expect(how === 'with' ? channel.tryPutCarrying(message) : channel.tryPut(message)).toBe(0);
    await rung;
    expect(other.channel.tryReceive()).toBe(1);
  });
});

describe('puts, takes, ends and deaths of several processes', () => {
  const ACTS = [
    'put',
    'take',
    'takeMany',
    'receive',
    'arm',
    'turn',
    'kill',
    'pass time',
    'a while',
  ] as const;
  const acts = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...ACTS), fc.nat(40)), {
    maxLength: 60,
    size: 'max',
  });

  it('lose nothing but what a killed taker had taken, and hand out nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (all) => {
        backend = new DirectBackend();
        const first = party({ capacityBytes: 8192, persist: true });
        const parties = [first, party(), party(), party()];
        const got = new Set<number>();
        let puts = 0;
        let mayBeLost = 0;
        const take = (id: number) => {
          if (id < 0) return;
          expect(got.has(id)).toBe(false);
          got.add(id);
        };
        for (const [index, act, count] of all) {
          const one = parties[index] as Party;
          const { channel } = one;
          if (act === 'put') {
            for (let i = 0; i < count; i++) if (one.put(puts) === 0) puts++;
          } else if (act === 'take') {
            for (let i = 0; i < count; i++) take(one.take());
          } else if (act === 'takeMany') {
            const taken = channel.tryTakeMany(count + 1);
            const view = new DataView(channel.inbox.buffer);
            for (let i = 0; i < taken; i++) take(view.getUint32(channel.offsets[i] as number));
          } else if (act === 'receive') {
            const id = one.receive();
            if (id < 0) continue;
            if (count % 2 === 0) channel.nack(channel.receipt);
            else channel.ack(channel.receipt);
            if (count % 2 === 1) take(id);
          } else if (act === 'arm') {
            channel.disarm(TAKE);
            channel.arm(TAKE);
          } else if (act === 'turn') {
            await turn();
          } else if (act === 'pass time') {
            now += count / 20;
          } else if (act === 'a while') {
            timePasses();
          } else {
            one.kill();
            mayBeLost += CHUNK - 1;
            parties[index] = party();
          }
        }
        for (const { channel } of parties) channel.end();
        // What none of those who wait takes, goes through the hands of all, and stays in each for a turn or two.
        for (let i = 0; i <= parties.length; i++) await turns();
        const drain = parties[0] as Party;
        for (let id = drain.take(); id !== ENDED; id = drain.take()) {
          expect(id).not.toBe(EMPTY);
          take(id);
        }
        expect(puts - got.size).toBeLessThanOrEqual(mayBeLost);
        expect(drain.channel.size()).toBe(0);
        expect(drain.channel.isFull()).toBe(false);
        for (const { link } of parties) link.close();
        expect(backend.registry.list()).toMatchObject([{ size: 0, participants: 0 }]);
      }),
      {
        numRuns: 100,
        examples: [
          [
            [
              [0, 'put', 1],
              [2, 'arm', 0],
              [0, 'arm', 0],
              [1, 'arm', 0],
            ],
          ],
        ],
      },
    );
  });
});
