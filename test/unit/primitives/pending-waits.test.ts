import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';

import { TimeoutError } from '../../../src/errors.js';
import { PUT, TAKE } from '../../../src/contract/channel.js';
import { NOT_YET, PendingWaits } from '../../../src/primitives/pending-waits.js';
import type { NotYet, Operation } from '../../../src/primitives/pending-waits.js';

/** A channel of numbers that notes how it is asked, and rings only when told to. */
class Script {
  readonly name = 'script';
  readonly calls: string[] = [];
  readonly messages: number[] = [];
  /** What comes while it is being armed. */
  readonly meanwhile: number[] = [];
  isArmed = false;

  arm(): boolean {
    this.calls.push('arm');
    expect(this.isArmed).toBe(false);
    const came = this.meanwhile.splice(0);
    this.messages.push(...came);
    this.isArmed = came.length === 0;
    return !this.isArmed;
  }

  disarm(): void {
    this.calls.push('disarm');
    expect(this.isArmed).toBe(true);
    this.isArmed = false;
  }

  readonly take: Operation<number> = {
    attempt: () => {
      this.calls.push('look');
      return this.messages.shift() ?? NOT_YET;
    },
  };

  ring(waits: PendingWaits): void {
    expect(this.isArmed).toBe(true);
    this.isArmed = false;
    this.calls.length = 0;
    waits.rung();
  }
}

function scene() {
  const script = new Script();
  const waits = new PendingWaits(script, TAKE);
  return { script, waits, get: () => waits.add(script.take, Infinity, undefined) };
}

