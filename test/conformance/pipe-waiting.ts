import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { TimeoutError } from '../../src/errors.js';
import type { WaitOptions } from '../../src/primitives/wait-options.js';
import { thrownBy } from '../unit/thrown-by.js';
import { coded, rows, stateOf } from './subject.js';
import { fill, FILLING, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';

export function waiting(subject: PipeSubject): void {
  describe('calls that wait for a message', () => {
    const bench = pipeBenchFor(subject);

    it('get messages in the order in which they were made', async () => {
      const [a, b] = bench.strings();
      const first = b.recv();
      const second = b.recvMany({ max: 2 });
      const third = b.recv({ timeoutMs: 60_000 });
      await a.sendMany(['1', '2', '3', '4']);
      expect(await first).toBe('1');
      expect(await second).toEqual(['2', '3']);
      expect(await third).toBe('4');
    });

    it('go before those that do not wait', async () => {
      const [a, b] = bench.strings();
      const first = b.recv();
      await a.send('1');
      await a.send('2');
      expect(b.tryRecv()).toBe('2');
      expect(await first).toBe('1');
    });

    it('take nothing when their time is over', async () => {
      const [a, b] = bench.strings();
      const calls = [
        b.recv({ timeoutMs: 0 }),
        b.recv({ timeoutMs: -1 }),
        b.recv({ timeoutMs: 5 }),
        b.recvMany({ timeoutMs: 5 }),
        b.recvBytes(3, { timeoutMs: 5 }),
        b.recvBytesInto(new Uint8Array(1), 0, { timeoutMs: 5 }),
      ];
      for (const call of calls) await expect(call).rejects.toBeInstanceOf(TimeoutError);
      await a.send('there');
      expect(await b.recv()).toBe('there');
    });

    it('take nothing when they are aborted', async () => {
      const [a, b] = bench.strings();
      const aborting = new AbortController();
      const reason = new Error('changed my mind');
      const call = b.recv({ signal: aborting.signal });
      const next = b.recv();
      aborting.abort(reason);
      await expect(call).rejects.toBe(reason);
      await expect(b.recv({ signal: aborting.signal })).rejects.toBe(reason);
      await expect(b.waitReadable({ signal: aborting.signal })).rejects.toBe(reason);
      await expect(a.send('x', { signal: aborting.signal })).rejects.toBe(reason);
      await a.send('for the next');
      expect(await next).toBe('for the next');
    });

    it.each(rows<unknown>([NaN, Infinity, '5', null]))('refuse timeoutMs %s', async (_, value) => {
      const [, b] = bench.strings();
      const timeoutMs = value as number;
      await expect(b.recv({ timeoutMs })).rejects.toEqual(coded('ERR_INVALID_ARG'));
      await expect(b.waitReadable({ timeoutMs })).rejects.toEqual(coded('ERR_INVALID_ARG'));
      await expect(b.send('x', { timeoutMs })).rejects.toEqual(coded('ERR_INVALID_ARG'));
    });

    it('let the event loop have its turns, however much is there', async () => {
      const [a, b] = bench.strings();
      const buffer = new Uint8Array(8);
      let turns = 0;
      let isOver = false;
      const count = () => {
        turns++;
        if (!isOver) setImmediate(count);
      };
      setImmediate(count);
      for (const call of [
        () => b.recv(),
        () => b.recv({ timeoutMs: 60_000 }),
        () => b.recvMany(),
        () => b.recvBytes(),
        () => b.recvBytesInto(buffer),
        () => b.waitReadable().finally(() => b.tryRecv()),
      ]) {
        turns = 0;
        for (let i = 0; i < 3072; i++) {
          a.trySend('x');
          await call();
        }
        expect(turns).toBeGreaterThanOrEqual(2);
      }
      turns = 0;
      for (let i = 0; i < 3072; i++) {
        await a.send('x');
        b.tryRecv();
      }
      expect(turns).toBeGreaterThanOrEqual(2);
      isOver = true;
      await turn();
    });
  });

  describe('readiness', () => {
    const bench = pipeBenchFor(subject);

    it('is that of recv', async () => {
      const [a, b] = bench.strings();
      expect(b.readable).toBe(false);
      await a.send('x');
      expect(b.readable).toBe(true);
      expect(await b.waitReadable({ timeoutMs: 0 })).toBe(true);
      expect(a.readable).toBe(false);
      expect(b.tryRecv()).toBe('x');
      expect(b.readable).toBe(false);
    });

    it('can be waited for, and takes nothing', async () => {
      const [a, b] = bench.strings();
      const ready = b.waitReadable();
      const soon = b.waitReadable({ timeoutMs: 60_000 });
      expect(await stateOf(ready)).toBe('pending');
      await a.send('x');
      expect([await ready, await soon]).toEqual([true, true]);
      expect(await b.recv()).toBe('x');
    });

    it('is false when its time is over', async () => {
      const [, b] = bench.strings();
      expect(await b.waitReadable({ timeoutMs: 0 })).toBe(false);
      const before = performance.now();
      expect(await b.waitReadable({ timeoutMs: 20 })).toBe(false);
      expect(performance.now() - before).toBeGreaterThanOrEqual(20);
    });

    it.skipIf(!subject.backend.capabilities.blocking)('can be blocked for', async () => {
      const [a, b] = bench.strings();
      expect(b.waitReadableSync({ timeoutMs: 0 })).toBe(false);
      expect(b.waitReadableSync({ timeoutMs: 5 })).toBe(false);
      const acting = bench.whileBlocked(a, [{ act: 'send', value: 'from there' }]);
      expect(b.waitReadableSync()).toBe(true);
      expect(b.recvSync()).toBe('from there');
      await acting;
      expect(b.waitReadableSync()).toBe(true);
      expect(thrownBy(() => b.recvSync())).toEqual(coded('ERR_EOF'));
    });
  });

  describe('calls that wait for room', () => {
    const bench = pipeBenchFor(subject);

    it('send in the order in which they were made, others behind them', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const count = fill(a);
      const sends = [a.send('1'), a.sendMany(['2', '3']), a.send('4', { timeoutMs: 60_000 })];
      expect(a.trySend('not sent')).toBe(false);
      expect(a.trySendBytes(new Uint8Array(1))).toBe(false);
      expect(await stateOf(sends[0] as Promise<void>)).toBe('pending');
      const received = [];
      for (let i = 0; i < count + 4; i++) received.push(await b.recv());
      await Promise.all(sends);
      expect(received.slice(count)).toEqual(['1', '2', '3', '4']);
      expect(b.tryRecv()).toBeUndefined();
    });

    it('go before those that do not wait', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const count = fill(a);
      const first = a.send('1');
      for (let i = 0; i < count; i++) b.tryRecv();
      expect(a.trySend('2')).toBe(true);
      expect(a.trySendBytes(new Uint8Array(1))).toBe(true);
      expect([b.tryRecv(), b.tryRecv(), b.tryRecvBytes()]).toEqual(['1', '2', new Uint8Array(1)]);
      await first;
    });

    it('send nothing when their time is over, or they are aborted', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const count = fill(a);
      const aborting = new AbortController();
      const calls = [
        a.send('no', { timeoutMs: 0 }),
        a.send('no', { timeoutMs: 5 }),
        a.sendBytes(new Uint8Array(1), 0, 1, { timeoutMs: 5 }),
        a.sendMany(['no'], { timeoutMs: 5 }),
      ];
      const aborted = a.send('no', { signal: aborting.signal });
      const last = a.send('last');
      aborting.abort();
      await expect(aborted).rejects.toEqual(coded('ABORT_ERR'));
      for (const call of calls) await expect(call).rejects.toEqual(coded('ERR_TIMEOUT'));
      for (let i = 0; i < count; i++) await b.recv();
      expect(await b.recv()).toBe('last');
      await last;
      expect(b.tryRecv()).toBeUndefined();
    });
  });

  describe.skipIf(!subject.backend.capabilities.blocking)('calls that block', () => {
    const bench = pipeBenchFor(subject);

    it('return at once if they need not wait', () => {
      const [a, b] = bench.strings();
      a.sendSync('1');
      a.sendSync('2', { timeoutMs: 0 });
      expect(b.recvSync()).toBe('1');
      expect(b.recvSync({ timeoutMs: 0 })).toBe('2');
    });

    it('wait for what somebody else sends, until he is gone', async () => {
      const [a, b] = bench.strings();
      const acting = bench.whileBlocked(b, [
        { act: 'send', value: 'one' },
        { act: 'send', value: 'two' },
      ]);
      expect(a.recvSync()).toBe('one');
      expect(a.recvSync({ timeoutMs: 60_000 })).toBe('two');
      await acting;
      expect(thrownBy(() => a.recvSync())).toEqual(coded('ERR_EOF'));
    });

    it('wait for somebody else to make room, or to be gone', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const count = fill(a);
      const acting = bench.whileBlocked(
        b,
        Array.from({ length: count + 1 }, () => ({ act: 'recv' }) as const),
      );
      a.sendSync('there was room');
      await acting;
      expect(thrownBy(() => a.sendSync('nobody'))).toEqual(coded('ERR_PEER_DEAD'));
    });

    it('give up in time, having done nothing', () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      expect(thrownBy(() => b.recvSync({ timeoutMs: 5 }))).toBeInstanceOf(TimeoutError);
      expect(thrownBy(() => b.recvManySync({ timeoutMs: 0 }))).toBeInstanceOf(TimeoutError);
      const count = fill(a);
      expect(thrownBy(() => a.sendSync('no', { timeoutMs: 5 }))).toBeInstanceOf(TimeoutError);
      expect(b.recvManySync({ max: count + 1 })).toHaveLength(count);
      expect(b.tryRecv()).toBeUndefined();
    });

    it('cannot be aborted', () => {
      const [a] = bench.strings();
      const { signal } = new AbortController();
      const options: WaitOptions = { signal };
      expect(thrownBy(() => a.recvSync(options))).toEqual(coded('ERR_INVALID_ARG'));
    });

    it('refuse to wait for ever for an end in this very thread', () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      for (const call of [
        () => b.recvSync(),
        () => b.recvManySync(),
        () => b.recvBytesSync(),
        () => b.recvBytesIntoSync(new Uint8Array(3)),
        () => b.waitReadableSync(),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_DEADLOCK'));
      }
      const count = fill(a);
      for (const call of [
        () => a.sendSync('no'),
        () => a.sendManySync(['no']),
        () => a.sendBytesSync(new Uint8Array(3)),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_DEADLOCK'));
      }
      for (let i = 0; i < count; i++) expect(b.recvSync()).toBe(FILLING);
      expect(b.tryRecv()).toBeUndefined();
    });

    it('serve those that wait on the same connection first', async () => {
      const [a, b] = bench.strings();
      const first = b.recv();
      const acting = bench.whileBlocked(a, [
        { act: 'send', value: '1' },
        { act: 'send', value: '2' },
      ]);
      expect(b.recvSync()).toBe('2');
      expect(await first).toBe('1');
      await acting;
    });
  });

  describe.skipIf(subject.backend.capabilities.blocking)('a backend that cannot block', () => {
    const bench = pipeBenchFor(subject);

    it('says so', () => {
      const [a, b] = bench.strings();
      a.trySend('x');
      for (const call of [
        () => a.sendSync('x'),
        () => a.sendManySync(['x']),
        () => a.sendBytesSync(new Uint8Array(1)),
        () => b.recvSync(),
        () => b.recvManySync(),
        () => b.recvBytesSync(),
        () => b.recvBytesIntoSync(new Uint8Array(1)),
        () => b.waitReadableSync(),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_UNSUPPORTED'));
      }
      expect(b.tryRecv()).toBe('x');
    });
  });
}
