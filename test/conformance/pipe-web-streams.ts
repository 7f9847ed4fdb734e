import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { fill, pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';
import { coded, rows, stateOf } from './subject.js';

async function all<T>(stream: ReadableStream<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

export function webStreams(subject: PipeSubject): void {
  describe('web streams of a connection', () => {
    const bench = pipeBenchFor(subject);

    it('read every message, null included, until the other end is gone', async () => {
      const [a, b] = bench.values();
      await a.sendMany([1, null, undefined, 'x']);
      a.close();
      expect(await all(b.toReadableStream())).toEqual([1, null, undefined, 'x']);
      expect(b.closed).toBe(false);
    });

    it('lose nothing when they are cancelled', async () => {
      const [a, b] = bench.values();
      const reader = b.toReadableStream().getReader();
      const read = reader.read();
      await a.sendMany([1, 2]);
      expect(await read).toEqual({ value: 1, done: false });
      const pending = reader.read();
      expect(await pending).toEqual({ value: 2, done: false });
      const last = reader.read();
      await reader.cancel();
      expect(await last).toEqual({ value: undefined, done: true });
      await a.send(3);
      expect(await b.recv()).toBe(3);
    });

    it('write, and close the connection if told to', async () => {
      const [a, b] = bench.strings();
      const writer = a.toWritableStream().getWriter();
      await writer.write('x');
      await writer.close();
      expect(a.closed).toBe(false);
      const last = a.toWritableStream({ end: true }).getWriter();
      await last.write('y');
      await last.close();
      expect(a.closed).toBe(true);
      expect(await all(b.toReadableStream())).toEqual(['x', 'y']);
    });

    it('wait for room, and withdraw what is aborted', async () => {
      const [a, b] = bench.strings({ capacityBytes: 4096 });
      const filled = fill(a);
      const writer = a.toWritableStream().getWriter();
      const write = writer.write('never').catch((error: unknown) => error);
      expect(await stateOf(write)).toBe('pending');
      await writer.abort(new Error('enough'));
      expect(await write).toBeInstanceOf(Error);
      expect(await b.recvMany({ max: 2 * filled })).toHaveLength(filled);
    });

    it('fail with what the connection rejects with', async () => {
      const [a, b] = bench.strings();
      const reading = b.toReadableStream().getReader().read();
      const writer = a.toWritableStream().getWriter();
      b.close();
      await expect(reading).rejects.toEqual(coded('ERR_CLOSED'));
      writer.closed.catch(() => {});
      await expect(writer.write('x')).rejects.toEqual(coded('ERR_PEER_DEAD'));
    });

    it('come as a pair that closes the connection when both are over', async () => {
      const [a, b] = bench.strings();
      const { readable, writable } = a.toWebStreams({ highWaterMark: 3 });
      const writer = writable.getWriter();
      expect(writer.desiredSize).toBe(3);
      await writer.write('to b');
      expect(await b.recv()).toBe('to b');
      await writer.close();
      expect(a.closed).toBe(false);
      await b.send('to a');
      const reader = readable.getReader();
      expect(await reader.read()).toEqual({ value: 'to a', done: false });
      await reader.cancel();
      expect(a.closed).toBe(true);
    });

    it('pipe through the other end', async () => {
      const [a, b] = bench.strings();
      const serving = (async () => {
        for (let i = 0; i < 3; i++) await b.send(`${await b.recv()}!`);
        b.close();
      })();
      const source = new ReadableStream<string>({
        start(controller) {
          for (const text of ['x', 'y', 'z']) controller.enqueue(text);
          controller.close();
        },
      });
      expect(await all(source.pipeThrough(a.toWebStreams()))).toEqual(['x!', 'y!', 'z!']);
      await serving;
      expect(a.closed).toBe(true);
    });

    it('close the connection when both have failed, or were aborted', async () => {
      const [a, b] = bench.strings();
      const aborting = new AbortController();
      const { readable, writable } = a.toWebStreams({ signal: aborting.signal });
      const reading = readable.getReader().read();
      const { closed } = writable.getWriter();
      await turn();
      const reason = new Error('enough');
      aborting.abort(reason);
      await expect(reading).rejects.toBe(reason);
      await expect(closed).rejects.toBe(reason);
      expect(a.closed).toBe(true);
      await expect(b.recv()).rejects.toEqual(coded('ERR_EOF'));
    });

    it.each(rows<unknown>([5, null, { end: true }, { highWaterMark: -1 }, { signal: 1 }]))(
      'refuse the options %s',
      (_, options) => {
        const [a] = bench.strings();
        const call = () => a.toWebStreams(options as never);
        expect(thrownBy(call)).toEqual(coded('ERR_INVALID_ARG'));
      },
    );
  });
}
