import { once } from 'node:events';
import { Duplex, Readable, Transform } from 'node:stream';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import type { Connection } from '../../src/primitives/connection.js';
import { thrownBy } from '../unit/thrown-by.js';
import { fill, pattern, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';
import { coded, rows } from './subject.js';

const TEXTS = Array.from({ length: 200 }, (_, i) => String(i));

function closed(stream: Readable | Writable): Promise<unknown> {
  return stream.closed ? Promise.resolve() : once(stream, 'close').catch(() => {});
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

async function sendAll(connection: Connection<string>, texts: readonly string[]): Promise<void> {
  await connection.sendMany(texts);
  connection.close();
}

export function nodeStreams(subject: PipeSubject): void {
  describe('a readable of a connection', () => {
    const bench = pipeBenchFor(subject);

    it('hands out every message in order and ends with the other end', async () => {
      const [a, b] = bench.strings();
      await sendAll(a, TEXTS);
      const readable = b.toReadable();
      expect(readable).toBeInstanceOf(Readable);
      expect(readable.readableObjectMode).toBe(true);
      expect(await readable.toArray()).toEqual(TEXTS);
      expect(b.closed).toBe(false);
    });

    it('takes nothing before it is read, and one for each read', async () => {
      const [a, b] = bench.strings();
      await a.sendMany(['a', 'b', 'c']);
      const readable = b.toReadable();
      await turn();
      expect(b.stats().received).toBe(0);
      expect(readable.read()).toBe('a');
      await turn();
      readable.destroy();
      expect(b.stats().received).toBe(1);
      expect(await b.recvMany()).toEqual(['b', 'c']);
    });

    it('gives back what it took and did not hand out, to be received next', async () => {
      const [a, b] = bench.strings();
      const readable = b.toReadable();
      expect(readable.read()).toBe(null);
      await a.sendMany(['a', 'b']);
      await once(readable, 'readable');
      expect(readable.readableLength).toBe(1);
      const recv = b.recv();
      expect(await recv).toBe('b');
      readable.destroy();
      await closed(readable);
      expect(b.readable).toBe(true);
      expect(await b.recv()).toBe('a');
      expect(b.readable).toBe(false);
    });

    it('gives it back to who waits for it', async () => {
      const [a, b] = bench.strings();
      const readable = b.toReadable();
      readable.read();
      await a.send('a');
      await once(readable, 'readable');
      const recv = b.recv();
      readable.destroy();
      expect(await recv).toBe('a');
    });

    it('keeps a connection whose message it holds from moving', async () => {
      const [a, b] = bench.strings();
      const queue = bench.carrier();
      const readable = b.toReadable();
      expect(thrownBy(() => (readable.read(), queue.tryPut(b)))).toEqual(coded('ERR_ENCODE'));
      await a.send('a');
      await once(readable, 'readable');
      expect(thrownBy(() => queue.tryPut(b))).toEqual(coded('ERR_ENCODE'));
      expect(readable.read()).toBe('a');
      readable.destroy();
      expect(queue.tryPut(b)).toBe(true);
    });

    it('loses nothing by a break', async () => {
      const [a, b] = bench.strings();
      await a.sendMany(['a', 'b', 'c', 'd']);
      for await (const value of b.toReadable()) if (value === 'b') break;
      expect(await b.recvMany()).toEqual(['c', 'd']);
    });

    it('is destroyed at a null, which recv gets', async () => {
      const [a, b] = bench.values();
      await a.sendMany([1, null, 2]);
      const values: unknown[] = [];
      const reading = (async () => {
        for await (const value of b.toReadable()) values.push(value);
      })();
      await expect(reading).rejects.toEqual(coded('ERR_UNSUPPORTED'));
      expect([values, await b.recv(), await b.recv()]).toEqual([[1], null, 2]);
    });

    it('gives back messages with handles in them', async () => {
      const [a, b] = bench.values();
      const readable = b.toReadable();
      const queue = bench.carrier();
      readable.read();
      await a.send(queue);
      await once(readable, 'readable');
      readable.destroy();
      const copy = bench.keep((await b.recv()) as typeof queue);
      copy.putNowait('x');
      expect(await queue.get()).toBe('x');
    });

    it('is destroyed with what the connection rejects with', async () => {
      const [, b] = bench.strings();
      const reading = b.toReadable().toArray();
      await turn();
      b.close();
      await expect(reading).rejects.toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => b.toReadable())).toEqual(coded('ERR_CLOSED'));
    });

    it('can be aborted', async () => {
      const [, b] = bench.strings();
      const aborting = new AbortController();
      const reading = b.toReadable({ signal: aborting.signal }).toArray();
      await turn();
      aborting.abort();
      await expect(reading).rejects.toEqual(coded('ABORT_ERR'));
    });

    it.each(rows<unknown>([5, null, { highWaterMark: 1 }, { objectMode: 1 }, { signal: 1 }]))(
      'refuses the options %s',
      (_, options) => {
        const [, b] = bench.strings();
        const call = () => b.toReadable(options as never);
        expect(thrownBy(call)).toEqual(coded('ERR_INVALID_ARG'));
      },
    );
  });

  describe('a writable of a connection', () => {
    const bench = pipeBenchFor(subject);

    it('sends every chunk in order, as there is room, and leaves the connection open', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const many = Array.from({ length: 2000 }, (_, i) => `text ${i}`);
      const writing = pipeline(many, a.toWritable());
      const received: string[] = [];
      for await (const text of b) if (received.push(text) === many.length) break;
      await writing;
      expect(received).toEqual(many);
      expect(a.closed).toBe(false);
    });

    it('closes the connection at its end, if told to', async () => {
      const [a, b] = bench.strings();
      await pipeline(['x', 'y'], a.toWritable({ end: true }));
      expect(await b.toReadable().toArray()).toEqual(['x', 'y']);
      expect(a.closed).toBe(true);
    });

    it('sends what is larger than the connection holds at once', async () => {
      const [a, b] = bench.raw({ capacityBytes: 4096 });
      const writing = pipeline([pattern(20_000), pattern(3), pattern(9000)], a.toWritable());
      for (const length of [20_000, 3, 9000]) expect(await b.recv()).toEqual(pattern(length));
      await writing;
    });

    it('calls back with an error if, and only if, the chunk was not sent', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const filled = fill(a);
      const writable = a.toWritable();
      const results: unknown[] = [];
      for (const text of ['x', 'y', 'z']) writable.write(text, (error) => results.push(error));
      await turn();
      expect(results).toEqual([]);
      writable.destroy();
      await closed(writable);
      expect(results).toEqual([expect.any(Error), expect.any(Error), expect.any(Error)]);
      expect(await b.recvMany({ max: 2 * filled })).toHaveLength(filled);
    });

    it('is destroyed when the other end is gone', async () => {
      const [a, b] = bench.strings();
      const writable = a.toWritable();
      b.close();
      writable.write('x');
      const [error] = (await once(writable, 'error')) as [unknown];
      expect(error).toEqual(coded('ERR_PEER_DEAD'));
    });

    it.each(rows<unknown>([5, { end: 1 }, { highWaterMark: -1 }, { flush: true }]))(
      'refuses the options %s',
      (_, options) => {
        const [a] = bench.strings();
        const call = () => a.toWritable(options as never);
        expect(thrownBy(call)).toEqual(coded('ERR_INVALID_ARG'));
      },
    );
  });

  describe('a duplex of a connection', () => {
    const bench = pipeBenchFor(subject);

    it('reads and writes, and closes the connection when both are over', async () => {
      const [a, b] = bench.strings();
      const duplex = a.toDuplex();
      expect(duplex).toBeInstanceOf(Duplex);
      duplex.write('to b');
      expect(await b.recv()).toBe('to b');
      await b.send('to a');
      const reading = duplex.toArray();
      duplex.end('last');
      expect(await b.recv()).toBe('last');
      await b.send('answer');
      expect(a.closed).toBe(false);
      b.close();
      expect(await reading).toEqual(['to a', 'answer']);
      await closed(duplex);
      expect(a.closed).toBe(true);
    });

    it('serves as a transform between two processes', async () => {
      const [a, b] = bench.strings();
      const service = b.toDuplex();
      const upper = new Transform({
        objectMode: true,
        transform: (text: string, _, done) => done(null, text.toUpperCase()),
      });
      const serving = pipeline(service, upper, service);
      const client = a.toDuplex();
      client.write('x');
      client.write('y');
      const received: string[] = [];
      for await (const text of client) if (received.push(text) === 2) break;
      expect(received).toEqual(['X', 'Y']);
      await serving;
      expect([a.closed, b.closed]).toEqual([true, true]);
    });

    it('keeps to the pace of the slower one, both ways', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const many = Array.from({ length: 3000 }, (_, i) => `text ${i}`);
      const near = a.toDuplex();
      const far = b.toDuplex();
      for (const duplex of [near, far]) {
        void (async () => {
          for (const text of many) if (!duplex.write(text)) await once(duplex, 'drain');
        })();
      }
      const read = async (duplex: AsyncIterable<string>) => {
        const received: string[] = [];
        for await (const text of duplex) if (received.push(text) === many.length) break;
        return received;
      };
      const iterators = [near, far].map((duplex) =>
        read(duplex.iterator({ destroyOnReturn: false }) as AsyncIterable<string>),
      );
      expect(await Promise.all(iterators)).toEqual([many, many]);
      near.destroy();
      far.destroy();
    });

    it('sends all that was written before its end, and then closes, if told to', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const duplex = a.toDuplex({ end: true });
      const many = Array.from({ length: 1000 }, (_, i) => `text ${i}`);
      for (const text of many) duplex.write(text);
      duplex.end();
      const ended = once(duplex.resume(), 'end');
      expect(await b.toReadable().toArray()).toEqual(many);
      await ended;
      await closed(duplex);
      expect(a.closed).toBe(true);
    });

    it('hands out what it has when its end closes the connection', async () => {
      const [a, b] = bench.strings();
      const duplex = a.toDuplex({ end: true });
      duplex.read();
      await b.send('had already');
      await once(duplex, 'readable');
      duplex.end('x');
      await once(duplex, 'finish');
      expect(a.closed).toBe(true);
      expect(duplex.read()).toBe('had already');
      await once(duplex, 'end');
      expect(await b.recv()).toBe('x');
    });

    it('ends with the other end, its writable half too', async () => {
      const [a, b] = bench.strings();
      const duplex = a.toDuplex();
      b.close();
      await once(duplex.resume(), 'end');
      await closed(duplex);
      expect(duplex.writableFinished).toBe(true);
      expect(a.closed).toBe(true);
    });

    it('fails with what could not be written when the other end is gone', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      fill(a);
      const duplex = a.toDuplex();
      const written: unknown[] = [];
      duplex.write('x', (error) => written.push(error));
      await turn();
      const failed = once(duplex, 'error');
      b.close();
      expect(await failed).toEqual([coded('ERR_PEER_DEAD')]);
      expect(written).toEqual([coded('ERR_PEER_DEAD')]);
      await closed(duplex);
      expect(a.closed).toBe(true);
    });

    it('closes the connection when it is destroyed, or aborted; what was sent arrives', async () => {
      const [a, b] = bench.strings();
      const aborting = new AbortController();
      const duplex = a.toDuplex({ signal: aborting.signal });
      duplex.write('sent');
      await turn();
      const failed = once(duplex, 'error');
      aborting.abort();
      expect(await failed).toEqual([coded('ABORT_ERR')]);
      expect(a.closed).toBe(true);
      expect(await b.toReadable().toArray()).toEqual(['sent']);
    });

    it('is refused on one-way pipes', () => {
      for (const end of bench.strings({ duplex: false })) {
        expect(thrownBy(() => end.toDuplex())).toEqual(coded('ERR_DIRECTION'));
      }
    });

    it('leaves requests to their handler', async () => {
      const [a, b] = bench.strings();
      b.onRequest((text) => `${text}!`);
      const duplex = a.toDuplex();
      duplex.write('a message');
      expect(await a.request('a request')).toBe('a request!');
      expect(await b.recv()).toBe('a message');
      await b.send('back');
      expect(await duplex.iterator().next()).toEqual({ value: 'back', done: false });
    });
  });

  describe('a stream of bytes of a connection', () => {
    const bench = pipeBenchFor(subject);

    it('knows no messages, and needs the codec raw', async () => {
      const [a, b] = bench.raw();
      const readable = b.toReadable({ objectMode: false });
      expect(readable.readableObjectMode).toBe(false);
      const writable = a.toWritable({ objectMode: false, end: true });
      writable.write('hello, ');
      writable.write(Buffer.from('world'));
      writable.write(new Uint8Array());
      writable.end('!');
      readable.setEncoding('utf8');
      let text = '';
      for await (const part of readable as AsyncIterable<unknown>) text += String(part);
      expect(text).toBe('hello, world!');
      const [c] = bench.strings();
      for (const call of ['toReadable', 'toWritable', 'toDuplex'] as const) {
        expect(thrownBy(() => c[call]({ objectMode: false }))).toEqual(coded('ERR_UNSUPPORTED'));
      }
    });

    it('goes on after a message of no bytes', async () => {
      const [a, b] = bench.raw();
      const readable = b.toReadable({ objectMode: false });
      const came = once(readable, 'readable');
      await turn();
      await a.send(new Uint8Array());
      while (b.stats().received === 0) await turn();
      await a.send(pattern(1));
      await came;
      expect(readable.read()).toEqual(Buffer.from([0]));
      readable.destroy();
    });

    it('splits and joins as it is read', async () => {
      const [a, b] = bench.raw();
      const duplex = b.toDuplex({ objectMode: false });
      await a.sendMany([pattern(10), new Uint8Array(), pattern(5)]);
      a.close();
      await once(duplex, 'readable');
      expect(duplex.read(4)).toEqual(Buffer.from([0, 1, 2, 3]));
      const rest: Buffer[] = [];
      for await (const part of duplex) rest.push(part as never);
      expect(Buffer.concat(rest)).toEqual(Buffer.from([4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4]));
    });

    it('calls back with an error if, and only if, the chunk was not sent', async () => {
      const [a, b] = bench.raw({ capacityBytes: 4096 });
      const writable = a.toWritable({ objectMode: false });
      const results: boolean[] = [];
      for (let i = 0; i < 100; i++) {
        writable.write(new Uint8Array(200), (error) => results.push(error == null));
      }
      await turn();
      // Room for some of those that wait together.
      let sent = (await b.recvMany({ max: 10 })).length;
      await until(() => a.stats().sent > 20);
      writable.destroy();
      await closed(writable);
      a.close();
      sent += (await b.toReadable().toArray()).length;
      expect(results).toHaveLength(100);
      expect(results).toEqual(results.map((_, i) => i < sent));
    });
  });
}