describe('pending waits', () => {
  it('ask the channel once, for the first', async () => {
    const { script, waits, get } = scene();
    const calls = [get(), get(), get()];
    expect(script.calls).toEqual(['arm']);
    script.messages.push(1, 2, 3);
    script.ring(waits);
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    expect(script.calls).toEqual(['look', 'look', 'look']);
    expect(waits.isIdle).toBe(true);
  });

  it('ask again for those who are still pending', async () => {
    const { script, waits, get } = scene();
    const calls = [get(), get()];
    script.messages.push(1);
    script.ring(waits);
    expect(await calls[0]).toBe(1);
    expect(script.calls).toEqual(['look', 'look', 'arm']);
    expect(script.isArmed).toBe(true);
    script.messages.push(2);
    script.ring(waits);
    expect(await calls[1]).toBe(2);
    expect(script.isArmed).toBe(false);
  });

  it('look again when told to while they ask', async () => {
    const { script, get } = scene();
    script.meanwhile.push(7);
    expect(await get()).toBe(7);
    expect(script.calls).toEqual(['arm', 'look']);
    expect(script.isArmed).toBe(false);
  });

  it('withdraw when the last one leaves', async () => {
    const { script, waits } = scene();
    const controller = new AbortController();
    const call = waits.add(script.take, Infinity, controller.signal);
    const hasty = waits.add(script.take, 5, undefined);
    controller.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    expect(script.isArmed).toBe(true);
    await expect(hasty).rejects.toThrow(TimeoutError);
    expect(script.isArmed).toBe(false);
    expect(waits.isIdle).toBe(true);
  });

  it('ask anew when the first one leaves, for the next may want something else', async () => {
    const { script, waits, get } = scene();
    const controller = new AbortController();
    const first = waits.add<number>({ attempt: () => NOT_YET }, Infinity, controller.signal);
    const second = get();
    script.messages.push(5);
    controller.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    expect(await second).toBe(5);
    expect(script.isArmed).toBe(false);
  });

  it('attempt only the first', async () => {
    const { script, waits, get } = scene();
    let isOpen = false;
    const blocked = waits.add(
      { attempt: (): string | NotYet => (isOpen ? 'now' : NOT_YET) },
      Infinity,
      undefined,
    );
    const behind = get();
    script.messages.push(1);
    script.ring(waits);
    expect(script.calls).toEqual(['arm']);
    isOpen = true;
    script.ring(waits);
    expect(await blocked).toBe('now');
    expect(await behind).toBe(1);
  });

  it('take what came in time although the bell was not read yet', async () => {
    const { script, waits } = scene();
    const call = waits.add(script.take, 5, undefined);
    script.messages.push(3);
    // No ring: the timer is first.
    expect(await call).toBe(3);
  });

  it('end the call whose attempt throws, and go on with the next', async () => {
    const { script, waits, get } = scene();
    const broken = waits.add<number>(
      {
        attempt() {
          throw new Error('broken');
        },
      },
      Infinity,
      undefined,
    );
    const next = get();
    script.messages.push(1);
    script.ring(waits);
    await expect(broken).rejects.toThrow('broken');
    expect(await next).toBe(1);
  });

  it('all end when the channel cannot be asked, each with an error of its own', async () => {
    let isArmable = true;
    const script = new Script();
    const waits = new PendingWaits(
      {
        name: 'broken',
        arm() {
          throw new Error('no doorbell');
        },
        disarm() {},
      },
      TAKE,
    );
    await expect(waits.add(script.take, Infinity, undefined)).rejects.toThrow('no doorbell');
    expect(waits.isIdle).toBe(true);
    const blocked = new PendingWaits(
      {
        name: 'broken later',
        arm: () => {
          if (isArmable) return false;
          throw new Error('no doorbell');
        },
        disarm() {},
      },
      TAKE,
    );
    const calls = [1, 2].map(() =>
      blocked.add(script.take, Infinity, undefined).catch((error: unknown) => error),
    );
    isArmable = false;
    blocked.rung();
    const [first, second] = await Promise.all(calls);
    expect([first, second]).toEqual([new Error('no doorbell'), new Error('no doorbell')]);
    expect(first).not.toBe(second);
  });

  it('end at once when their signal is aborted already', async () => {
    const { script, waits, get } = scene();
    const failed = vi.fn((error: unknown) => error);
    const operation = { ...script.take, failed: failed as <E>(error: E) => E };
    const reason = new Error('too late');
    const call = waits.add(operation, 5, AbortSignal.abort(reason));
    await expect(call).rejects.toBe(reason);
    expect(failed).toHaveBeenCalledExactlyOnceWith(reason);
    expect(script.calls).toEqual([]);
    const next = get();
    script.messages.push(1);
    script.ring(waits);
    expect(await next).toBe(1);
  });

  it('have a timer only if they have a time-out', async () => {
    const { script, waits, get } = scene();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const call = get();
    expect(timers).not.toHaveBeenCalled();
    const hasty = waits.add(script.take, 60_000, undefined);
    expect(timers).toHaveBeenCalledTimes(1);
    const timer = timers.mock.results[0]?.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    timers.mockRestore();
    script.messages.push(1, 2);
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    script.ring(waits);
    expect(await Promise.all([call, hasty])).toEqual([1, 2]);
    expect(cleared).toHaveBeenCalledExactlyOnceWith(timer);
    cleared.mockRestore();
  });

  it('may wait longer than a timer can count', async () => {
    const { script, waits } = scene();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const call = waits.add(script.take, 2 ** 40, undefined);
    // Node would make it 1 ms.
    expect(timers.mock.calls[0]?.[1]).toBeLessThan(2 ** 31);
    timers.mockRestore();
    await sleep(20);
    expect(waits.isIdle).toBe(false);
    script.messages.push(1);
    script.ring(waits);
    expect(await call).toBe(1);
  });

  it('do not give up early, when their timer does', async () => {
    const { script, waits } = scene();
    const began = performance.now();
    let skew = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => began + skew);
    const call = waits.add(script.take, 5, undefined);
    await sleep(20);
    expect(waits.isIdle).toBe(false);
    skew = 5;
    await expect(call).rejects.toThrow('within 5 ms');
    clock.mockRestore();
  });

  it('say what they waited for', () => {
    expect(new PendingWaits(new Script(), TAKE).timeoutError(100).message).toBe(
      "No message came from queue 'script' within 100 ms",
    );
    expect(new PendingWaits(new Script(), PUT).timeoutError(0).message).toBe(
      "No room came free in queue 'script' within 0 ms",
    );
  });

  it('tell the operation that it failed', async () => {
    const { script, waits } = scene();
    const failed = vi.fn((error: unknown) => error);
    const operation: Operation<number> = {
      attempt: () => NOT_YET,
      failed: failed as <E>(error: E) => E,
    };
    const call = waits.add(operation, Infinity, undefined);
    const error = new Error('closed');
    waits.rejectAll(() => error);
    await expect(call).rejects.toBe(error);
    expect(failed).toHaveBeenCalledExactlyOnceWith(error);
    expect(script.isArmed).toBe(false);
  });

  it('finish the calls of one operation without looking', async () => {
    const { script, waits, get } = scene();
    const failed = vi.fn((error: unknown) => error);
    const iterate: Operation<string> = {
      attempt: () => NOT_YET,
      failed: failed as <E>(error: E) => E,
    };
    const steps = [1, 2].map(() => waits.add(iterate, Infinity, undefined));
    const other = get();
    waits.finish(iterate, 'done');
    expect(await Promise.all(steps)).toEqual(['done', 'done']);
    expect(failed.mock.calls).toEqual([[undefined], [undefined]]);
    expect(waits.isIdle).toBe(false);
    script.messages.push(1);
    script.ring(waits);
    expect(await other).toBe(1);
  });

  it('call back when nothing is pending any more', async () => {
    const { script, waits, get } = scene();
    const events: string[] = [];
    waits.whenIdle(() => events.push('at once'));
    const call = get();
    waits.whenIdle(() => events.push('idle'));
    expect(events).toEqual(['at once']);
    script.messages.push(1);
    script.ring(waits);
    await call;
    expect(events).toEqual(['at once', 'idle']);
  });

  it('let the event loop have a turn before they look', async () => {
    const { script, waits, get } = scene();
    script.messages.push(1, 2);
    const calls = [waits.add(script.take, Infinity, undefined, true), get()];
    expect(script.calls).toEqual([]);
    expect(await Promise.all(calls)).toEqual([1, 2]);
  });

  it('survive an attempt that uses them itself', async () => {
    const { script, waits, get } = scene();
    const inner: Promise<number>[] = [];
    const outer = waits.add<string>(
      {
        attempt() {
          inner.push(get());
          waits.serve();
          return 'outer';
        },
      },
      Infinity,
      undefined,
    );
    script.messages.push(1);
    script.ring(waits);
    expect(await outer).toBe('outer');
    expect(await Promise.all(inner)).toEqual([1]);
  });

  describe('whose attempt ends them', () => {
    type Ending = (waits: PendingWaits, operation: Operation<unknown>) => void;
    const controller = { current: new AbortController() };
    const endings: [string, Ending][] = [
      ['by their signal', () => controller.current.abort(new Error('ended'))],
      ['by rejecting all', (waits) => waits.rejectAll(() => new Error('ended'))],
      ['by finishing them', (waits, operation) => waits.finish(operation, 'ended')],
    ];

    function endedInside(end: Ending, found: string | NotYet) {
      const { script, waits, get } = scene();
      controller.current = new AbortController();
      const later: Promise<number>[] = [];
      const operation: Operation<string> = {
        attempt() {
          end(waits, operation);
          later.push(get());
          return found;
        },
      };
      const call = waits.add(operation, Infinity, controller.current.signal);
      script.ring(waits);
      return { script, waits, call: call.catch((error: Error) => error.message), later };
    }

    it.each(endings)('%s get what it found: nothing is lost', async (_, end) => {
      const { script, waits, call, later } = endedInside(end, 'found');
      expect(await call).toBe('found');
      script.messages.push(1);
      script.ring(waits);
      expect(await Promise.all(later)).toEqual([1]);
      expect(waits.isIdle).toBe(true);
    });

    it.each(endings)('%s end so if it found nothing', async (_, end) => {
      const { script, waits, call, later } = endedInside(end, NOT_YET);
      expect(await call).toBe('ended');
      script.messages.push(1);
      script.ring(waits);
      expect(await Promise.all(later)).toEqual([1]);
      expect(waits.isIdle).toBe(true);
    });
  });
});

