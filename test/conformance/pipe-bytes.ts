import { describe, expect, it } from 'vitest';

import { BufferTooShort, InterprocError } from '../../src/errors.js';
import { thrownBy } from '../unit/thrown-by.js';
import { coded, rows, stateOf } from './subject.js';
import { pattern, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';

export function bytes(subject: PipeSubject): void {
  describe('bytes', () => {
    const bench = pipeBenchFor(subject);

    it('are sent as they are, whatever the codec, by every call', async () => {
      const [a, b] = bench.values();
      const sent = [Uint8Array.of(1, 2), Uint8Array.of(), pattern(1000)];
      for (const message of sent) await a.sendBytes(message);
      expect(a.trySendBytes(Uint8Array.of(9))).toBe(true);
      expect(await b.recvBytes()).toEqual(sent[0]);
      expect(await b.recvBytes(10, { timeoutMs: 1000 })).toEqual(sent[1]);
      expect(b.tryRecvBytes()).toEqual(sent[2]);
      expect(b.tryRecvBytes()).toEqual(Uint8Array.of(9));
      expect(b.tryRecvBytes()).toBeUndefined();
    });

    it.skipIf(!subject.backend.capabilities.blocking)(
      'are sent and received by calls that block',
      () => {
        const [a, b] = bench.strings();
        a.sendBytesSync(pattern(300), 0, 300, { timeoutMs: 1000 });
        a.sendBytesSync(pattern(3));
        const buffer = new Uint8Array(300);
        expect(b.recvBytesSync()).toEqual(pattern(300));
        expect(b.recvBytesIntoSync(buffer)).toBe(3);
        expect(buffer.subarray(0, 3)).toEqual(pattern(3));
        expect(thrownBy(() => b.recvBytesSync(3, { timeoutMs: 1 }))).toEqual(coded('ERR_TIMEOUT'));
        expect(thrownBy(() => b.recvBytesIntoSync(buffer, 0, { timeoutMs: 1 }))).toEqual(
          coded('ERR_TIMEOUT'),
        );
      },
    );

    it('are those of a range, up to the end by default', async () => {
      const [a, b] = bench.raw();
      const all = pattern(600);
      await a.sendBytes(all, 10);
      await a.sendBytes(all, 590, 10);
      await a.sendBytes(all, 3, 0);
      await a.sendBytes(all, 600);
      a.trySendBytes(all, 1, 2);
      expect(await b.recvBytes()).toEqual(all.subarray(10));
      expect(await b.recvBytes()).toEqual(all.subarray(590));
      expect(await b.recvBytes()).toEqual(new Uint8Array());
      expect(await b.recvBytes()).toEqual(new Uint8Array());
      expect(await b.recvBytes()).toEqual(Uint8Array.of(1, 2));
    });

    it.each(rows<[number, number?]>([[-1], [4], [0.5], [NaN], [0, 4], [2, 2], [0, -1], [1, 1.5]]))(
      'are refused for the range %s of three',
      async (_, [offset, length]) => {
        const [a, b] = bench.raw();
        const three = new Uint8Array(3);
        await expect(a.sendBytes(three, offset, length)).rejects.toEqual(coded('ERR_INVALID_ARG'));
        expect(thrownBy(() => a.trySendBytes(three, offset, length))).toEqual(
          coded('ERR_INVALID_ARG'),
        );
        for (const call of bench.blocking(() => a.sendBytesSync(three, offset, length))) {
          expect(thrownBy(call)).toEqual(coded('ERR_INVALID_ARG'));
        }
        expect(b.tryRecvBytes()).toBeUndefined();
      },
    );

    it.each(rows<unknown>(['text', null, [1, 2], new ArrayBuffer(3), new Uint16Array(2)]))(
      'are not %s',
      async (_, value) => {
        const [a, b] = bench.raw();
        const bad = value as Uint8Array;
        await expect(a.sendBytes(bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
        await expect(b.recvBytesInto(bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
        expect(thrownBy(() => b.tryRecvBytesInto(bad))).toEqual(coded('ERR_INVALID_ARG'));
      },
    );

    it('that were transferred away are refused', async () => {
      const [a] = bench.raw();
      const gone = new Uint8Array(8);
      structuredClone(gone, { transfer: [gone.buffer] });
      await expect(a.sendBytes(gone)).rejects.toEqual(coded('ERR_INVALID_ARG'));
    });

    it('more than maxLength stay, for a call that takes more', async () => {
      const [a, b] = bench.values();
      await a.sendBytes(pattern(100));
      await a.sendBytes(pattern(1));
      await expect(b.recvBytes(99)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      await expect(b.recvBytes(0, { timeoutMs: 9 })).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(thrownBy(() => b.tryRecvBytes(99))).toEqual(coded('ERR_TOO_LARGE'));
      for (const call of bench.blocking(() => b.recvBytesSync(99))) {
        expect(thrownBy(call)).toEqual(coded('ERR_TOO_LARGE'));
      }
      expect(await b.recvBytes(100)).toEqual(pattern(100));
      expect(await b.recvBytes(99)).toEqual(pattern(1));
    });

    it('more than maxLength fail a call that waits for them, and stay', async () => {
      const [a, b] = bench.raw();
      const waiting = b.recvBytes(3);
      expect(await stateOf(waiting)).toBe('pending');
      await a.sendBytes(pattern(4));
      await expect(waiting).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(await b.recvBytes()).toEqual(pattern(4));
    });

    it.each(rows<unknown>([-1, 0.5, '3', null, NaN]))('have no maxLength %s', async (_, most) => {
      const [, b] = bench.raw();
      await expect(b.recvBytes(most as number)).rejects.toEqual(coded('ERR_INVALID_ARG'));
    });

    it('are written into the buffer that is given, from the offset on', async () => {
      const [a, b] = bench.raw();
      await a.sendBytes(Uint8Array.of(1, 2, 3));
      await a.sendBytes(Uint8Array.of(4));
      await a.sendBytes(Uint8Array.of());
      const buffer = new Uint8Array(6);
      expect(await b.recvBytesInto(buffer, 2)).toBe(3);
      expect(buffer).toEqual(Uint8Array.of(0, 0, 1, 2, 3, 0));
      expect(b.tryRecvBytesInto(buffer)).toBe(1);
      expect(buffer).toEqual(Uint8Array.of(4, 0, 1, 2, 3, 0));
      expect(b.tryRecvBytesInto(buffer, 6)).toBe(0);
      expect(b.tryRecvBytesInto(buffer)).toBeUndefined();
      const later = b.recvBytesInto(buffer, 5, { timeoutMs: 10_000 });
      await a.sendBytes(Uint8Array.of(7));
      expect(await later).toBe(1);
      expect(buffer[5]).toBe(7);
    });

    it('that do not fit the buffer are in the error, whole, and the connection goes on', async () => {
      const [a, b] = bench.values();
      const buffer = new Uint8Array(50);
      for (const length of [51, 30, 51, 1]) await a.sendBytes(pattern(length));
      const error: unknown = await b.recvBytesInto(buffer).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(BufferTooShort);
      expect(error).toBeInstanceOf(InterprocError);
      expect(error).toMatchObject({ code: 'ERR_TOO_LARGE', name: 'BufferTooShort' });
      expect((error as BufferTooShort).bytes).toEqual(pattern(51));
      const second = thrownBy(() => b.tryRecvBytesInto(buffer, 21)) as BufferTooShort;
      expect(second.bytes).toEqual(pattern(30));
      for (const call of bench.blocking(() => b.recvBytesIntoSync(buffer))) {
        expect((thrownBy(call) as BufferTooShort).bytes).toEqual(pattern(51));
      }
      if (!subject.backend.capabilities.blocking) b.tryRecvBytes();
      expect(await b.recvBytesInto(buffer)).toBe(1);
    });

    it.each(rows<unknown>([-1, 4, 0.5, '0', NaN]))(
      'are not written from %s on of three',
      async (_, offset) => {
        const [a, b] = bench.raw();
        await a.sendBytes(Uint8Array.of(1));
        const three = new Uint8Array(3);
        await expect(b.recvBytesInto(three, offset as number)).rejects.toEqual(
          coded('ERR_INVALID_ARG'),
        );
        expect(thrownBy(() => b.tryRecvBytesInto(three, offset as number))).toEqual(
          coded('ERR_INVALID_ARG'),
        );
        expect(b.tryRecvBytes()).toEqual(Uint8Array.of(1));
      },
    );

    it('that wait for room may be changed by their owner at once', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      while (a.trySendBytes(pattern(300)));
      const mine = pattern(300);
      const sent = a.sendBytes(mine);
      mine.fill(0xff);
      let last: Uint8Array | undefined;
      for (let next = b.tryRecvBytes(); next !== undefined; next = b.tryRecvBytes()) last = next;
      await sent;
      last = await b.recvBytes();
      expect(last).toEqual(pattern(300));
    });
  });
}
