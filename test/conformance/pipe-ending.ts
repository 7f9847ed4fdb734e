import { describe, expect, it } from 'vitest';

import { EOFError } from '../../src/errors.js';
import { thrownBy } from '../unit/thrown-by.js';
import { coded, stateOf } from './subject.js';
import { fill, FILLING, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';

export function ending(subject: PipeSubject): void {
  describe('an end that closes', () => {
    const bench = pipeBenchFor(subject);

    it('lets the other receive what was sent, and then EOF, by every call', async () => {
      const [a, b] = bench.strings();
      await a.sendMany(['one', 'two']);
      a.close();
      expect(b.readable).toBe(true);
      expect(await b.recv()).toBe('one');
      expect(b.tryRecv()).toBe('two');
      expect(b.readable).toBe(true);
      expect(await b.waitReadable()).toBe(true);
      const buffer = new Uint8Array(9);
      for (const call of [
        () => b.tryRecv(),
        () => b.tryRecvMany(),
        () => b.tryRecvBytes(),
        () => b.tryRecvBytes(3),
        () => b.tryRecvBytesInto(buffer),
        ...bench.blocking<() => unknown>(
          () => b.recvSync(),
          () => b.recvManySync(),
          () => b.recvBytesSync(),
          () => b.recvBytesIntoSync(buffer),
        ),
      ]) {
        expect(thrownBy(call)).toBeInstanceOf(EOFError);
      }
      for (const call of bench.blocking(() => b.waitReadableSync())) expect(call()).toBe(true);
      for (const promise of [
        b.recv(),
        b.recv({ timeoutMs: 9 }),
        b.recvMany(),
        b.recvBytes(),
        b.recvBytesInto(buffer),
      ]) {
        await expect(promise).rejects.toBeInstanceOf(EOFError);
      }
    });

    it('ends what waits to receive', async () => {
      const [a, b] = bench.strings();
      const waiting: Promise<unknown>[] = [b.recv(), b.recvMany(), b.waitReadable(), b.recv()];
      a.close();
      expect(await Promise.all(waiting.map(stateOf))).toEqual([
        coded('ERR_EOF'),
        coded('ERR_EOF'),
        true,
        coded('ERR_EOF'),
      ]);
    });

    it('ends what waits to send, and all that would', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      fill(a);
      const waiting = [a.send('x'), a.sendMany(['y', 'z']), a.sendBytes(new Uint8Array(9))];
      b.close();
      expect(await Promise.all(waiting.map(stateOf))).toEqual([
        coded('ERR_PEER_DEAD'),
        expect.objectContaining({ code: 'ERR_PEER_DEAD', accepted: 0 }),
        coded('ERR_PEER_DEAD'),
      ]);
      await expect(a.send('x')).rejects.toEqual(coded('ERR_PEER_DEAD'));
      await expect(a.send('x', { timeoutMs: 9 })).rejects.toEqual(coded('ERR_PEER_DEAD'));
      await expect(a.sendMany(['x'])).rejects.toMatchObject({ code: 'ERR_PEER_DEAD', accepted: 0 });
      await expect(a.sendBytes(new Uint8Array(3))).rejects.toEqual(coded('ERR_PEER_DEAD'));
      for (const call of [
        () => a.trySend('x'),
        () => a.trySendBytes(new Uint8Array(3)),
        ...bench.blocking<() => unknown>(
          () => a.sendSync('x'),
          () => a.sendManySync(['x']),
          () => a.sendBytesSync(new Uint8Array(3)),
        ),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_PEER_DEAD'));
      }
    });

    it('does not take back what the other had received, nor what it can still send for', async () => {
      const [a, b] = bench.strings();
      await b.send('to nobody');
      await a.send('kept');
      b.close();
      await expect(a.recv()).resolves.toBe('to nobody');
      await expect(a.recv()).rejects.toEqual(coded('ERR_EOF'));
    });

    it('ends iteration, which takes a message per step', async () => {
      const [a, b] = bench.strings();
      await a.sendMany(['one', 'two', 'three', 'four']);
      for await (const value of b) if (value === 'two') break;
      expect(b.tryRecv()).toBe('three');
      setImmediate(() => a.close());
      const rest: string[] = [];
      for await (const value of b) rest.push(value);
      expect(rest).toEqual(['four']);
      // Again: it is still at its end.
      for await (const value of b) rest.push(value);
      expect(rest).toEqual(['four']);
    });

    it('rejects its own pending calls, and those to come, by ERR_CLOSED', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const sent = fill(a);
      const waiting = [
        a.recv(),
        a.waitReadable(),
        a.send('not sent'),
        a.sendMany(['nor', 'these']),
      ];
      a.close();
      a.close();
      expect(await Promise.all(waiting.map(stateOf))).toEqual(
        Array.from({ length: 4 }, () => coded('ERR_CLOSED')),
      );
      const bytes = new Uint8Array(3);
      for (const call of [
        () => a.trySend('x'),
        () => a.sendSync('x'),
        () => a.sendManySync(['x']),
        () => a.trySendBytes(bytes),
        () => a.sendBytesSync(bytes),
        () => a.tryRecv(),
        () => a.recvSync(),
        () => a.tryRecvMany(),
        () => a.recvManySync(),
        () => a.tryRecvBytes(),
        () => a.tryRecvBytesInto(bytes),
        () => a.readable,
        () => a.waitReadableSync(),
        () => a.stats(),
        () => a.ref(),
        () => a.unref(),
        () => a[Symbol.asyncIterator](),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_CLOSED'));
      }
      for (const promise of [
        a.send('x'),
        a.sendMany(['x']),
        a.sendBytes(bytes),
        a.recv(),
        a.recvMany(),
        a.recvBytes(),
        a.recvBytesInto(bytes),
        a.waitReadable(),
      ]) {
        await expect(promise).rejects.toEqual(coded('ERR_CLOSED'));
      }
      let received = 0;
      for await (const value of b) {
        expect(value).toBe(FILLING);
        received++;
      }
      expect(received).toBe(sent);
    });

    it('may close inside its own codec, or while it sends for', async () => {
      const [a, b] = bench.kept(
        bench.Pipe<number>({
          codec: {
            encode: (n: number) => {
              if (n === 2) a.close();
              return Uint8Array.of(n);
            },
            decode: ([n]) => {
              if (n === 1) b.close();
              return n as number;
            },
          },
        }),
      );
      await a.send(1);
      const waiting = stateOf(b.recv());
      expect(await waiting).toBe(1);
      expect(b.closed).toBe(true);
      const [c, d] = [a, b];
      await expect(c.send(2)).rejects.toEqual(coded('ERR_CLOSED'));
      expect(d.closed).toBe(true);
    });

    it('closes at the end of a block that uses it', () => {
      const [a] = bench.strings();
      a[Symbol.dispose]();
      expect(a.closed).toBe(true);
    });
  });
}
