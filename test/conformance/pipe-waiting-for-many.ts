import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { wait } from '../../src/primitives/wait.js';
import type { Waitable } from '../../src/primitives/waitable.js';
import { pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';
import { coded, rows, stateOf } from './subject.js';

export function waitingForMany(subject: PipeSubject): void {
  describe('a wait for many', () => {
    const bench = pipeBenchFor(subject);

    it('gives all that are ready, in the order given, and takes nothing', async () => {
      const [a, b] = bench.strings();
      const [c, d] = bench.strings();
      const [e, f] = bench.strings();
      const queue = bench.carrier();
      await a.send('x');
      queue.putNowait('y');
      e.close();
      expect(await wait([f, d, queue, b])).toEqual([f, queue, b]);
      expect(await wait([d, b, d, b])).toEqual([b, b]);
      expect(await b.recv()).toBe('x');
      expect(await queue.get()).toBe('y');
      await c.send('z');
      expect(await wait(new Set([b, d]))).toEqual([d]);
    });

    it('waits for the first that is, and tells of all that come with it', async () => {
      const [a, b] = bench.strings();
      const [c, d] = bench.strings();
      const [, f] = bench.strings();
      const waiting = wait([f, d, b]);
      expect(await stateOf(waiting)).toBe('pending');
      a.trySend('x');
      c.trySend('y');
      const ready = await waiting;
      expect(ready).toContain(b);
      expect(ready).not.toContain(f);
      expect(await wait([f, d, b])).toEqual([d, b]);
      expect(b.tryRecv()).toBe('x');
    });

    it('waits for the end, and for queues', async () => {
      const [a, b] = bench.strings();
      const queue = bench.carrier();
      const other = bench.keep(bench.Queue.create<string>(bench.name()));
      const first = wait<Waitable>([b, queue, other]);
      await turn();
      queue.putNowait('a message');
      expect(await first).toEqual([queue]);
      await queue.get();
      const second = wait<Waitable>([b, queue, other]);
      await turn();
      other.end();
      expect(await second).toEqual([other]);
      const third = wait<Waitable>([b, queue]);
      await turn();
      a.close();
      expect(await third).toEqual([b]);
    });

    it('gives nothing when its time is over, or there is nothing to wait for', async () => {
      const [, b] = bench.strings();
      expect(await wait([])).toEqual([]);
      expect(await wait([b], { timeoutMs: 0 })).toEqual([]);
      const started = performance.now();
      expect(await wait([b], { timeoutMs: 20 })).toEqual([]);
      expect(performance.now() - started).toBeGreaterThanOrEqual(20);
    });

    it('can be aborted', async () => {
      const [a, b] = bench.strings();
      const aborting = new AbortController();
      const reason = new Error('enough');
      const waiting = wait([b], { signal: aborting.signal });
      aborting.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(wait([b], { signal: aborting.signal })).rejects.toBe(reason);
      expect(getEventListeners(aborting.signal, 'abort')).toEqual([]);
      await a.send('x');
      expect(await b.recv()).toBe('x');
    });

    it('fails with the object that cannot be waited for', async () => {
      const [a, b] = bench.strings();
      const [c, d] = bench.strings();
      const [reader, writer] = bench.strings({ duplex: false });
      c.close();
      const index = (i: number) => expect.stringContaining(`objects[${i}]`);
      const rejects = (objects: unknown, code: string, message: unknown) =>
        expect(wait(objects as Waitable[])).rejects.toMatchObject({ code, message });
      await rejects([b, c], 'ERR_CLOSED', index(1));
      await rejects([reader, b, writer], 'ERR_DIRECTION', index(2));
      const queue = bench.carrier();
      queue.putNowait(d);
      await rejects([d], 'ERR_MOVED', index(0));
      for (const [, value] of rows<unknown>([5, null, undefined, {}, 'connection', []])) {
        await rejects([b, b, value], 'ERR_INVALID_ARG', index(2));
      }
      for (const [, value] of rows<unknown>([5, null, undefined, {}, 'ab', b])) {
        await rejects(value, 'ERR_INVALID_ARG', expect.any(String));
      }
      const waiting = wait([a, b]);
      b.close();
      await expect(waiting).rejects.toMatchObject({ code: 'ERR_CLOSED', message: index(1) });
    });

    it('keeps a connection from moving', async () => {
      const [, b] = bench.strings();
      const queue = bench.carrier();
      const aborting = new AbortController();
      const waiting = wait([b], { signal: aborting.signal });
      await expect(queue.put(b)).rejects.toEqual(coded('ERR_ENCODE'));
      aborting.abort();
      await waiting.catch(() => {});
      await queue.put(b);
    });

    it('lets pending calls have what comes, and sees what they leave', async () => {
      const [a, b] = bench.strings();
      const first = b.recv();
      const waiting = wait([b]);
      const second = b.recv();
      a.trySend('1');
      expect(await first).toBe('1');
      a.trySend('2');
      expect(await second).toBe('2');
      expect(await stateOf(waiting)).toBe('pending');
      a.trySend('3');
      expect(await waiting).toEqual([b]);
      expect(await b.recv()).toBe('3');
    });

    it('goes on when somebody was faster', async () => {
      const [a, b] = bench.strings();
      const waiting = wait([b]);
      for (let i = 0; i < 20; i++) {
        a.trySend('x');
        expect(b.tryRecv()).toBe('x');
        await turn();
      }
      expect(await stateOf(waiting)).toBe('pending');
      a.trySend('y');
      expect(await waiting).toEqual([b]);
    });

    it('leaves no other consumer asleep', async () => {
      const queue = bench.carrier();
      const looker = bench.keep(bench.Queue.create<unknown>(bench.name()));
      const taker = bench.keep(bench.Queue.open<unknown>(looker.name));
      const producer = bench.keep(bench.Queue.open<unknown>(looker.name));
      // The one that looks is asleep first, and is rung for the only message.
      const waiting = wait([looker, queue]);
      const got = taker.get();
      producer.putNowait('for somebody');
      expect(await waiting).toEqual([looker]);
      expect(await got).toBe('for somebody');
    });

    it('is side by side with others, on the same objects', async () => {
      const pipes = Array.from({ length: 30 }, () => bench.strings());
      const firsts = pipes.map(([first]) => first);
      const waits = [wait(firsts), wait(firsts.slice(10)), wait(firsts.slice(20))];
      await turn();
      pipes[25]?.[1].trySend('x');
      for (const waiting of waits) expect(await waiting).toEqual([firsts[25]]);
    });

    it('does not take messages of requests for what recv would get', async () => {
      const [a, b] = bench.values();
      const handling = b.onRequest((x) => x);
      const waiting = wait([b]);
      expect(await a.request(1)).toBe(1);
      expect(await stateOf(waiting)).toBe('pending');
      a.trySend('a message');
      expect(await a.request(2)).toBe(2);
      expect(await waiting).toEqual([b]);
      expect(b.tryRecv()).toBe('a message');
      handling.stop();
      const call = a.request(3).catch((error: unknown) => error);
      expect(await wait([b], { timeoutMs: 10 })).toEqual([]);
      expect(await call).toEqual(coded('ERR_UNHANDLED'));
    });

    it('lets the event loop have its turns, however much is ready', async () => {
      const [a, b] = bench.strings();
      a.trySend('x');
      let turns = 0;
      const count = () => {
        turns++;
        if (turns < 5) setImmediate(count);
      };
      setImmediate(count);
      while (turns < 5) await wait([b]);
      expect(turns).toBe(5);
    });
  });
}