describe('those who only watch', () => {
  /** Somebody who watches, and notes what he is told. */
  function watcher(...and: (() => void)[]) {
    const told: unknown[] = [];
    const worthALook = () => {
      told.push('look');
      and.shift()?.();
    };
    return { told, worthALook, failed: (error: unknown) => void told.push(error) };
  }

  it('are told once, and take nothing', () => {
    const { script, waits } = scene();
    const first = watcher();
    const second = watcher();
    waits.watch(first);
    waits.watch(second);
    expect(script.calls).toEqual(['arm']);
    script.messages.push(1);
    script.ring(waits);
    expect([first.told, second.told]).toEqual([['look'], ['look']]);
    expect(script.messages).toEqual([1]);
    expect([script.isArmed, waits.isWatched]).toEqual([false, false]);
  });

  it('are not told while calls are pending, which are served first', async () => {
    const { script, waits, get } = scene();
    const watching = watcher();
    waits.watch(watching);
    const calls = [get(), get()];
    script.messages.push(1);
    script.ring(waits);
    expect(await calls[0]).toBe(1);
    expect(watching.told).toEqual([]);
    script.messages.push(2);
    script.ring(waits);
    expect(await calls[1]).toBe(2);
    expect(watching.told).toEqual([]);
    expect(script.isArmed).toBe(true);
    script.meanwhile.push(3);
    script.ring(waits);
    expect(watching.told).toEqual(['look']);
  });

  it('may watch on when they are told', () => {
    const { script, waits } = scene();
    const watching = watcher(() => waits.watch(watching));
    waits.watch(watching);
    script.messages.push(1);
    script.ring(waits);
    expect(watching.told).toEqual(['look']);
    expect(script.isArmed).toBe(true);
    waits.unwatch(watching);
    expect(script.isArmed).toBe(false);
    waits.unwatch(watching);
  });

  it('give the event loop its turns when they watch on for what is there', async () => {
    const { script, waits } = scene();
    let isOver = false;
    let looks = 0;
    const watching = {
      worthALook() {
        looks++;
        if (isOver) return;
        script.meanwhile.push(1);
        waits.watch(watching);
      },
      failed() {},
    };
    script.meanwhile.push(1);
    waits.watch(watching);
    expect(looks).toBe(64);
    await sleep(5);
    expect(looks).toBeGreaterThan(64);
    isOver = true;
    await sleep(5);
    expect(waits.isWatched).toBe(false);
  });

  it('leave a channel armed for calls, and calls for them', async () => {
    const { script, waits, get } = scene();
    const watching = watcher();
    const call = get();
    waits.watch(watching);
    waits.unwatch(watching);
    expect(script.isArmed).toBe(true);
    waits.watch(watching);
    script.messages.push(1);
    script.ring(waits);
    await call;
    expect(script.isArmed).toBe(true);
    expect(waits.isIdle).toBe(true);
  });

  it('fail with the channel, and with the handle', () => {
    const { script, waits } = scene();
    const watching = watcher();
    waits.watch(watching);
    waits.rejectAll(() => 'closed');
    expect(watching.told).toEqual(['closed']);
    expect(script.isArmed).toBe(false);
    const error = new Error('no bell');
    script.arm = () => {
      throw error;
    };
    const [first, second] = [watcher(), watcher()];
    waits.watch(first);
    waits.watch(second);
    expect([first.told, second.told]).toEqual([[error], [error]]);
  });

  it('are told of what came by another way', async () => {
    const { script, waits, get } = scene();
    const watching = watcher();
    waits.watch(watching);
    waits.came();
    expect(watching.told).toEqual(['look']);
    const call = get();
    script.messages.push(1);
    waits.came();
    expect(await call).toBe(1);
  });
});

