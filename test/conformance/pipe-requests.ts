import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';

import { AbortError, EOFError, RequestError, TimeoutError } from '../../src/errors.js';
import type { CustomCodec } from '../../src/codec/codec.js';
import type { Connection } from '../../src/primitives/connection.js';
import type { RequestContext } from '../../src/primitives/request-handling.js';
import { Struct } from '../../src/shapes/struct.js';
import { thrownBy } from '../unit/thrown-by.js';
import { fill, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';
import { coded, rows, stateOf } from './subject.js';

/** Promises that somebody else settles, by what they are for. */
class Gates {
  readonly #gates = new Map<unknown, (value: unknown) => void>();

  readonly pass = (key: unknown): Promise<unknown> =>
    new Promise((resolve) => this.#gates.set(key, resolve));

  get waiting(): unknown[] {
    return [...this.#gates.keys()];
  }

  open(key: unknown, value: unknown = key): void {
    this.#gates.get(key)?.(value);
    this.#gates.delete(key);
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

export function requests(subject: PipeSubject): void {
  describe('requests', () => {
    const bench = pipeBenchFor(subject);

    it('are answered by the handler of the other end', async () => {
      const [a, b] = bench.values<number>();
      b.onRequest((n) => n * 2);
      expect(await a.request(21)).toBe(42);
      expect(await a.request(4, { timeoutMs: 60_000 })).toBe(8);
    });

    it('go both ways at once, many more than there is room for', async () => {
      const [a, b] = bench.values<number>({ capacityBytes: 4096 });
      a.onRequest(async (n) => n + 1);
      b.onRequest(async (n) => n * 2);
      const numbers = Array.from({ length: 3000 }, (_, i) => i);
      const [doubled, next] = await Promise.all([
        Promise.all(numbers.map((n) => a.request(n))),
        Promise.all(numbers.map((n) => b.request(n))),
      ]);
      expect(doubled).toEqual(numbers.map((n) => n * 2));
      expect(next).toEqual(numbers.map((n) => n + 1));
    });

    it('are answered in any order', async () => {
      const [a, b] = bench.values();
      const gates = new Gates();
      b.onRequest(gates.pass);
      const responses = ['x', 'y', 'z'].map((value) => a.request(value));
      await until(() => gates.waiting.length === 3);
      for (const key of ['z', 'x', 'y']) {
        gates.open(key, `${key}!`);
        const index = ['x', 'y', 'z'].indexOf(key);
        expect(await responses[index]).toBe(`${key}!`);
      }
    });

    it('are handled while their handlers make requests of the requester', async () => {
      const [a, b] = bench.values<number>();
      a.onRequest((n) => n + 1);
      b.onRequest(async (n) => 10 * (await b.request(n)), { maxConcurrent: 2 });
      const numbers = Array.from({ length: 300 }, (_, i) => i);
      const responses = await Promise.all(numbers.map((n) => a.request(n)));
      expect(responses).toEqual(numbers.map((n) => 10 * (n + 1)));
    });

    it('are not sent beyond those that may be unanswered', async () => {
      const [a, b] = bench.values<number>({ capacityBytes: 2 ** 20 });
      const answers: ((value: number) => void)[] = [];
      b.onRequest(() => new Promise((resolve) => answers.push(resolve)), { maxConcurrent: 5000 });
      const numbers = Array.from({ length: 1100 }, (_, i) => i);
      const all = Promise.all(numbers.map((n) => a.request(n)));
      await until(() => answers.length === 1024);
      await turn();
      expect([a.stats().sent, answers.length]).toEqual([1024, 1024]);
      answers[0]?.(0);
      await until(() => answers.length === 1025);
      expect(a.stats().sent).toBe(1025);
      for (let i = 1; i < numbers.length; i++) {
        await until(() => answers.length > i);
        answers[i]?.(i);
      }
      expect(await all).toEqual(numbers);
    });

    it('are not sent beyond 4 MiB of them, but one always is', async () => {
      const [a, b] = bench.raw({ capacityBytes: 2 ** 24 });
      const answers: (() => void)[] = [];
      b.onRequest((bytes) => new Promise((resolve) => answers.push(() => resolve(bytes))));
      const calls = [5, 1, 1].map((mib) => a.request(new Uint8Array(mib * 2 ** 20)));
      for (let i = 0; i < 2; i++) {
        await until(() => answers.length > i);
        if (i === 0) expect(a.stats().sent).toBe(1);
        answers[i]?.();
        await calls[i];
      }
      await until(() => answers.length === 3);
      answers[2]?.();
      expect((await calls[2])?.length).toBe(2 ** 20);
    });

    it('leave no listener at their signals', async () => {
      const [a, b] = bench.values();
      b.onRequest((x) => x);
      const { signal } = new AbortController();
      await a.request(1, { signal });
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('are larger than the connection holds at once, and so are responses', async () => {
      const [a, b] = bench.raw({ capacityBytes: 4096 });
      b.onRequest((bytes) => new Uint8Array([...bytes, ...bytes]));
      const bytes = new Uint8Array(20_000).fill(7);
      expect(await a.request(bytes)).toEqual(new Uint8Array(40_000).fill(7));
    });

    it('go with every codec', async () => {
      const Point = Struct({ x: 'float64', y: 'float64' });
      const custom: CustomCodec<URL> = {
        encode: (url) => new TextEncoder().encode(url.href),
        decode: (bytes) => new URL(new TextDecoder().decode(bytes)),
      };
      const [a, b] = bench.strings();
      b.onRequest((text) => text.toUpperCase());
      expect(await a.request('hello')).toBe('HELLO');
      const [c, d] = bench.kept(bench.Pipe({ codec: Point }));
      d.onRequest(({ x, y }) => ({ x: y, y: x }));
      expect(await c.request({ x: 1, y: 2 })).toEqual({ x: 2, y: 1 });
      const [e, f] = bench.kept(bench.Pipe({ codec: 'json' }));
      f.onRequest((value) => [value]);
      expect(await e.request({ a: 1 })).toEqual([{ a: 1 }]);
      const [g, h] = bench.kept(bench.Pipe({ codec: custom }));
      h.onRequest((url) => new URL('/x', url));
      expect((await g.request(new URL('http://a.b/c'))).href).toBe('http://a.b/x');
    });

    it('carry handles, and so do responses', async () => {
      const [a, b] = bench.values();
      b.onRequest(async (value) => {
        const queue = bench.keep(value as ReturnType<typeof bench.carrier>);
        queue.putNowait('from the handler');
        const [near, far] = bench.strings();
        await near.send('over the new connection');
        return far;
      });
      const queue = bench.carrier();
      const far = bench.keep((await a.request(queue)) as Connection<string>);
      expect(await queue.get()).toBe('from the handler');
      expect(await far.recv()).toBe('over the new connection');
    });

    it('keep an end that was to go with them when it does not go', async () => {
      const [a] = bench.values();
      const [near, far] = bench.strings();
      await expect(a.request(far, { timeoutMs: 0 })).rejects.toBeInstanceOf(TimeoutError);
      near.trySend('still here');
      expect(await far.recv()).toBe('still here');
    });

    it('cannot be made on one-way pipes', async () => {
      const [reader, writer] = bench.strings({ duplex: false });
      for (const end of [reader, writer]) {
        await expect(end.request('x')).rejects.toEqual(coded('ERR_DIRECTION'));
        expect(thrownBy(() => end.onRequest((x) => x))).toEqual(coded('ERR_DIRECTION'));
      }
    });

    it('are refused at once if they cannot be sent', async () => {
      const [a, b] = bench.kept(bench.Pipe({ maxMessageBytes: 64 }));
      b.onRequest((x) => x);
      await expect(a.request(() => {})).rejects.toEqual(coded('ERR_ENCODE'));
      await expect(a.request('x'.repeat(64))).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(await a.request('x')).toBe('x');
    });

    it.each(rows<unknown>([NaN, Infinity, '5', null]))('refuse timeoutMs %s', async (_, value) => {
      const [a] = bench.values();
      const call = a.request(1, { timeoutMs: value as number });
      await expect(call).rejects.toEqual(coded('ERR_INVALID_ARG'));
    });
  });

  describe('a request that is given up', () => {
    const bench = pipeBenchFor(subject);

    function contexts(b: Connection): RequestContext[] {
      const seen: RequestContext[] = [];
      b.onRequest((_, context) => {
        seen.push(context);
        return new Promise(() => {});
      });
      return seen;
    }

    it('rejects when its time is over, and aborts the signal of its handler', async () => {
      const [a, b] = bench.values();
      const seen = contexts(b);
      const started = performance.now();
      await expect(a.request(1, { timeoutMs: 20 })).rejects.toBeInstanceOf(TimeoutError);
      expect(performance.now() - started).toBeGreaterThanOrEqual(20);
      await until(() => seen[0]?.signal.aborted === true);
      expect(seen[0]?.signal.reason).toBeInstanceOf(AbortError);
    });

    it('rejects when it is aborted, and aborts the signal of its handler', async () => {
      const [a, b] = bench.values();
      const seen = contexts(b);
      const aborting = new AbortController();
      const call = a.request(1, { signal: aborting.signal });
      await until(() => seen.length === 1);
      const heard = vi.fn();
      seen[0]?.signal.addEventListener('abort', heard);
      const reason = new Error('changed my mind');
      aborting.abort(reason);
      await expect(call).rejects.toBe(reason);
      await until(() => heard.mock.calls.length === 1);
      expect(getEventListeners(aborting.signal, 'abort')).toEqual([]);
      await expect(a.request(1, { signal: aborting.signal })).rejects.toBe(reason);
    });

    it('is not sent if that happens before there is room', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const filled = fill(a);
      await expect(a.request('never sent', { timeoutMs: 5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      const handled: string[] = [];
      b.onRequest((value) => {
        handled.push(value);
        return value;
      });
      expect(await b.recvMany({ max: filled })).toHaveLength(filled);
      expect(await a.request('sent')).toBe('sent');
      expect(handled).toEqual(['sent']);
    });

    it('is not handled if it waited for others', async () => {
      const [a, b] = bench.values();
      const gates = new Gates();
      b.onRequest(gates.pass, { maxConcurrent: 1 });
      const first = a.request('first');
      const second = a.request('second', { timeoutMs: 10 });
      await expect(second).rejects.toBeInstanceOf(TimeoutError);
      // Two requests, and that one of them is given up.
      await until(() => b.stats().received === 3);
      const third = a.request('third');
      gates.open('first');
      expect(await first).toBe('first');
      await until(() => gates.waiting.includes('third'));
      gates.open('third');
      expect(await third).toBe('third');
      expect(gates.waiting).toEqual([]);
    });

    it('drops a response that is late', async () => {
      const [a, b] = bench.values();
      const gates = new Gates();
      b.onRequest(gates.pass);
      // Answered before the other end can hear of the time-out.
      const call = a.request('late', { timeoutMs: 30 }).catch((error: unknown) => error);
      await until(() => gates.waiting.length === 1);
      const blocked = performance.now() + 40;
      gates.open('late');
      await turn();
      while (performance.now() < blocked);
      await call;
      const next = a.request('next');
      await until(() => gates.waiting.length === 1);
      gates.open('next');
      expect(await next).toBe('next');
      expect(a.tryRecv()).toBe(undefined);
    });

    it('with timeoutMs 0 is not even sent', async () => {
      const [a, b] = bench.values();
      await expect(a.request(1, { timeoutMs: 0 })).rejects.toBeInstanceOf(TimeoutError);
      expect(b.tryRecv()).toBe(undefined);
      expect(a.stats().sent).toBe(0);
    });
  });

  describe('a handler of requests', () => {
    const bench = pipeBenchFor(subject);

    it('rejects the request with what it throws', async () => {
      const [a, b] = bench.values();
      b.onRequest(() => {
        const cause = new TypeError('deep down');
        throw Object.assign(new RangeError('out of it', { cause }), { code: 'E_RANGE' });
      });
      const error = (await a.request(1).catch((thrown: unknown) => thrown)) as RequestError;
      expect(error).toBeInstanceOf(RequestError);
      expect(error.code).toBe('ERR_REQUEST');
      expect(error.message).toContain('out of it');
      expect(error.cause).toBeInstanceOf(RangeError);
      expect(error.cause).toMatchObject({ message: 'out of it', code: 'E_RANGE' });
      const { cause, stack } = error.cause as Error;
      expect(cause).toBeInstanceOf(TypeError);
      expect(stack).toContain('pipe-requests');
    });

    it.each(rows<unknown>(['text', undefined, null, { reason: 1 }, 7n]))(
      'rejects the request with %s, which is no error',
      async (_, thrown) => {
        const [a, b] = bench.values();
        b.onRequest(async () => {
          throw thrown;
        });
        const error = (await a.request(1).catch((caught: unknown) => caught)) as RequestError;
        expect(error).toBeInstanceOf(RequestError);
        expect(error.cause).toEqual(thrown);
      },
    );

    it('says what it can of an error that cannot travel', async () => {
      const [a, b] = bench.strings();
      b.onRequest(() => {
        throw new Error('with a function', { cause: () => {} });
      });
      await expect(a.request('x')).rejects.toMatchObject({
        code: 'ERR_REQUEST',
        cause: { name: 'Error', message: 'with a function' },
      });
    });

    it('says that it threw even where the error is too large to send', async () => {
      const [a, b] = bench.kept(bench.Pipe({ codec: 'string', maxMessageBytes: 16 }));
      b.onRequest(() => {
        throw new Error('x');
      });
      await expect(a.request('x')).rejects.toBeInstanceOf(RequestError);
    });

    it('rejects the request if its response cannot be sent', async () => {
      const [a, b] = bench.values();
      b.onRequest(() => () => {});
      await expect(a.request(1)).rejects.toMatchObject({
        code: 'ERR_REQUEST',
        cause: { code: 'ERR_ENCODE' },
      });
    });

    it('works on so many requests at once', async () => {
      const [a, b] = bench.values();
      const gates = new Gates();
      b.onRequest(gates.pass, { maxConcurrent: 3 });
      const all = Array.from({ length: 10 }, (_, i) => a.request(i));
      await until(() => gates.waiting.length === 3);
      await turn();
      expect(gates.waiting).toEqual([0, 1, 2]);
      gates.open(1);
      await until(() => gates.waiting.length === 3);
      expect(gates.waiting).toEqual([0, 2, 3]);
      for (let i = 0; i < 10; i++) {
        await until(() => i === 1 || gates.waiting.includes(i));
        gates.open(i);
      }
      expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it.each(rows<unknown>([0, 1.5, -1, NaN, '3', 65_537]))(
      'refuses maxConcurrent %s',
      (_, value) => {
        const [a] = bench.values();
        const call = () => a.onRequest((x) => x, { maxConcurrent: value as number });
        expect(thrownBy(call)).toEqual(coded('ERR_INVALID_ARG'));
      },
    );

    it('is one at a time, and a function', () => {
      const [a] = bench.values();
      expect(thrownBy(() => a.onRequest(5 as never))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => a.onRequest((x) => x, 5 as never))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => a.onRequest((x) => x, { most: 5 } as never))).toEqual(
        coded('ERR_INVALID_ARG'),
      );
      const handling = a.onRequest((x) => x);
      expect(thrownBy(() => a.onRequest((x) => x))).toEqual(coded('ERR_INVALID_ARG'));
      handling.stop();
      a.onRequest((x) => x);
      handling.stop();
      expect(thrownBy(() => a.onRequest((x) => x))).toEqual(coded('ERR_INVALID_ARG'));
    });

    it('answers what it works on when it is stopped, and nothing else', async () => {
      const [a, b] = bench.values();
      const gates = new Gates();
      const handling = b.onRequest(gates.pass, { maxConcurrent: 1 });
      const first = a.request('first');
      const second = a.request('second').catch((error: unknown) => error);
      await until(() => gates.waiting.length === 1);
      handling[Symbol.dispose]();
      expect(await second).toEqual(coded('ERR_UNHANDLED'));
      gates.open('first');
      expect(await first).toBe('first');
    });

    it('that is not there is told as soon as anything is received', async () => {
      const [a, b] = bench.values();
      const call = a.request(1);
      expect(b.tryRecv()).toBe(undefined);
      await expect(call).rejects.toEqual(coded('ERR_UNHANDLED'));
    });
  });

  describe('the end of a connection with requests', () => {
    const bench = pipeBenchFor(subject);

    it('rejects them when the other end closes, and aborts the signals of handlers', async () => {
      const [a, b] = bench.values();
      const contexts: RequestContext[] = [];
      a.onRequest((_, context) => {
        contexts.push(context);
        return new Promise(() => {});
      });
      b.onRequest(() => new Promise(() => {}));
      const calls = [a.request(1), a.request(2)];
      const gone = b.request(3);
      await until(() => contexts.length === 1);
      b.close();
      const ends = await Promise.allSettled([...calls, gone]);
      const reasons = ends.map((end) => (end as PromiseRejectedResult).reason as unknown);
      expect(reasons[0]).toBeInstanceOf(EOFError);
      expect(reasons[1]).toBeInstanceOf(EOFError);
      expect(reasons[2]).toEqual(coded('ERR_CLOSED'));
      await until(() => contexts[0]?.signal.aborted === true);
      await expect(a.request(1)).rejects.toEqual(coded('ERR_PEER_DEAD'));
    });

    it('rejects them when this end closes', async () => {
      const [a, b] = bench.values();
      const seen: RequestContext[] = [];
      b.onRequest((_, context) => {
        seen.push(context);
        return new Promise(() => {});
      });
      const call = a.request(1);
      await until(() => seen.length === 1);
      a.close();
      await expect(call).rejects.toEqual(coded('ERR_CLOSED'));
      await expect(a.request(1)).rejects.toEqual(coded('ERR_CLOSED'));
      await until(() => seen[0]?.signal.aborted === true);
      expect(thrownBy(() => a.onRequest((x) => x))).toEqual(coded('ERR_CLOSED'));
    });

    it('is told to those that wait to be sent, too', async () => {
      const [a, b] = bench.values();
      b.onRequest(() => new Promise(() => {}));
      const calls = Array.from({ length: 1100 }, (_, i) => a.request(i));
      await turn();
      b.close();
      const results = await Promise.allSettled(calls);
      for (const result of results) expect(result.status).toBe('rejected');
    });

    it('gives what was answered before', async () => {
      const [a, b] = bench.values();
      b.onRequest((x) => x);
      const calls = [a.request(1), a.request(2)];
      await until(() => b.stats().sent === 2);
      b.close();
      expect(await Promise.all(calls)).toEqual([1, 2]);
    });

    it('does not come by a move', async () => {
      const [a, b] = bench.values();
      const queue = bench.carrier();
      const handling = b.onRequest((x) => x);
      expect(thrownBy(() => queue.tryPut(b))).toEqual(coded('ERR_ENCODE'));
      const call = a.request(1);
      expect(thrownBy(() => queue.tryPut(a))).toEqual(coded('ERR_ENCODE'));
      await call;
      handling.stop();
      queue.putNowait(b);
      const moved = bench.keep((await queue.get()) as typeof b);
      moved.onRequest(() => 'moved');
      expect(await a.request(1)).toBe('moved');
    });
  });

  describe('messages that are no requests', () => {
    const bench = pipeBenchFor(subject);

    it('are received in order, whatever was taken for requests meanwhile', async () => {
      const [a, b] = bench.values();
      b.onRequest((x) => x);
      const sent: number[] = [];
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i < 200; i++) {
        if (i % 3 === 0) calls.push(a.request(i));
        else {
          await a.send(i);
          sent.push(i);
        }
      }
      await Promise.all(calls);
      const received = [await b.recv(), b.tryRecv(), ...(await b.recvMany({ max: 3 }))];
      for await (const value of b) {
        received.push(value);
        if (received.length === sent.length) break;
      }
      expect(received).toEqual(sent);
    });

    it.skipIf(!subject.backend.capabilities.blocking)(
      'are seen by calls that block, which leave the rest to the handler',
      async () => {
        const [a, b] = bench.values();
        b.onRequest((x) => x);
        await a.send('first');
        const call = a.request('asked');
        await a.send('second');
        expect(b.recvSync()).toBe('first');
        expect(b.recvSync()).toBe('second');
        expect(b.recvManySync.length).toBe(1);
        expect(await call).toBe('asked');
        await a.send('third');
        expect(await a.request('again')).toBe('again');
        expect(b.waitReadableSync({ timeoutMs: 0 })).toBe(true);
        expect(b.recvSync()).toBe('third');
      },
    );

    it('are kept as bytes, too, and with their handles', async () => {
      const [a, b] = bench.values();
      b.onRequest((x) => x);
      const queue = bench.carrier();
      await a.sendBytes(Uint8Array.of(1, 2, 3));
      await a.sendBytes(Uint8Array.of(4, 5));
      await a.sendBytes(Uint8Array.of(6, 7));
      await a.send(queue);
      await a.send([queue, 'lost']);
      expect(await a.request('x')).toBe('x');
      expect(b.readable).toBe(true);
      expect(thrownBy(() => b.tryRecvBytes(2))).toEqual(coded('ERR_TOO_LARGE'));
      expect(b.tryRecvBytes(3)).toEqual(Uint8Array.of(1, 2, 3));
      const into = new Uint8Array(4);
      expect(b.tryRecvBytesInto(into, 1)).toBe(2);
      expect(into).toEqual(Uint8Array.of(0, 4, 5, 0));
      expect(thrownBy(() => b.tryRecvBytesInto(into, 3))).toMatchObject({
        bytes: Uint8Array.of(6, 7),
      });
      const copy = bench.keep((await b.recv()) as typeof queue);
      copy.putNowait('over there');
      expect(await queue.get()).toBe('over there');
      expect(b.tryRecvBytes()).toBeInstanceOf(Uint8Array);
      expect(b.readable).toBe(false);
    });

    it('leave the connection where it is until they were received', async () => {
      const [a, b] = bench.values();
      const handling = b.onRequest((x) => x);
      await a.send('kept');
      await a.request(1);
      handling.stop();
      const queue = bench.carrier();
      expect(thrownBy(() => queue.tryPut(b))).toEqual(coded('ERR_ENCODE'));
      expect(b.tryRecv()).toBe('kept');
      expect(queue.tryPut(b)).toBe(true);
    });

    it('hold up responses when nobody receives too many of them', async () => {
      const [a, b] = bench.values({ capacityBytes: 2 ** 20 });
      b.onRequest((x) => x);
      for (let i = 0; i < 1500; i++) await a.send(i);
      const call = a.request('behind them');
      expect(await stateOf(call)).toBe('pending');
      for (let i = 0; i < 1500; i++) expect(await b.recv()).toBe(i);
      expect(await call).toBe('behind them');
    });

    it('are received when the other end is gone', async () => {
      const [a, b] = bench.values();
      b.onRequest((x) => x);
      await a.send('last');
      a.close();
      await turn();
      expect(await b.recv()).toBe('last');
      await expect(b.recv()).rejects.toBeInstanceOf(EOFError);
    });

    it('reach those who wait for them already', async () => {
      const [a, b] = bench.values();
      b.onRequest((x) => x);
      const readable = b.waitReadable();
      expect(await a.request(1)).toBe(1);
      expect(await stateOf(readable)).toBe('pending');
      const first = b.recv();
      expect(await a.request(2)).toBe(2);
      await a.send('here');
      expect(await readable).toBe(true);
      expect(await first).toBe('here');
    });
  });
}
