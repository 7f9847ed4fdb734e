import { describe, expect, it } from 'vitest';

import { benchFor, coded, stateOf } from './subject.js';
import type { Subject } from './subject.js';

export function iteration(subject: Subject): void {
  describe('iteration', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('ends when the queue was ended and drained', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b']);
      q.end();
      const values: string[] = [];
      for await (const value of q) values.push(value);
      expect(values).toEqual(['a', 'b']);
      for await (const value of q) values.push(value);
      expect(values).toEqual(['a', 'b']);
    });

    it('waits for what is not there yet', async () => {
      const q = bench.strings();
      const values: string[] = [];
      const reading = (async () => {
        for await (const value of q) values.push(value);
      })();
      await q.put('a');
      expect(await stateOf(reading)).toBe('pending');
      await q.put('b');
      q.end();
      await reading;
      expect(values).toEqual(['a', 'b']);
    });

    it('loses nothing by a break', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b', 'c']);
      for await (const value of q) {
        if (value === 'b') break;
      }
      expect(q.tryGetMany()).toEqual(['c']);
    });

    it('loses nothing by a throw', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b', 'c']);
      const reading = (async () => {
        for await (const value of q) throw new Error(`cannot do ${value}`);
      })();
      await expect(reading).rejects.toThrow('cannot do a');
      expect(q.tryGetMany()).toEqual(['b', 'c']);
    });

    it('takes nothing for a step that is pending when it is ended from outside', async () => {
      const q = bench.strings();
      const iterator = q[Symbol.asyncIterator]();
      const steps = [iterator.next(), iterator.next()];
      const other = q.get();
      expect(await iterator.return?.()).toEqual({ value: undefined, done: true });
      expect(await Promise.all(steps)).toEqual([
        { value: undefined, done: true },
        { value: undefined, done: true },
      ]);
      await q.put('a');
      expect(await other).toBe('a');
      await q.put('b');
      expect(await iterator.next()).toEqual({ value: undefined, done: true });
      expect(q.size).toBe(1);
    });

    it('shares the messages among iterators and gets', async () => {
      const q = bench.strings();
      const a = q[Symbol.asyncIterator]();
      const b = q[Symbol.asyncIterator]();
      const calls = [a.next(), q.get(), b.next()];
      await q.putMany(['1', '2', '3']);
      expect(await Promise.all(calls)).toEqual([
        { value: '1', done: false },
        '2',
        { value: '3', done: false },
      ]);
    });

    it('ends a pending step when the queue is ended', async () => {
      const q = bench.strings();
      const step = q[Symbol.asyncIterator]().next();
      bench.keep(Queue.open(q.name)).end();
      expect(await step).toEqual({ value: undefined, done: true });
    });

    it('rejects when the handle is closed', async () => {
      const q = bench.strings();
      const reading = (async () => {
        for await (const value of q) expect(value).toBe('never');
      })();
      q.close();
      await expect(reading).rejects.toEqual(coded('ERR_CLOSED'));
    });

    it('can be iterated itself', async () => {
      const q = bench.strings();
      await q.put('a');
      q.end();
      const values: string[] = [];
      for await (const value of q[Symbol.asyncIterator]()) values.push(value);
      expect(values).toEqual(['a']);
    });

    it('keeps the order over many messages, and gives the event loop its turns', async () => {
      const q = bench.strings({ capacityBytes: 1 << 20 });
      const expected = Array.from({ length: 5000 }, (_, i) => String(i));
      await q.putMany(expected);
      q.end();
      let turns = 0;
      const count = () => {
        turns++;
        ticking = setImmediate(count);
      };
      let ticking = setImmediate(count);
      const values: string[] = [];
      for await (const value of q) values.push(value);
      clearImmediate(ticking);
      expect(values).toEqual(expected);
      expect(turns).toBeGreaterThanOrEqual(4);
    });
  });
}
