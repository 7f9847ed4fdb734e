import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { Connection as AnyConnection } from '../../src/primitives/connection.js';
import type { Connection } from '../../src/primitives/connection.js';
import type { Queue } from '../../src/primitives/queue.js';
import { Struct } from '../../src/shapes/struct.js';
import { thrownBy } from '../unit/thrown-by.js';
import { coded, stateOf } from './subject.js';
import { fill, pattern, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';

/** What an encoder throws for a handle that cannot be taken along. */
function refused(code: string): unknown {
  return expect.objectContaining({ code: 'ERR_ENCODE', cause: coded(code) });
}

export function moving(subject: PipeSubject): void {
  describe('connections inside messages', () => {
    const bench = pipeBenchFor(subject);
    const { Pipe } = bench;

    /** The connection in the next message of a queue. */
    const taken = async <T>(q: Queue<unknown>): Promise<Connection<T>> =>
      bench.keep((await q.get()) as Connection<T>);
    /** That it is as good as new. */
    const expectUsable = async (a: Connection<string>, b: Connection<string>): Promise<void> => {
      expect([a.closed, b.closed]).toEqual([false, false]);
      await a.send('there');
      await b.send('and back');
      expect(await b.recv()).toBe('there');
      expect(await a.recv()).toBe('and back');
    };

    it('move: the receiver has them, with all that was sent to them', async () => {
      const [a, b] = bench.strings();
      const q = bench.carrier();
      await a.send('before');
      await b.send('sent by who had it before');
      await q.put(b);
      expect(b.closed).toBe(true);
      expect(inspect(b)).toContain('moved: true');
      await a.send('on its way');
      const c = await taken<string>(q);
      expect(c).toBeInstanceOf(AnyConnection);
      expect(c.capacityBytes).toBe(a.capacityBytes);
      expect([await c.recv(), await c.recv()]).toEqual(['before', 'on its way']);
      expect(await a.recv()).toBe('sent by who had it before');
      await expectUsable(a, c);
    });

    it('cannot be used where they were, by any call; closing them is nothing', async () => {
      const [a, b] = bench.strings();
      const q = bench.carrier();
      await q.put({ deep: [b] });
      const bytes = new Uint8Array(1);
      for (const call of [
        () => b.trySend('x'),
        () => b.sendSync('x'),
        () => b.sendManySync(['x']),
        () => b.trySendBytes(bytes),
        () => b.sendBytesSync(bytes),
        () => b.tryRecv(),
        () => b.recvSync(),
        () => b.tryRecvMany(),
        () => b.recvManySync(),
        () => b.tryRecvBytes(),
        () => b.recvBytesSync(),
        () => b.tryRecvBytesInto(bytes),
        () => b.recvBytesIntoSync(bytes),
        () => b.readable,
        () => b.waitReadableSync(),
        () => b.stats(),
        () => b.ref(),
        () => b.unref(),
        () => b[Symbol.asyncIterator](),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_MOVED'));
      }
      for (const promise of [
        b.send('x'),
        b.sendMany(['x']),
        b.sendBytes(bytes),
        b.recv(),
        b.recvMany(),
        b.recvBytes(),
        b.recvBytesInto(bytes),
        b.waitReadable(),
      ]) {
        await expect(promise).rejects.toEqual(coded('ERR_MOVED'));
      }
      await expect(q.put(b)).rejects.toEqual(refused('ERR_MOVED'));
      b.close();
      await a.send('still');
      const { deep } = (await q.get()) as { deep: [Connection<string>] };
      expect(await bench.keep(deep[0]).recv()).toBe('still');
    });

    it('come with their codec', async () => {
      const Point = Struct({ x: 'float64' });
      const q = bench.carrier();
      const [a, b] = bench.kept(Pipe({ codec: Point }));
      const [c, d] = bench.raw();
      await q.putMany([b, d]);
      a.trySend({ x: 2 });
      c.trySend(pattern(3));
      expect(await (await taken(q)).recv()).toEqual({ x: 2 });
      expect(await (await taken(q)).recv()).toEqual(pattern(3));
    });

    it('whose codec no receiver could know are refused', async () => {
      const codec = { encode: () => new Uint8Array(1), decode: () => 'x' };
      const [a, b] = bench.kept(Pipe<string>({ codec }));
      await expect(bench.carrier().put(b)).rejects.toEqual(refused('ERR_ENCODE'));
      await a.send('y');
      expect(await b.recv()).toBe('x');
    });

    it('of one way keep it', async () => {
      const [reader, writer] = bench.strings({ duplex: false });
      const q = bench.carrier();
      await q.putMany([writer, reader]);
      const [w, r] = [await taken<string>(q), await taken<string>(q)];
      expect([w.canSend, w.canReceive, r.canSend, r.canReceive]).toEqual([
        true,
        false,
        false,
        true,
      ]);
      w.trySend('x');
      expect(r.tryRecv()).toBe('x');
    });

    it('move on and on, both of them, and through other connections', async () => {
      const [a, b] = bench.strings();
      const [c, d] = bench.values();
      const q = bench.carrier();
      await a.send('travelled far');
      await q.put([a, b]);
      const both = (await q.get()) as Connection<string>[];
      for (const end of both) await c.send({ end });
      const first = (await d.recv()) as { end: Connection<string> };
      const [second] = (await d.recvMany()) as [{ end: Connection<string> }];
      bench.keep(first.end);
      await q.put(bench.keep(second.end));
      const last = await taken<string>(q);
      expect(await last.recv()).toBe('travelled far');
      await expectUsable(first.end, last);
    });

    it('twice in one message come out as one; in two of a batch, none is put', async () => {
      const [a, b] = bench.strings();
      const q = bench.carrier();
      await expect(q.putMany([{ b }, { b }])).rejects.toEqual(refused('ERR_MOVED'));
      const [c, d] = bench.values();
      await expect(c.sendMany([{ b }, { b }])).rejects.toEqual(refused('ERR_MOVED'));
      expect([q.size, d.tryRecv()]).toEqual([0, undefined]);
      await expectUsable(a, b);
      await q.put([b, { b }]);
      const [first, { b: same }] = (await q.get()) as [Connection<string>, { b: unknown }];
      expect(first).toBe(same);
      await expectUsable(a, bench.keep(first));
    });

    it('cannot travel over their own pipe', async () => {
      const [a, b] = bench.values();
      for (const end of [a, b]) {
        await expect(a.send(end)).rejects.toEqual(coded('ERR_ENCODE'));
        expect(thrownBy(() => a.trySend([end]))).toEqual(coded('ERR_ENCODE'));
        await expect(a.sendMany([1, end])).rejects.toEqual(coded('ERR_ENCODE'));
      }
      await a.send(1);
      expect(await b.recv()).toBe(1);
    });

    it('with calls pending do not move', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const q = bench.carrier();
      const receiving = b.recv();
      await expect(q.put(b)).rejects.toEqual(refused('ERR_ENCODE'));
      await a.send('for the call');
      expect(await receiving).toBe('for the call');
      fill(a);
      const sending = a.send('waits');
      await expect(q.put(a)).rejects.toEqual(refused('ERR_ENCODE'));
      const looking = a.waitReadable();
      b.tryRecvMany();
      await sending;
      expect(thrownBy(() => q.tryPut(a))).toEqual(refused('ERR_ENCODE'));
      await b.send('x');
      expect(await looking).toBe(true);
      expect(q.size).toBe(0);
    });

    it('that are closed are refused', async () => {
      const [a] = bench.strings();
      a.close();
      await expect(bench.carrier().put(a)).rejects.toEqual(refused('ERR_CLOSED'));
    });

    it('take along the ends of other pipes, and other handles', async () => {
      const [a, b] = bench.strings();
      const [c, d] = bench.values();
      const reply = bench.keep(new bench.Queue<string>());
      expect(c.trySend({ b, reply })).toBe(true);
      expect(b.closed).toBe(true);
      const got = d.tryRecv() as { b: Connection<string>; reply: Queue<string> };
      bench.keep(got.reply).putNowait('to the queue');
      expect(await reply.get()).toBe('to the queue');
      await expectUsable(a, bench.keep(got.b));
    });

    it('are not lost with messages larger than the connection that they travel over', async () => {
      const [a, b] = bench.strings();
      const [c, d] = bench.values({ capacityBytes: 4096 });
      const sent = c.send({ b, padding: pattern(30_000) });
      expect(thrownBy(() => b.tryRecv())).toEqual(coded('ERR_MOVED'));
      const got = (await d.recv()) as { b: Connection<string>; padding: Uint8Array };
      await sent;
      expect(got.padding).toEqual(pattern(30_000));
      await expectUsable(a, bench.keep(got.b));
    });

    describe('that stay behind', () => {
      it.each<[string, (q: Queue<unknown>, value: unknown) => unknown]>([
        ['tryPut', (q, value) => q.tryPut(value)],
        ['putNowait', (q, value) => thrownBy(() => q.putNowait(value))],
        ['put with a time-out', (q, value) => q.put(value, { timeoutMs: 5 }).catch(() => {})],
        ['put with no time', (q, value) => q.put(value, { timeoutMs: 0 }).catch(() => {})],
        ['putMany', (q, value) => q.putMany([value], { timeoutMs: 5 }).catch(() => {})],
        [
          'put that is aborted',
          (q, value) => {
            const aborting = new AbortController();
            const put = q.put(value, { signal: aborting.signal }).catch(() => {});
            aborting.abort();
            return put;
          },
        ],
        [
          'put that was aborted before',
          (q, value) => q.put(value, { signal: AbortSignal.abort() }).catch(() => {}),
        ],
        ['end', (q, value) => (q.end(), q.put(value).catch(() => {}))],
        [
          'close of the carrier',
          async (q, value) => {
            const put = q.put(value).catch(() => {});
            q.close();
            await put;
          },
        ],
        [
          'a stream that is destroyed',
          async (q, value) => {
            const writable = q.toWritable();
            writable.on('error', () => {});
            writable.write(value);
            await stateOf(new Promise(() => {}));
            writable.destroy();
          },
        ],
        [
          'a batch of a stream that is destroyed',
          async (q, value) => {
            const writable = q.toWritable();
            writable.on('error', () => {});
            writable.cork();
            writable.write('first');
            writable.write(value);
            writable.uncork();
            await stateOf(new Promise(() => {}));
            writable.destroy();
          },
        ],
        [
          'a web stream that is aborted',
          async (q, value) => {
            const writer = q.toWritableStream().getWriter();
            const written = writer.write(value).catch(() => {});
            await stateOf(written);
            await writer.abort().catch(() => {});
            await written;
          },
        ],
      ])('by %s of a queue are usable', async (_, put) => {
        const [a, b] = bench.strings();
        const q = bench.carrier({ maxItems: 1 });
        q.putNowait('full');
        await put(q, { b });
        await expectUsable(a, b);
      });

      it.each<[string, (over: Connection<unknown>, value: unknown) => unknown]>([
        ['trySend', (over, value) => over.trySend(value)],
        ['send with a time-out', (over, value) => over.send(value, { timeoutMs: 5 })],
        ['send with no time', (over, value) => over.send(value, { timeoutMs: 0 })],
        ['sendMany', (over, value) => over.sendMany([value, 'more'], { timeoutMs: 5 })],
        [
          'send that is aborted',
          (over, value) => {
            const aborting = new AbortController();
            const sent = over.send(value, { signal: aborting.signal });
            aborting.abort();
            return sent;
          },
        ],
        [
          'send that was aborted before',
          (over, value) => over.send(value, { signal: AbortSignal.abort() }),
        ],
        [
          'close of the carrier',
          (over, value) => {
            const sent = over.send(value);
            over.close();
            return sent;
          },
        ],
        [
          'a message that is too large',
          (over, value) => over.send([value, pattern(200_000)], { timeoutMs: 5 }),
        ],
        ['a value beside it that cannot be carried', (over, value) => over.send([value, () => 1])],
        ...bench.blocking<[string, (over: Connection<unknown>, value: unknown) => unknown]>([
          'sendSync',
          (over, value) => thrownBy(() => over.sendSync(value, { timeoutMs: 5 })),
        ]),
        ...bench.blocking<[string, (over: Connection<unknown>, value: unknown) => unknown]>([
          'a deadlock',
          (over, value) => thrownBy(() => over.sendSync(value)),
        ]),
      ])('by %s of another connection are usable', async (_, send) => {
        const [a, b] = bench.strings();
        const [c, d] = bench.values({ capacityBytes: 4096, maxMessageBytes: 100_000 });
        while (c.trySend('full'));
        await Promise.resolve(send(c, { b })).catch(() => {});
        await expectUsable(a, b);
        void d;
      });

      it('because the other end of their carrier is gone are usable', async () => {
        const [a, b] = bench.strings();
        const [c, d] = bench.values();
        d.close();
        for (const sent of [c.send(b), c.sendMany([1, b]), c.send(b, { timeoutMs: 9 })]) {
          await expect(sent).rejects.toEqual(coded('ERR_PEER_DEAD'));
        }
        await expectUsable(a, b);
      });

      it('of a batch are those that did not go; the others have moved', async () => {
        const [a, b] = bench.strings();
        const [c, d] = bench.strings();
        const q = bench.carrier({ maxItems: 1 });
        await expect(q.putMany([b, d], { timeoutMs: 5 })).rejects.toMatchObject({ accepted: 1 });
        expect([b.closed, d.closed]).toEqual([true, false]);
        await expectUsable(c, d);
        await expectUsable(a, await taken<string>(q));
      });

      it('cannot be used until it is known', async () => {
        const [a, b] = bench.strings();
        const q = bench.carrier({ maxItems: 1 });
        q.putNowait('full');
        const put = q.put(b);
        expect(b.closed).toBe(false);
        expect(inspect(b)).toContain('offered: true');
        expect(thrownBy(() => b.tryRecv())).toEqual(coded('ERR_MOVED'));
        await expect(bench.carrier().put(b)).rejects.toEqual(refused('ERR_MOVED'));
        q.tryGet();
        await put;
        expect(b.closed).toBe(true);
        await expectUsable(a, await taken<string>(q));
      });

      it('close then, if they were closed meanwhile', async () => {
        const [a, b] = bench.strings();
        const q = bench.carrier({ maxItems: 1 });
        q.putNowait('full');
        const put = q.put(b, { timeoutMs: 5 });
        b.close();
        expect(b.closed).toBe(true);
        expect(a.readable).toBe(false);
        await expect(put).rejects.toEqual(coded('ERR_TIMEOUT'));
        await expect(a.recv()).rejects.toEqual(coded('ERR_EOF'));
        expect(thrownBy(() => b.tryRecv())).toEqual(coded('ERR_CLOSED'));
      });

      it('move all the same, if they were closed meanwhile and the message is put', async () => {
        const [a, b] = bench.strings();
        const q = bench.carrier({ maxItems: 1 });
        q.putNowait('full');
        const put = q.put(b);
        b.close();
        q.tryGet();
        await put;
        await expectUsable(a, await taken<string>(q));
      });
    });

    it.each<[string, (over: Connection<unknown>, value: unknown) => unknown]>([
      ['send', (over, value) => over.send(value)],
      ['send with options', (over, value) => over.send(value, { timeoutMs: 9 })],
      ['sendMany', (over, value) => over.sendMany([1, value])],
      ['trySend', (over, value) => over.trySend(value)],
      ...bench.blocking<[string, (over: Connection<unknown>, value: unknown) => unknown]>(
        ['sendSync', (over, value) => over.sendSync(value)],
        ['sendManySync', (over, value) => over.sendManySync([1, value])],
      ),
    ])('that a value’s own code sends away during %s of it are refused', async (_, send) => {
      const [a, b] = bench.values();
      const q = bench.carrier();
      const value = {
        get x() {
          q.tryPut(a);
          return 1;
        },
      };
      const call = (async () => send(a, value))();
      await expect(call).rejects.toEqual(coded('ERR_MOVED'));
      const c = await taken(q);
      expect(b.tryRecv()).toBeUndefined();
      await c.send('well');
      expect(await b.recv()).toBe('well');
    });

    it('are lost with the queue that nobody takes them out of: EOF', async () => {
      const [a, b] = bench.strings();
      const q = bench.carrier();
      await b.send('sent before');
      await q.put(b);
      expect(await stateOf(a.waitReadable({ timeoutMs: 5 }))).toBe(true);
      expect(await a.recv()).toBe('sent before');
      const waiting = a.recv();
      q.close();
      await expect(waiting).rejects.toEqual(coded('ERR_EOF'));
    });

    it('are lost with the connection that nobody takes them out of, also half-way', async () => {
      const [a, b] = bench.strings();
      const [c, d] = bench.values();
      await c.send({ b });
      c.close();
      expect(await stateOf(a.recv({ timeoutMs: 5 }))).toEqual(coded('ERR_TIMEOUT'));
      const waiting = a.recv();
      d.close();
      await expect(waiting).rejects.toEqual(coded('ERR_EOF'));
    });

    it('are lost with a message that cannot be decoded, or is received as bytes', async () => {
      for (const how of ['bytes', 'into', 'too short', 'undecodable'] as const) {
        const [a, b] = bench.strings();
        const [c, d] = bench.values();
        const gone = bench.Queue.create(bench.name());
        await c.send(how === 'undecodable' ? [gone, b] : [b]);
        gone.unlink();
        gone.close();
        const waiting = a.recv();
        if (how === 'bytes') await d.recvBytes();
        else if (how === 'into') d.tryRecvBytesInto(new Uint8Array(1000));
        else if (how === 'too short') await d.recvBytesInto(new Uint8Array(1)).catch(() => {});
        else await expect(d.recv()).rejects.toEqual(coded('ERR_DECODE'));
        await expect(waiting).rejects.toEqual(coded('ERR_EOF'));
        expect(d.tryRecv()).toBeUndefined();
      }
    });

    it.skipIf(!subject.backend.capabilities.redelivery)(
      'are handed over once: a message that is delivered again has lost ends',
      async () => {
        const [a, b] = bench.strings();
        const q = bench.carrier();
        await q.put(b);
        const first = await q.receive();
        const c = bench.keep(first.value as Connection<string>);
        first.nack();
        const second = await q.receive();
        const lost = bench.keep(second.value as Connection<string>);
        await expect(lost.recv()).rejects.toEqual(coded('ERR_EOF'));
        await expect(lost.send('x')).rejects.toEqual(coded('ERR_PEER_DEAD'));
        second.ack();
        await expectUsable(a, c);
      },
    );

    it.skipIf(!subject.backend.capabilities.blocking)('are received by others', async () => {
      const [a, b] = bench.values();
      const acting = bench.whileBlocked(b, [{ act: 'send', value: 'from its new owner' }]);
      expect(a.recvSync()).toBe('from its new owner');
      await acting;
      expect(b.closed).toBe(true);
    });
  });
}
