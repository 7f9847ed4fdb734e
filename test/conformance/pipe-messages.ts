import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import type { PipeFunction } from '../../src/primitives/bind-pipe.js';
import type { CustomCodec } from '../../src/codec/codec.js';
import { Struct } from '../../src/shapes/struct.js';
import { thrownBy } from '../unit/thrown-by.js';
import { coded, rows } from './subject.js';
import { pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';

export function messages(subject: PipeSubject): void {
  describe('messages', () => {
    const bench = pipeBenchFor(subject);
    const { Pipe } = bench;

    it('go both ways, in order, each to the other end only', async () => {
      const [a, b] = bench.strings();
      await a.send('a1');
      await b.send('b1');
      await a.send('a2');
      expect([await b.recv(), await b.recv()]).toEqual(['a1', 'a2']);
      expect(b.tryRecv()).toBeUndefined();
      expect(await a.recv()).toBe('b1');
      expect(a.tryRecv()).toBeUndefined();
    });

    it('go one way with { duplex: false }: to the first end, from the second', async () => {
      const [reader, writer] = bench.strings({ duplex: false });
      expect([reader.canReceive, reader.canSend]).toEqual([true, false]);
      expect([writer.canReceive, writer.canSend]).toEqual([false, true]);
      await writer.send('this way');
      expect(await reader.recv()).toBe('this way');
    });

    it('refuse the wrong way by every call, and go on the right way', async () => {
      const [reader, writer] = bench.strings({ duplex: false });
      const bytes = new Uint8Array(3);
      const sends = [
        () => reader.sendSync('x'),
        () => reader.trySend('x'),
        () => reader.sendManySync(['x']),
        () => reader.sendBytesSync(bytes),
        () => reader.trySendBytes(bytes),
      ];
      const receives = [
        () => writer.recvSync(),
        () => writer.tryRecv(),
        () => writer.recvManySync(),
        () => writer.tryRecvMany(),
        () => writer.recvBytesSync(),
        () => writer.tryRecvBytes(),
        () => writer.recvBytesIntoSync(bytes),
        () => writer.tryRecvBytesInto(bytes),
        () => writer.readable,
        () => writer.waitReadableSync(),
        () => writer[Symbol.asyncIterator](),
      ];
      for (const call of [...sends, ...receives]) {
        expect(thrownBy(call)).toEqual(coded('ERR_DIRECTION'));
      }
      for (const promise of [
        reader.send('x'),
        reader.sendMany(['x']),
        reader.sendBytes(bytes),
        writer.recv(),
        writer.recvMany(),
        writer.recvBytes(),
        writer.recvBytesInto(bytes),
        writer.waitReadable(),
      ]) {
        await expect(promise).rejects.toEqual(coded('ERR_DIRECTION'));
      }
      writer.trySend('still');
      expect(reader.tryRecv()).toBe('still');
    });

    it.each(
      rows<unknown>([
        undefined,
        null,
        '',
        0,
        -0,
        12n,
        { a: [1, { b: new Map([[1, new Date(7)]]) }] },
      ]),
    )('carry %s as it is', async (_, value) => {
      const [a, b] = bench.values();
      await a.send(value);
      expect(b.tryRecv('nothing')).toStrictEqual(value);
      expect(b.tryRecv('nothing')).toBe('nothing');
    });

    it('are encoded before the call returns', async () => {
      const [a, b] = bench.values<{ n: number }>();
      const value = { n: 1 };
      const sent = a.send(value);
      value.n = 2;
      await sent;
      expect(await b.recv()).toEqual({ n: 1 });
    });

    it('are of the codec of the pipe', async () => {
      const [j, k] = bench.kept(Pipe<{ d: unknown }>({ codec: 'json' }));
      await j.send({ d: new Date(0) });
      expect(await k.recv()).toEqual({ d: '1970-01-01T00:00:00.000Z' });
      const [r, s] = bench.raw();
      await r.send(Buffer.from('bytes'));
      expect(await s.recv()).toEqual(new Uint8Array(Buffer.from('bytes')));
      const Point = Struct({ x: 'float64', id: 'uint32' });
      const [p, q] = bench.kept(Pipe({ codec: Point }));
      p.trySend({ x: 0.5, id: 3 });
      expect(q.tryRecv()).toEqual({ x: 0.5, id: 3 });
      const urls: CustomCodec<URL> = {
        encode: (url) => new TextEncoder().encode(url.href),
        decode: (bytes) => new URL(new TextDecoder().decode(bytes)),
      };
      const [u, v] = bench.kept(Pipe({ codec: urls }));
      u.trySend(new URL('http://localhost/a'));
      expect(v.tryRecv()?.pathname).toBe('/a');
    });

    it('of no bytes are messages too', async () => {
      const [a, b] = bench.raw();
      await a.send(new Uint8Array());
      await a.send(new Uint8Array());
      await a.send(Uint8Array.of(1));
      expect([await b.recv(), await b.recv(), await b.recv()].map((bytes) => bytes.length)).toEqual(
        [0, 0, 1],
      );
      expect(b.tryRecv()).toBeUndefined();
    });

    it('that cannot be encoded send nothing', async () => {
      const [a, b] = bench.values();
      await expect(a.send(() => 1)).rejects.toEqual(coded('ERR_ENCODE'));
      expect(thrownBy(() => a.trySend(Symbol('s')))).toEqual(coded('ERR_ENCODE'));
      const [r] = bench.raw();
      await expect(r.send('text' as unknown as Uint8Array)).rejects.toEqual(
        coded('ERR_INVALID_ARG'),
      );
      expect(b.tryRecv()).toBeUndefined();
      await a.send('after');
      expect(await b.recv()).toBe('after');
    });

    it('that cannot be decoded are gone, and the next one comes', async () => {
      const [a, b] = bench.kept(Pipe<unknown>({ codec: 'json' }));
      await a.sendBytes(new TextEncoder().encode('{'));
      await a.send(1);
      await expect(b.recv()).rejects.toEqual(coded('ERR_DECODE'));
      expect(await b.recv()).toBe(1);
    });

    it('larger than maxMessageBytes are refused by every call that sends', async () => {
      const [a, b] = bench.raw({ maxMessageBytes: 100 });
      const large = new Uint8Array(101);
      await expect(a.send(large)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      await expect(a.send(large, { timeoutMs: 50 })).rejects.toEqual(coded('ERR_TOO_LARGE'));
      await expect(a.sendBytes(large)).rejects.toEqual(coded('ERR_TOO_LARGE'));
      await expect(a.sendMany([new Uint8Array(1), large])).rejects.toEqual(coded('ERR_TOO_LARGE'));
      expect(thrownBy(() => a.trySend(large))).toEqual(coded('ERR_TOO_LARGE'));
      expect(b.tryRecv()).toBeUndefined();
      await a.send(large.subarray(1));
      expect((await b.recv()).length).toBe(100);
    });

    it('are counted', async () => {
      const [a, b] = bench.raw();
      await a.sendMany([new Uint8Array(3), new Uint8Array(4)]);
      await b.recv();
      expect(a.stats()).toEqual({ sent: 2, received: 0, sentBytes: 7, receivedBytes: 0 });
      expect(b.stats()).toEqual({ sent: 0, received: 1, sentBytes: 0, receivedBytes: 3 });
    });
  });

  describe('Pipe()', () => {
    const bench = pipeBenchFor(subject);
    const { Pipe } = bench;

    it('gives connections that say what they are', () => {
      const [a, b] = bench.strings({ capacityBytes: 8192 });
      expect([a.capacityBytes, b.capacityBytes]).toEqual([8192, 8192]);
      expect([a.canSend, a.canReceive, a.closed]).toEqual([true, true, false]);
      expect(inspect(a)).toBe("Connection { capacityBytes: 8192, codec: 'string' }");
      a.close();
      expect(a.closed).toBe(true);
      expect(inspect(a)).toBe("Connection { closed: true, capacityBytes: 8192, codec: 'string' }");
    });

    it.each(
      rows<unknown>([
        null,
        3,
        'raw',
        { duplex: 1 },
        { capacityBytes: 0 },
        { capacityBytes: 2 ** 60 },
        { maxMessageBytes: 1.5 },
        { codec: 'xml' },
        { maxItems: 3 },
        { name: 'x' },
      ]),
    )('refuses %s', (_, options) => {
      expect(thrownBy(() => (Pipe as (options: unknown) => unknown)(options))).toEqual(
        coded('ERR_INVALID_ARG'),
      );
    });

    it('may be called with new', () => {
      const Class = Pipe as unknown as new () => ReturnType<PipeFunction>;
      expect(bench.kept(new Class())).toHaveLength(2);
    });
  });
}
