import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';

import type { WaitOptions } from '../../src/primitives/wait-options.js';
import { benchFor, coded, rows, stateOf } from './subject.js';
import type { Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

export function waiting(subject: Subject): void {
  describe('waiting for a message', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;
    const bytes = () => bench.keep(Queue.create(bench.name(), { codec: 'raw' }));
    type Raw = ReturnType<typeof bytes>;
    type Get = 'get' | 'getMany' | 'receive' | 'getIntoAsync';
    // Every awaited call that waits for a message, by its name.
    const GETS: Get[] = ['get', 'getMany', 'getIntoAsync'];
    if (bench.capabilities.redelivery) GETS.push('receive');

    function start(q: Raw, call: Get, options?: WaitOptions): Promise<unknown> {
      return call === 'getIntoAsync'
        ? q.getIntoAsync(new Uint8Array(8), options)
        : q[call](options);
    }

    it('ends when another handle puts one', async () => {
      const q = bench.strings();
      const pending = q.get();
      expect(await stateOf(pending)).toBe('pending');
      await bench.keep(Queue.open<string>(q.name)).put('at last');
      expect(await pending).toBe('at last');
    });

    it('ends when the same handle puts one', async () => {
      const q = bench.strings();
      const pending = q.get();
      await q.put('from here');
      expect(await pending).toBe('from here');
    });

    it('is served in the order of the calls', async () => {
      const q = bench.strings();
      const order: string[] = [];
      const calls = [
        q.get().then((value) => order.push(`get ${value}`)),
        q.getMany({ max: 2 }).then((values) => order.push(`getMany ${values.join('+')}`)),
        q[Symbol.asyncIterator]()
          .next()
          .then(({ value }) => order.push(`next ${value ?? 'nothing'}`)),
        q.get({ timeoutMs: 60_000 }).then((value) => order.push(`get ${value}`)),
      ];
      await q.putMany(['a', 'b', 'c', 'd', 'e']);
      await Promise.all(calls);
      expect(order).toEqual(['get a', 'getMany b+c', 'next d', 'get e']);
    });

    it('is not overtaken by a later call', async () => {
      const q = bench.strings();
      const other = bench.keep(Queue.open<string>(q.name));
      const calls = [q.get()];
      other.putNowait('1');
      calls.push(q.get());
      calls.push(q.get({ timeoutMs: 60_000 }));
      other.putNowait('2');
      other.putNowait('3');
      expect(await Promise.all(calls)).toEqual(['1', '2', '3']);
    });

    it('leaves what comes later to the calls made later', async () => {
      const q = bench.strings();
      const values: string[] = [];
      const calls = Array.from({ length: 3000 }, () => q.get().then((value) => values.push(value)));
      const expected = Array.from({ length: 3000 }, (_, i) => String(i));
      await q.putMany(expected);
      await Promise.all(calls);
      expect(values).toEqual(expected);
    });

    it('keeps the order of many calls that need not wait', async () => {
      const q = bench.strings({ capacityBytes: 1 << 20 });
      const expected = Array.from({ length: 3000 }, (_, i) => String(i));
      await q.putMany(expected);
      const values: string[] = [];
      await Promise.all(expected.map(() => q.get().then((value) => values.push(value))));
      expect(values).toEqual(expected);
    });

    it('wakes one waiter for one message', async () => {
      const q = bench.strings();
      const others = [1, 2, 3].map(() => bench.keep(Queue.open<string>(q.name)));
      const calls = others.map((other) => other.get());
      q.putNowait('for one');
      await Promise.race(calls);
      expect(await stateOf(Promise.all(calls))).toBe('pending');
      await q.putMany(['for another', 'for the third']);
      expect((await Promise.all(calls)).sort()).toEqual([
        'for another',
        'for one',
        'for the third',
      ]);
    });

    it('passes the wake on when the one who was woken leaves', async () => {
      const q = bench.strings();
      const leaver = bench.keep(Queue.open<string>(q.name));
      const heir = bench.keep(Queue.open<string>(q.name));
      const controller = new AbortController();
      const left = leaver.get({ signal: controller.signal });
      const inherited = heir.get();
      q.putNowait('inherited');
      controller.abort(new Error('leaving'));
      await expect(left).rejects.toThrow('leaving');
      expect(await inherited).toBe('inherited');
    });

    it.each(GETS)('%s gives up after timeoutMs, not before, and takes nothing', async (call) => {
      const q = bytes();
      const began = performance.now();
      await expect(start(q, call, { timeoutMs: 25 })).rejects.toMatchObject({
        name: 'TimeoutError',
        code: 'ERR_TIMEOUT',
      });
      expect(performance.now() - began).toBeGreaterThanOrEqual(25);
      q.putNowait(Uint8Array.of(1));
      expect(await stateOf(Promise.resolve())).toBe(undefined);
      expect(q.size).toBe(1);
    });

    it.each(GETS)('%s looks once with timeoutMs 0 or less', async (call) => {
      const q = bytes();
      await expect(start(q, call, { timeoutMs: 0 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      await expect(start(q, call, { timeoutMs: -5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      await q.putMany([Uint8Array.of(1), Uint8Array.of(2)]);
      await start(q, call, { timeoutMs: 0 });
      const left = q.size;
      expect(left).toBeLessThan(2);
      q.tryGetMany();
      const late = start(q, call, { timeoutMs: 0 });
      q.putNowait(Uint8Array.of(3));
      await expect(late).rejects.toEqual(coded('ERR_TIMEOUT'));
      expect(q.size).toBe(1);
    });

    it.each(GETS)('%s takes nothing when aborted', async (call) => {
      const q = bytes();
      const reason = new Error('no more');
      const controller = new AbortController();
      const pending = start(q, call, { signal: controller.signal });
      expect(await stateOf(pending)).toBe('pending');
      controller.abort(reason);
      await expect(pending).rejects.toBe(reason);
      q.putNowait(Uint8Array.of(1));
      await expect(start(q, call, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(q.size).toBe(1);
    });

    it('rejects with an AbortError when no reason was given', async () => {
      const q = bench.strings();
      const controller = new AbortController();
      const pending = q.get({ signal: controller.signal });
      controller.abort();
      await expect(pending).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    });

    it('works with AbortSignal.timeout', async () => {
      const q = bench.strings();
      const signal = AbortSignal.timeout(10);
      const error: unknown = await q.get({ signal }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'TimeoutError' });
      expect(error).toBe(signal.reason);
    });

    it('leaves no listener behind', async () => {
      const q = bench.strings();
      const { signal } = new AbortController();
      const pending = q.get({ signal });
      await expect(q.get({ signal, timeoutMs: 5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      await q.put('a');
      await pending;
      const closing = q.get({ signal });
      q.close();
      await expect(closing).rejects.toEqual(coded('ERR_CLOSED'));
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });

    it('goes on for those who stay when one leaves', async () => {
      const q = bench.strings();
      const controller = new AbortController();
      const leaving = q.get({ signal: controller.signal });
      const staying = q.get();
      const hasty = q.get({ timeoutMs: 5 });
      controller.abort(new Error('gone'));
      await expect(leaving).rejects.toThrow('gone');
      await expect(hasty).rejects.toEqual(coded('ERR_TIMEOUT'));
      q.putNowait('a');
      expect(await staying).toBe('a');
    });

    it.each(
      rows<unknown>([
        { timeoutMs: NaN },
        { timeoutMs: Infinity },
        { timeoutMs: '100' },
        { timeoutMs: null },
        { timeoutMs: 5n },
        { signal: {} },
        { signal: 'stop' },
        { signal: null },
        100,
        'soon',
        null,
      ]),
    )('refuses the options %s', async (_, options) => {
      const bad = options as WaitOptions;
      const q = bytes();
      const bad1 = { ...bad, max: 1 };
      for (const call of GETS) {
        await expect(start(q, call, bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
      }
      await expect(q.put(new Uint8Array(1), bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
      await expect(q.putMany([new Uint8Array(1)], bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
      expect(q.isEmpty).toBe(true);
      if (typeof options !== 'object' || options === null || 'signal' in options) return;
      for (const call of bench.blocking<() => unknown>(
        () => q.putSync(new Uint8Array(1), bad),
        () => q.putManySync([new Uint8Array(1)], bad),
        () => q.getSync(bad),
        () => q.getManySync(bad1),
        () => q.getInto(new Uint8Array(1), bad),
      )) {
        expect(thrownBy(call)).toEqual(coded('ERR_INVALID_ARG'));
      }
      expect(q.isEmpty).toBe(true);
    });

    it('gives the event loop its turns while messages are there', async () => {
      const q = bench.strings();
      let turns = 0;
      const count = () => {
        turns++;
        ticking = setImmediate(count);
      };
      let ticking = setImmediate(count);
      for (let i = 0; i < 5000; i++) {
        q.putNowait('a');
        await q.get();
      }
      expect(turns).toBeGreaterThanOrEqual(4);
      turns = 0;
      for (let i = 0; i < 5000; i++) {
        await q.put('a');
        q.getNowait();
      }
      expect(turns).toBeGreaterThanOrEqual(4);
      turns = 0;
      for (let i = 0; i < 5000; i++) {
        await q.putMany(['a']);
        await q.getMany();
      }
      clearImmediate(ticking);
      expect(turns).toBeGreaterThanOrEqual(4);
    });
  });

  describe('waiting for room', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('ends when a message is taken', async () => {
      const q = bench.small(1);
      await q.put('a');
      const pending = q.put('b');
      expect(await stateOf(pending)).toBe('pending');
      expect(q.getNowait()).toBe('a');
      await pending;
      expect(q.tryGetMany()).toEqual(['b']);
    });

    it('keeps the order of the calls, pending ones included', async () => {
      const q = bench.small(2);
      const reader = bench.keep(Queue.open<string>(q.name));
      const puts = [
        q.put('1'),
        q.put('2'),
        q.put('3'),
        q.putMany(['4', '5', '6', '7']),
        q.put('8', { timeoutMs: 60_000 }),
      ];
      const values: string[] = [];
      for (let i = 0; i < 8; i++) values.push(await reader.get());
      await Promise.all(puts);
      expect(values).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    });

    it('gives up after timeoutMs, not before, and puts nothing', async () => {
      const q = bench.small(1);
      await q.put('a');
      const began = performance.now();
      await expect(q.put('b', { timeoutMs: 25 })).rejects.toMatchObject({
        name: 'TimeoutError',
        code: 'ERR_TIMEOUT',
      });
      expect(performance.now() - began).toBeGreaterThanOrEqual(25);
      await expect(q.put('b', { timeoutMs: 0 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      expect(q.tryGetMany()).toEqual(['a']);
      await q.put('c', { timeoutMs: 0 });
      const late = [q.put('d', { timeoutMs: 0 }), q.putMany(['e'], { timeoutMs: 0 })];
      expect(q.tryGetMany()).toEqual(['c']);
      for (const put of late) await expect(put).rejects.toEqual(coded('ERR_TIMEOUT'));
      expect(q.isEmpty).toBe(true);
    });

    it('looks once with timeoutMs 0, after those who wait already', async () => {
      const q = bench.small(2);
      const other = bench.keep(Queue.open<string>(q.name));
      await q.putMany(['1', '2']);
      const pending = q.put('3');
      expect(other.tryGetMany()).toEqual(['1', '2']);
      await q.put('4', { timeoutMs: 0 });
      await pending;
      const more = q.put('5');
      expect(other.tryGetMany()).toEqual(['3', '4']);
      await q.putMany(['6'], { timeoutMs: 0 });
      await more;
      expect(other.tryGetMany()).toEqual(['5', '6']);
    });

    it('puts nothing when aborted', async () => {
      const q = bench.small(1);
      await q.put('a');
      const reason = new Error('enough');
      const controller = new AbortController();
      const pending = q.put('b', { signal: controller.signal });
      controller.abort(reason);
      await expect(pending).rejects.toBe(reason);
      await expect(q.put('b', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(q.tryGetMany()).toEqual(['a']);
      await expect(q.put('b', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      await expect(q.putMany(['b'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(q.isEmpty).toBe(true);
    });

    it('lets a small message in when the large one before it leaves', async () => {
      const q = bench.strings({ capacityBytes: 4096 });
      await q.put('x'.repeat(2500));
      const controller = new AbortController();
      const large = q.put('y'.repeat(2500), { signal: controller.signal });
      const small = q.put('small');
      expect(await stateOf(small)).toBe('pending');
      controller.abort(new Error('too long'));
      await expect(large).rejects.toThrow('too long');
      await small;
      expect(q.tryGetMany().map(({ length }) => length)).toEqual([2500, 5]);
    });

    it.each([
      ['is room', undefined],
      ['is none', 'full'],
    ])('puts nothing when encoding aborts it, if there %s', async (_, first) => {
      const q = bench.keep(Queue.create<unknown>(bench.name(), { maxItems: 1 }));
      if (first !== undefined) await q.put(first);
      for (const put of [
        (value: unknown, signal: AbortSignal) => q.put(value, { signal }),
        (value: unknown, signal: AbortSignal) => q.put(value, { signal, timeoutMs: 0 }),
        (value: unknown, signal: AbortSignal) => q.putMany([value], { signal }),
        (value: unknown, signal: AbortSignal) =>
          q.toWritableStream({ signal }).getWriter().write(value),
      ]) {
        const controller = new AbortController();
        const reason = new Error('not any more');
        const value = {
          get aborting() {
            controller.abort(reason);
            return 1;
          },
        };
        expect(await stateOf(put(value, controller.signal))).toBe(reason);
      }
      expect(q.tryGetMany()).toEqual(first === undefined ? [] : [first]);
      expect(q.size).toBe(0);
    });

    it('says of each putMany how many of its values went in, when the handle closes', async () => {
      const q = bench.keep(Queue.open<string>(bench.small(3).name));
      const errors = [q.putMany(['1', '2', '3', '4', '5']), q.putMany(['6', '7'])].map((put) =>
        put.catch((error: unknown) => error),
      );
      q.close();
      const [first, second] = await Promise.all(errors);
      expect(first).toMatchObject({ code: 'ERR_CLOSED', accepted: 3 });
      expect(second).toMatchObject({ code: 'ERR_CLOSED', accepted: 0 });
    });

    it('says of a putMany how many values went in', async () => {
      const q = bench.small(3);
      await expect(q.putMany(['1', '2', '3', '4', '5'], { timeoutMs: 10 })).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
        accepted: 3,
      });
      expect(q.getNowait()).toBe('1');
      await expect(q.putMany(['6', '7'], { timeoutMs: 0 })).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
        accepted: 1,
      });
      const controller = new AbortController();
      const pending = q.putMany(['8'], { signal: controller.signal });
      controller.abort();
      await expect(pending).rejects.toMatchObject({ code: 'ABORT_ERR', accepted: 0 });
      expect(q.tryGetMany()).toEqual(['2', '3', '6']);
    });

    it('says of a putMany whose queue closes how many values went in', async () => {
      const q = bench.small(2);
      const reader = bench.keep(Queue.open<string>(q.name));
      const pending = q.putMany(['1', '2', '3', '4']);
      expect(reader.getNowait()).toBe('1');
      expect(await stateOf(pending)).toBe('pending');
      q.close();
      await expect(pending).rejects.toMatchObject({ code: 'ERR_CLOSED', accepted: 3 });
      expect(reader.tryGetMany()).toEqual(['2', '3']);
    });
  });

  describe.skipIf(!subject.backend.capabilities.blocking)('blocking', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('ends when somebody else puts a message', async () => {
      const q = bench.strings();
      const done = bench.whileBlocked(q.name, [
        { act: 'put', value: 'a' },
        { act: 'put', value: 'b' },
        { act: 'put', value: 'c' },
      ]);
      expect(q.getSync()).toBe('a');
      expect(q.getSync({ timeoutMs: 60_000 })).toBe('b');
      expect(q.getManySync()).toEqual(['c']);
      await done;
    });

    it('ends when somebody else makes room', async () => {
      const q = bench.small(1);
      q.putSync('a');
      const done = bench.whileBlocked(q.name, [{ act: 'get' }, { act: 'get' }, { act: 'get' }]);
      q.putSync('b');
      q.putManySync(['c', 'd']);
      await done;
      expect(q.tryGetMany()).toEqual(['d']);
    });

    it('ends when somebody else ends the queue', async () => {
      const q = bench.strings();
      const done = bench.whileBlocked(q.name, [{ act: 'put', value: 'last' }, { act: 'end' }]);
      expect(q.getSync()).toBe('last');
      expect(thrownBy(() => q.getSync())).toMatchObject({ name: 'EOFError', code: 'ERR_EOF' });
      await done;
    });

    it('completes the puts that are pending first, in order', async () => {
      const q = bench.small(1);
      const puts = [q.put('1'), q.put('2'), q.putMany(['3', '4'])];
      const done = bench.whileBlocked(
        q.name,
        Array.from({ length: 4 }, () => ({ act: 'get' as const })),
      );
      q.putSync('5');
      await Promise.all(puts);
      await done;
      expect(q.tryGetMany()).toEqual(['5']);
    });

    it('does not overtake a put that is pending', async () => {
      const q = bench.strings({ capacityBytes: 4096 });
      await q.put('x'.repeat(2500));
      const large = q.put('y'.repeat(2500));
      expect(thrownBy(() => q.putSync('small', { timeoutMs: 5 }))).toEqual(coded('ERR_TIMEOUT'));
      q.getNowait();
      await large;
      expect(q.tryGetMany()).toEqual(['y'.repeat(2500)]);
    });

    it('serves the gets that are pending first, in order', async () => {
      const q = bench.strings();
      const gets = [q.get(), q.get()];
      const done = bench.whileBlocked(
        q.name,
        ['1', '2', '3'].map((value) => ({ act: 'put' as const, value })),
      );
      expect(q.getSync()).toBe('3');
      expect(await Promise.all(gets)).toEqual(['1', '2']);
      await done;
    });

    it('gives up after timeoutMs, not before, and takes nothing', () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: 'raw', maxItems: 1 }));
      const calls = [
        () => q.getSync({ timeoutMs: 15 }),
        () => q.getManySync({ timeoutMs: 15 }),
        () => q.getInto(new Uint8Array(8), { timeoutMs: 15 }),
        ...(bench.capabilities.redelivery ? [() => q.receiveSync({ timeoutMs: 15 })] : []),
      ];
      for (const call of calls) {
        const began = performance.now();
        expect(thrownBy(call)).toMatchObject({ name: 'TimeoutError', code: 'ERR_TIMEOUT' });
        expect(performance.now() - began).toBeGreaterThanOrEqual(15);
      }
      const message = Uint8Array.of(1);
      q.putSync(message, { timeoutMs: 15 });
      const began = performance.now();
      expect(thrownBy(() => q.putSync(message, { timeoutMs: 15 }))).toEqual(coded('ERR_TIMEOUT'));
      expect(performance.now() - began).toBeGreaterThanOrEqual(15);
      expect(thrownBy(() => q.putManySync([message], { timeoutMs: 15 }))).toMatchObject({
        code: 'ERR_TIMEOUT',
        accepted: 0,
      });
      expect(q.size).toBe(1);
    });

    it('looks once with timeoutMs 0', () => {
      const q = bench.small(1);
      expect(thrownBy(() => q.getSync({ timeoutMs: 0 }))).toEqual(coded('ERR_TIMEOUT'));
      q.putSync('a', { timeoutMs: 0 });
      expect(thrownBy(() => q.putSync('b', { timeoutMs: 0 }))).toEqual(coded('ERR_TIMEOUT'));
      expect(q.getSync({ timeoutMs: -1 })).toBe('a');
    });

    it('gives up while calls that are pending go on waiting', async () => {
      const q = bench.strings();
      const pending = q.get();
      expect(thrownBy(() => q.getSync({ timeoutMs: 5 }))).toEqual(coded('ERR_TIMEOUT'));
      q.putNowait('for the one who waits');
      expect(await pending).toBe('for the one who waits');
    });

    it('refuses a signal', () => {
      const q = bench.strings();
      const options = { signal: new AbortController().signal } as object;
      expect(thrownBy(() => q.getSync(options))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => q.putSync('a', options))).toEqual(coded('ERR_INVALID_ARG'));
      expect(q.isEmpty).toBe(true);
    });
  });

  describe.skipIf(subject.backend.capabilities.blocking)('where no thread can block', () => {
    const bench = benchFor(subject);

    it('the calls that would are refused by name', () => {
      const q = bench.strings();
      for (const call of [
        () => q.putSync('a'),
        () => q.putManySync(['a']),
        () => q.getSync(),
        () => q.getManySync(),
        () => q.getInto(new Uint8Array(1)),
        () => q.receiveSync(),
      ]) {
        const error = thrownBy(call);
        expect(error).toEqual(coded('ERR_UNSUPPORTED'));
        expect(String(error)).toContain("'blocking'");
      }
    });
  });
}
