import { describe, expect, it } from 'vitest';

import { BufferTooShort } from '../../src/errors.js';
import { thrownBy } from '../unit/thrown-by.js';
import { coded, stateOf } from './subject.js';
import { pattern, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';

const LARGE = 50_000;
const capacityBytes = 4096;

export function largeMessages(subject: PipeSubject): void {
  describe('messages larger than the connection', () => {
    const bench = pipeBenchFor(subject);

    it('go in parts, and arrive whole and in order, by every call', async () => {
      const [a, b] = bench.raw({ capacityBytes });
      const sent = [
        a.send(pattern(LARGE)),
        a.send(pattern(3)),
        a.sendBytes(pattern(LARGE + 5), 5, LARGE),
        a.send(pattern(LARGE), { timeoutMs: 60_000 }),
        a.send(pattern(4)),
        a.send(pattern(2 * LARGE)),
      ];
      const buffer = new Uint8Array(LARGE + 1);
      expect(await b.recv()).toEqual(pattern(LARGE));
      expect(await b.recv()).toEqual(pattern(3));
      expect(await b.recvBytes(LARGE)).toEqual(pattern(LARGE + 5).subarray(5));
      expect(await b.recvBytesInto(buffer, 1)).toBe(LARGE);
      expect(buffer.subarray(1)).toEqual(pattern(LARGE));
      expect(await b.recvMany()).toEqual([pattern(4)]);
      expect(await b.recvMany()).toEqual([pattern(2 * LARGE)]);
      await Promise.all(sent);
    });

    it('carry values', async () => {
      const [a, b] = bench.values({ capacityBytes });
      const value = { text: 'é'.repeat(LARGE), list: Array.from({ length: 900 }, (_, i) => i) };
      const sent = a.send(value);
      value.list.length = 0;
      expect(await b.recv()).toEqual({
        text: value.text,
        list: Array.from({ length: 900 }, (_, i) => i),
      });
      await sent;
    });

    it('may be changed by their owner as soon as the call has returned', async () => {
      const [a, b] = bench.raw({ capacityBytes });
      const mine = pattern(LARGE);
      const sent = [a.send(mine), a.sendBytes(mine)];
      mine.fill(0xff);
      expect(await b.recv()).toEqual(pattern(LARGE));
      expect(await b.recv()).toEqual(pattern(LARGE));
      await Promise.all(sent);
    });

    it('are readable when they are whole', async () => {
      const [a, b] = bench.raw({ capacityBytes });
      const sent = a.send(pattern(LARGE));
      expect(await b.waitReadable()).toBe(true);
      await sent;
      expect(b.readable).toBe(true);
      expect(b.tryRecv()).toEqual(pattern(LARGE));
    });

    it('are refused by calls that send at once, which say how they go', () => {
      const [a, b] = bench.raw({ capacityBytes });
      for (const call of [() => a.trySend(pattern(LARGE)), () => a.trySendBytes(pattern(LARGE))]) {
        const error = thrownBy(call);
        expect(error).toEqual(coded('ERR_TOO_LARGE'));
        expect((error as Error).message).toContain('send()');
      }
      expect(b.tryRecv()).toBeUndefined();
      expect(a.trySend(pattern(9))).toBe(true);
      expect(b.tryRecv()).toEqual(pattern(9));
    });

    it('that are given up half-sent are forgotten', async () => {
      const [a, b] = bench.raw({ capacityBytes });
      const aborting = new AbortController();
      const aborted = a.send(pattern(LARGE), { signal: aborting.signal });
      expect(b.tryRecv()).toBeUndefined();
      await expect(a.send(pattern(LARGE), { timeoutMs: 5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
      aborting.abort();
      await expect(aborted).rejects.toEqual(coded('ABORT_ERR'));
      expect(b.tryRecv()).toBeUndefined();
      const sent = a.send(pattern(LARGE + 1));
      expect(await b.recv()).toEqual(pattern(LARGE + 1));
      await sent;
      const again = a.send(pattern(LARGE), { timeoutMs: 0 });
      await expect(again).rejects.toEqual(coded('ERR_TIMEOUT'));
      const small = a.send(pattern(1));
      expect(await b.recv()).toEqual(pattern(1));
      await small;
    });

    it('that are half-sent when their end closes are forgotten', async () => {
      const [a, b] = bench.raw({ capacityBytes });
      await a.send(pattern(5));
      const half = stateOf(a.send(pattern(LARGE)));
      a.close();
      expect(await half).toEqual(coded('ERR_CLOSED'));
      expect(await b.recv()).toEqual(pattern(5));
      await expect(b.recv()).rejects.toEqual(coded('ERR_EOF'));
    });

    it('fail when the other end closes', async () => {
      const [a, b] = bench.raw({ capacityBytes });
      const half = a.send(pattern(LARGE));
      b.tryRecv();
      b.close();
      await expect(half).rejects.toEqual(coded('ERR_PEER_DEAD'));
    });

    it('stay if they are more than maxLength', async () => {
      const [a, b] = bench.raw({ capacityBytes });
      const sent = a.send(pattern(LARGE));
      await expect(b.recvBytes(LARGE - 1)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(await b.recvBytes(LARGE)).toEqual(pattern(LARGE));
      await sent;
    });

    it('are in the error whole if they do not fit the buffer', async () => {
      const [a, b] = bench.raw({ capacityBytes });
      const sent = a.send(pattern(LARGE));
      const error: unknown = await b
        .recvBytesInto(new Uint8Array(LARGE - 1))
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(BufferTooShort);
      expect((error as BufferTooShort).bytes).toEqual(pattern(LARGE));
      await sent;
    });

    it.skipIf(!subject.backend.capabilities.blocking)(
      'are sent and received by calls that block',
      async () => {
        const [a, b] = bench.raw({ capacityBytes });
        const acting = bench.whileBlocked(b, [
          { act: 'sendBytes', length: LARGE },
          { act: 'recv' },
          { act: 'sendBytes', length: 2 },
        ]);
        expect(a.recvSync()).toEqual(pattern(LARGE));
        a.sendSync(pattern(LARGE));
        expect(a.recvBytesSync()).toEqual(pattern(2));
        await acting;
      },
    );

    it.skipIf(!subject.backend.capabilities.blocking)(
      'that are refused for a deadlock are forgotten',
      () => {
        const [a, b] = bench.raw({ capacityBytes });
        expect(thrownBy(() => a.sendSync(pattern(LARGE)))).toEqual(coded('ERR_DEADLOCK'));
        expect(thrownBy(() => b.recvSync())).toEqual(coded('ERR_DEADLOCK'));
        a.sendSync(pattern(2));
        expect(b.recvSync()).toEqual(pattern(2));
      },
    );
  });
}