describe('who takes what no call is pending for', () => {
  it('takes behind the calls and ahead of those who watch, until he has enough', async () => {
    const { script, waits, get } = scene();
    const taken: number[] = [];
    const taker = {
      take: () => void taken.push(...script.messages.splice(0)),
      failed: () => {},
    };
    const seen: number[][] = [];
    waits.watch({ worthALook: () => seen.push([...taken]), failed() {} });
    waits.setTaker(taker);
    const call = get();
    script.messages.push(1);
    script.meanwhile.push(2, 3);
    script.ring(waits);
    expect(await call).toBe(1);
    expect([taken, seen]).toEqual([[2, 3], [[2, 3]]]);
    expect(script.isArmed).toBe(true);
    script.meanwhile.push(4);
    script.ring(waits);
    expect(taken).toEqual([2, 3, 4]);
    waits.setTaker(undefined);
    expect([script.isArmed, waits.isWatched]).toEqual([false, false]);
  });

  it('is not asked while a call is pending, whatever the channel says', async () => {
    const { script, waits, get } = scene();
    let asked = 0;
    waits.setTaker({ take: () => void asked++, failed() {} });
    const call = get();
    const answers = [true, false];
    script.arm = () => (script.isArmed = answers.shift() === false) === false;
    script.ring(waits);
    expect([asked, script.isArmed]).toEqual([0, true]);
    script.messages.push(1);
    script.ring(waits);
    expect(await call).toBe(1);
  });

  it('lets a call have what was left for it by a call of his', async () => {
    const { script, waits, get } = scene();
    const calls: Promise<number>[] = [];
    waits.setTaker({
      take() {
        // Code of the caller's, as a codec may run it.
        if (calls.length === 0) calls.push(get());
      },
      failed() {},
    });
    script.meanwhile.push(1);
    script.ring(waits);
    expect(await calls[0]).toBe(1);
  });
});
