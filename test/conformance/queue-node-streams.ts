import { getEventListeners, once } from 'node:events';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import type { CustomCodec } from '../../src/codec/codec.js';
import type { Queue } from '../../src/primitives/queue.js';
import { thrownBy } from '../unit/thrown-by.js';
import { seededRandom } from './seeded-random.js';
import { benchFor, coded, rows, stateOf } from './subject.js';
import type { Subject } from './subject.js';

const NUMBERS = Array.from({ length: 200 }, (_, i) => String(i));

function sorted(values: readonly string[]): string[] {
  return values.toSorted((a, b) => Number(a) - Number(b));
}

function closed(stream: Readable | Writable): Promise<unknown> {
  return stream.closed ? Promise.resolve() : once(stream, 'close').catch(() => {});
}

export function nodeStreams(subject: Subject): void {
  describe.skipIf(!subject.backend.capabilities.redelivery)('a readable', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('hands out every message in order and ends with the queue', async () => {
      const q = bench.strings();
      await q.putMany(NUMBERS);
      q.end();
      expect(await q.toReadable().toArray()).toEqual(NUMBERS);
      expect(await q.toReadable().toArray()).toEqual([]);
      expect(q.stats().unacknowledged).toBe(0);
    });

    it('is in object mode and has no buffer of its own', () => {
      const readable = bench.strings().toReadable();
      expect(readable).toBeInstanceOf(Readable);
      expect(readable.readableObjectMode).toBe(true);
      expect(readable.readableHighWaterMark).toBe(0);
      readable.destroy();
    });

    it('waits for what is not there yet', async () => {
      const q = bench.strings();
      const reading = q.toReadable().toArray();
      await q.put('a');
      expect(await stateOf(reading)).toBe('pending');
      await q.put('b');
      q.end();
      expect(await reading).toEqual(['a', 'b']);
    });

    it('takes nothing before it is read, and one for each read', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b', 'c']);
      const readable = q.toReadable();
      await turn();
      expect(q.size).toBe(3);
      expect(readable.read()).toBe('a');
      await turn();
      expect(q.size).toBe(2);
      expect(readable.read()).toBe('b');
      expect(q.stats().unacknowledged).toBe(0);
      readable.destroy();
      expect(q.tryGetMany()).toEqual(['c']);
    });

    it('loses nothing by a break', async () => {
      const q = bench.strings();
      await q.putMany(['a', 'b', 'c', 'd']);
      for await (const value of q.toReadable()) {
        if (value === 'b') break;
      }
      expect(q.stats().unacknowledged).toBe(0);
      expect(q.tryGetMany()).toEqual(['c', 'd']);
    });

    it('gives back what it took and did not hand out', async () => {
      const q = bench.strings();
      const readable = q.toReadable();
      expect(readable.read()).toBe(null);
      await q.putMany(['a', 'b']);
      await once(readable, 'readable');
      expect(readable.readableLength).toBe(1);
      expect(q.size).toBe(1);
      readable.destroy();
      expect(readable.read()).toBe(null);
      expect(q.size).toBe(2);
      const first = await q.receive();
      expect([first.value, first.redelivered]).toEqual(['a', true]);
      first.ack();
      expect(q.tryGetMany()).toEqual(['b']);
    });

    it('takes nothing any more once it is paused', async () => {
      const q = bench.strings();
      const readable = q.toReadable();
      const values: string[] = [];
      readable.on('data', (value: string) => {
        values.push(value);
        if (value === '9') readable.pause();
      });
      await q.putMany(NUMBERS.slice(0, 20));
      while (values.length < 10) await turn();
      await turn();
      expect(values).toEqual(NUMBERS.slice(0, 10));
      expect(q.size).toBe(10);
      readable.resume();
      q.end();
      await once(readable, 'end');
      expect(values).toEqual(NUMBERS.slice(0, 20));
    });

    it('withdraws the get that is pending when it is destroyed', async () => {
      const q = bench.strings();
      const readable = q.toReadable();
      readable.read();
      const later = q.get();
      readable.destroy();
      await closed(readable);
      await q.put('a');
      expect(await later).toBe('a');
      await q.put('b');
      expect(q.getNowait()).toBe('b');
    });

    it('hands the message to nobody else when destroyed while it hands it out', async () => {
      const q = bench.strings();
      const readable = q.toReadable();
      await q.putMany(['a', 'b']);
      const values: string[] = [];
      readable.on('data', (value: string) => {
        values.push(value);
        readable.destroy();
      });
      await closed(readable);
      expect(values).toEqual(['a']);
      expect(q.tryGetMany()).toEqual(['b']);
    });

    it('knows what its reader put back from what it took itself', async () => {
      const q = bench.strings();
      const readable = q.toReadable();
      await q.putMany(['a', 'b']);
      expect(readable.read()).toBe('a');
      expect(readable.read()).toBe('b');
      expect(readable.read()).toBe(null);
      await q.put('c');
      await once(readable, 'readable');
      readable.unshift('b');
      expect(readable.read()).toBe('b');
      expect(q.stats().unacknowledged).toBe(1);
      readable.destroy();
      expect(q.tryGetMany()).toEqual(['c']);
    });

    it('leaves the queue and its handle open', async () => {
      const q = bench.strings();
      const readable = q.toReadable();
      readable.destroy();
      await closed(readable);
      await q.put('a');
      expect(await q.get()).toBe('a');
      q.end();
      await q.toReadable().resume().toArray();
      expect(q.isEmpty).toBe(true);
    });

    it('shares the messages with other readables and gets, each going to one', async () => {
      const q = bench.strings();
      const other = bench.keep(Queue.open<string>(q.name));
      const readables = [q.toReadable(), q.toReadable(), other.toReadable()];
      const all = readables.map((readable) => readable.toArray() as Promise<string[]>);
      const got = q.get();
      await q.putMany(NUMBERS);
      q.end();
      const values = (await Promise.all(all)).flat();
      expect(sorted([...values, await got])).toEqual(NUMBERS);
    });

    it('is destroyed with what the queue rejects with', async () => {
      const q = bench.strings();
      const readable = q.toReadable();
      const reading = readable.toArray();
      await turn();
      q.close();
      await expect(reading).rejects.toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => q.toReadable())).toEqual(coded('ERR_CLOSED'));
    });

    it('does not hand out what the closing of the handle gave back', async () => {
      const q = bench.strings();
      const other = bench.keep(Queue.open<string>(q.name));
      const readable = q.toReadable();
      const failed = once(readable, 'error');
      readable.read();
      await q.put('a');
      while (readable.readableLength === 0) await turn();
      q.close();
      expect(readable.read()).toBe(null);
      expect(await failed).toEqual([coded('ERR_CLOSED')]);
      expect(await other.get()).toBe('a');
    });

    it('does not take what arrives while the handle is closed', async () => {
      const q = bench.strings();
      const other = bench.keep(Queue.open<string>(q.name));
      const readable = q.toReadable();
      const failed = once(readable, 'error');
      readable.read();
      const before = q.stats().gets;
      other.putNowait('a');
      // Taken by the wait, and not with the stream yet, which learns of it by a promise.
      const served = q.get({ timeoutMs: 0 }).catch(() => {});
      expect(q.stats().gets).toBe(before + 1);
      q.close();
      await served;
      expect(await failed).toEqual([coded('ERR_CLOSED')]);
      expect(await other.get()).toBe('a');
    });

    it('gives back what arrives while it is destroyed', async () => {
      const q = bench.strings();
      const readable = q.toReadable();
      readable.read();
      const before = q.stats().gets;
      q.putNowait('a');
      const served = q.get({ timeoutMs: 0 }).catch(() => {});
      expect(q.stats().gets).toBe(before + 1);
      readable.destroy();
      await served;
      expect(await q.get()).toBe('a');
    });

    it('gives back what cannot be decoded', async () => {
      const codec: CustomCodec<string> = {
        encode: (text) => Buffer.from(text),
        decode(bytes) {
          if (bytes.length === 0) throw new Error('nothing there');
          return Buffer.from(bytes).toString();
        },
      };
      const q = bench.keep(Queue.create(bench.name(), { codec }));
      await q.putMany(['a', '', 'b']);
      const values: string[] = [];
      const reading = (async () => {
        for await (const value of q.toReadable()) values.push(value);
      })();
      await expect(reading).rejects.toEqual(coded('ERR_DECODE'));
      expect(values).toEqual(['a']);
      expect(q.size).toBe(2);
    });

    it('refuses a null, which it cannot carry, and gives it back', async () => {
      const q = bench.keep(Queue.create<unknown>(bench.name()));
      await q.putMany([1, null, 2]);
      const values: unknown[] = [];
      const reading = (async () => {
        for await (const value of q.toReadable()) values.push(value);
      })();
      await expect(reading).rejects.toMatchObject({
        code: 'ERR_UNSUPPORTED',
        message: expect.stringContaining('null'),
      });
      expect(values).toEqual([1]);
      expect(q.tryGetMany()).toEqual([null, 2]);
    });

    it('carries undefined and other values that are false', async () => {
      const q = bench.keep(Queue.create<unknown>(bench.name()));
      const values = [undefined, 0, '', false, Number.NaN, undefined];
      await q.putMany(values);
      q.end();
      expect(await q.toReadable().toArray()).toEqual(values);
      const again = bench.keep(Queue.create<unknown>(bench.name()));
      await again.putMany(values);
      again.end();
      const seen: unknown[] = [];
      const readable = again.toReadable().on('data', (value) => seen.push(value));
      await once(readable, 'end');
      expect(seen).toEqual(values);
    });

    it('is destroyed by its signal, with the reason as the cause', async () => {
      const q = bench.strings();
      const controller = new AbortController();
      const reading = q.toReadable({ signal: controller.signal }).toArray();
      await turn();
      const reason = new Error('enough');
      controller.abort(reason);
      await expect(reading).rejects.toMatchObject({ code: 'ABORT_ERR', cause: reason });
      const late = q.toReadable({ signal: AbortSignal.abort(reason) });
      expect(late.destroyed).toBe(true);
      await expect(once(late, 'close')).rejects.toMatchObject({ code: 'ABORT_ERR', cause: reason });
      await q.put('a');
      expect(q.tryGetMany()).toEqual(['a']);
    });

    it('goes through a pipeline that fails without losing a message', async () => {
      const q = bench.strings();
      await q.putMany(NUMBERS);
      q.end();
      const seen: string[] = [];
      const stops = new Writable({
        objectMode: true,
        highWaterMark: 1,
        write(value: string, _, callback) {
          seen.push(value);
          setImmediate(callback, value === '20' ? new Error('full') : null);
        },
      });
      await expect(pipeline(q.toReadable(), stops)).rejects.toThrow('full');
      // What it was handed is its own; what it was not is in the queue.
      const left = q.tryGetMany();
      expect(seen).toEqual(NUMBERS.slice(0, 21));
      expect(left.length).toBeGreaterThan(NUMBERS.length - 21 - 3);
      expect(left).toEqual(NUMBERS.slice(NUMBERS.length - left.length));
      expect(q.stats().unacknowledged).toBe(0);
    });

    it('accounts for every message when it is destroyed at random moments', async () => {
      const random = seededRandom('readables destroyed at random');
      for (let round = 0; round < 60; round++) {
        const q = bench.strings();
        const values: string[] = [];
        const putting = (async () => {
          for (const value of NUMBERS) {
            await q.put(value);
            if (random() < 0.2) await turn();
          }
          q.end();
        })();
        const ways = Math.floor(random() * 4);
        while (q.size > 0 || q.stats().puts < NUMBERS.length) {
          const readable = q.toReadable();
          const destroy = () =>
            readable.destroy(random() < 0.5 ? new Error('destroyed') : undefined);
          readable.on('error', () => {});
          if (ways === 0) readable.on('data', (value: string) => values.push(value));
          else if (ways === 1) {
            readable.on('readable', () => {
              for (let left = Math.floor(random() * 4); left > 0; left--) {
                const value = readable.read();
                if (value === null) break;
                values.push(value);
              }
            });
          } else if (ways === 2) {
            readable.on('data', (value: string) => {
              values.push(value);
              if (random() < 0.3) readable.pause();
              if (random() < 0.3) setImmediate(() => readable.resume());
              if (random() < 0.1) destroy();
            });
          } else {
            (async () => {
              for await (const value of readable) {
                values.push(value);
                if (random() < 0.1) break;
              }
            })().catch(() => {});
          }
          const turns = Math.floor(random() * 6);
          for (let i = 0; i < turns; i++) await (random() < 0.5 ? turn() : Promise.resolve());
          if (random() < 0.5) process.nextTick(destroy);
          else destroy();
          await closed(readable);
        }
        await putting;
        expect(sorted(values)).toEqual(NUMBERS);
        expect(q.stats().unacknowledged).toBe(0);
        q.close();
      }
    });

    it('gives the event loop its turns while messages are there', async () => {
      const q = bench.strings({ capacityBytes: 1 << 20 });
      await q.putMany(Array.from({ length: 5000 }, String));
      q.end();
      let turns = 0;
      const count = () => {
        turns++;
        ticking = setImmediate(count);
      };
      let ticking = setImmediate(count);
      let seen = 0;
      for await (const _ of q.toReadable()) seen++;
      clearImmediate(ticking);
      expect(seen).toBe(5000);
      expect(turns).toBeGreaterThanOrEqual(4);
    });

    it.each(rows([null, 3, 'text', { signal: 'stop' }, { highWaterMark: 3 }, { end: true }]))(
      'refuses the options %s',
      (_, options) => {
        const q = bench.strings();
        const bad = options as object;
        expect(thrownBy(() => q.toReadable(bad))).toEqual(coded('ERR_INVALID_ARG'));
        expect(thrownBy(() => q.toReadableStream(bad))).toEqual(coded('ERR_INVALID_ARG'));
      },
    );
  });

  describe.skipIf(subject.backend.capabilities.redelivery)(
    'where nothing can be given back',
    () => {
      const bench = benchFor(subject);

      it('streams to read are refused', () => {
        const q = bench.strings();
        for (const call of [() => q.toReadable(), () => q.toReadableStream()]) {
          expect(thrownBy(call)).toEqual(coded('ERR_UNSUPPORTED'));
          expect(String(thrownBy(call))).toContain("'redelivery'");
        }
      });
    },
  );

  describe('a writable', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    /** Reads slowly until the queue has ended. */
    async function drained(q: Queue<string>): Promise<string[]> {
      const values: string[] = [];
      for await (const value of q) {
        values.push(value);
        if (values.length % 3 === 0) await turn();
      }
      return values;
    }

    it('puts every chunk in order', async () => {
      const q = bench.small(5);
      const reading = drained(q);
      await pipeline(NUMBERS, q.toWritable({ end: true }));
      expect(await reading).toEqual(NUMBERS);
    });

    it('leaves the queue to others when it is ended, unless told otherwise', async () => {
      const q = bench.strings();
      await pipeline(['a'], q.toWritable());
      await q.put('b');
      await pipeline(['c'], q.toWritable({ end: false }));
      await pipeline(['d'], q.toWritable({ end: true }));
      await expect(q.put('e')).rejects.toEqual(coded('ERR_ENDED'));
      expect(await drained(q)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('does not end the queue when it is destroyed', async () => {
      const q = bench.strings();
      const fails = new Transform({
        objectMode: true,
        transform: (_value, _encoding, callback) => callback(new Error('no')),
      });
      await expect(pipeline(['a'], fails, q.toWritable({ end: true }))).rejects.toThrow('no');
      await q.put('b');
      expect(q.tryGetMany()).toEqual(['b']);
    });

    it('holds no more than its highWaterMark when the consumer is slow', async () => {
      const q = bench.small(4);
      let made = 0;
      const source = Readable.from(
        (function* () {
          for (const value of NUMBERS) {
            made++;
            yield value;
          }
        })(),
        { highWaterMark: 1 },
      );
      const writable = q.toWritable({ highWaterMark: 3, end: true });
      expect(writable.writableHighWaterMark).toBe(3);
      const piping = pipeline(source, writable);
      const values: string[] = [];
      for await (const value of q) {
        values.push(value);
        for (let i = 0; i < 3; i++) await turn();
        expect(writable.writableLength).toBeLessThanOrEqual(3);
        // The queue, the writable, and what the source holds out.
        expect(made - values.length).toBeLessThanOrEqual(4 + 3 + 3);
      }
      await piping;
      expect(values).toEqual(NUMBERS);
    });

    it('says when to wait, and when to go on', async () => {
      const q = bench.small(1);
      const writable = q.toWritable({ highWaterMark: 2 });
      expect(writable.write('a')).toBe(true);
      expect(writable.write('b')).toBe(true);
      expect(writable.write('c')).toBe(false);
      const drain = once(writable, 'drain');
      expect(await stateOf(drain)).toBe('pending');
      expect(await q.get()).toBe('a');
      expect(await q.get()).toBe('b');
      expect(await q.get()).toBe('c');
      await drain;
      writable.destroy();
    });

    it('keeps its place among the puts of the handle', async () => {
      const q = bench.small(1);
      const reader = bench.keep(Queue.open<string>(q.name));
      const writable = q.toWritable();
      const first = q.put('1');
      const second = q.put('2');
      writable.write('3');
      const third = q.put('4');
      writable.write('5');
      writable.write('6');
      const values: string[] = [];
      for (let i = 0; i < 6; i++) values.push(await reader.get());
      await Promise.all([first, second, third]);
      expect(values).toEqual(['1', '2', '3', '4', '5', '6']);
      writable.destroy();
    });

    it('does not overtake a put that is pending, alone or in a batch', async () => {
      const q = bench.strings({ capacityBytes: 4096 });
      const reader = bench.keep(Queue.open<string>(q.name));
      await q.put('x'.repeat(2500));
      const large = q.put('y'.repeat(2500));
      const alone = q.toWritable();
      alone.write('a');
      const batch = q.toWritable();
      batch.cork();
      batch.write('b');
      batch.write('c');
      batch.uncork();
      await turn();
      expect(q.size).toBe(1);
      await reader.get();
      await large;
      while (batch.writableLength > 0) await turn();
      expect(q.tryGetMany()).toEqual(['y'.repeat(2500), 'a', 'b', 'c']);
      alone.destroy();
      batch.destroy();
    });

    it('lets go of its signal when it is over', async () => {
      const q = bench.strings();
      const { signal } = new AbortController();
      await pipeline(['a'], q.toWritable({ signal }));
      const writable = q.toWritable({ signal });
      writable.destroy();
      await closed(writable);
      if (bench.capabilities.redelivery) {
        for await (const value of q.toReadable({ signal })) {
          expect(value).toBe('a');
          break;
        }
        q.end();
        await q.toReadable({ signal }).toArray();
      }
      await turn();
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('withdraws the put that is pending when it is destroyed, and says so', async () => {
      const q = bench.small(1);
      const writable = q.toWritable();
      const fates: [string, unknown][] = [];
      for (const value of ['a', 'b', 'c']) {
        writable.write(value, (error) => fates.push([value, (error as { code?: string })?.code]));
      }
      const later = q.put('d');
      await turn();
      writable.destroy();
      await closed(writable);
      expect(q.getNowait()).toBe('a');
      await later;
      expect(q.tryGetMany()).toEqual(['d']);
      expect(fates).toEqual([
        ['a', undefined],
        ['b', 'ABORT_ERR'],
        ['c', 'ABORT_ERR'],
      ]);
    });

    it('tells the write that was withdrawn why it was destroyed', async () => {
      const q = bench.small(1);
      await q.put('a');
      const writable = q.toWritable().on('error', () => {});
      const reason = new Error('enough');
      const fate = new Promise((resolve) => writable.write('b', resolve));
      writable.destroy(reason);
      expect(await fate).toBe(reason);
      expect(q.tryGetMany()).toEqual(['a']);
    });

    it('says of a batch which chunks went in', async () => {
      const q = bench.small(4);
      const writable = q.toWritable().on('error', () => {});
      const fates = new Map<string, unknown>();
      const write = (value: string) =>
        writable.write(value, 'utf8', (error) => fates.set(value, error ?? 'put'));
      writable.cork();
      for (const value of ['1', '2', '3', '4', '5', '6']) write(value);
      writable.uncork();
      write('7');
      await turn();
      expect(q.size).toBe(4);
      const reason = new Error('enough');
      writable.destroy(reason);
      await closed(writable);
      write('8');
      await turn();
      expect(q.tryGetMany()).toEqual(['1', '2', '3', '4']);
      expect([...fates]).toEqual([
        ...['1', '2', '3', '4'].map((value) => [value, 'put']),
        ...['5', '6', '7'].map((value) => [value, reason]),
        ['8', coded('ERR_STREAM_DESTROYED')],
      ]);
    });

    it('says in a failed batch how many chunks went in', async () => {
      const q = bench.small(4);
      const writable = q.toWritable();
      const failed = new Promise((resolve) => writable.on('error', resolve));
      writable.write('1');
      writable.cork();
      for (const value of ['2', '3', '4', '5', '6']) writable.write(value);
      writable.uncork();
      await turn();
      q.unlink();
      q.close();
      expect(await failed).toMatchObject({ code: 'ERR_CLOSED', accepted: 4 });
    });

    it('puts the chunks before one that cannot be encoded, together or one by one', async () => {
      for (const isCorked of [false, true]) {
        const q = bench.keep(Queue.create<unknown>(bench.name()));
        const writable = q.toWritable();
        const errors = new Promise((resolve) => writable.on('error', resolve));
        const fates: unknown[] = [];
        if (isCorked) writable.cork();
        for (const value of [1, 2, () => {}, 4])
          writable.write(value, (error) => fates.push(error));
        writable.uncork();
        expect(await errors).toMatchObject({ code: 'ERR_ENCODE', accepted: 2 });
        await closed(writable);
        expect(q.tryGetMany()).toEqual([1, 2]);
        expect(fates).toHaveLength(4);
        expect(fates.slice(0, 2).every((error) => error === null || error === undefined)).toBe(
          true,
        );
        expect(fates.slice(2)).toEqual([expect.any(Error), expect.any(Error)]);
      }
    });

    it('puts several that wait together in as few looks as there is room', async () => {
      const q = bench.strings();
      const writable = q.toWritable();
      writable.cork();
      for (const value of NUMBERS) writable.write(value);
      writable.uncork();
      expect(q.size).toBe(NUMBERS.length);
      expect(q.tryGetMany()).toEqual(NUMBERS);
      writable.destroy();
    });

    it('is destroyed with what put rejects with', async () => {
      const ended = bench.strings();
      ended.end();
      await expect(pipeline(['a'], ended.toWritable())).rejects.toEqual(coded('ERR_ENDED'));
      const large = bench.keep(Queue.create(bench.name(), { codec: 'string', maxMessageBytes: 4 }));
      await expect(pipeline(['a', 'too long'], large.toWritable())).rejects.toMatchObject({
        code: 'ERR_TOO_LARGE',
        accepted: 1,
      });
      expect(large.tryGetMany()).toEqual(['a']);
      const closing = bench.small(1);
      const writing = pipeline(['a', 'b'], closing.toWritable());
      await turn();
      closing.unlink();
      closing.close();
      await expect(writing).rejects.toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => closing.toWritable())).toEqual(coded('ERR_CLOSED'));
      expect(thrownBy(() => closing.toWritableStream())).toEqual(coded('ERR_CLOSED'));
    });

    it('says so when it was to end a queue whose handle is closed', async () => {
      const q = bench.strings();
      const writable = q.toWritable({ end: true });
      q.close();
      const failed = new Promise((resolve) => writable.on('error', resolve));
      writable.end();
      expect(await failed).toEqual(coded('ERR_CLOSED'));
    });

    it('is destroyed by its signal', async () => {
      const q = bench.small(1);
      const controller = new AbortController();
      const reason = new Error('enough');
      const writing = pipeline(['a', 'b', 'c'], q.toWritable({ signal: controller.signal }));
      await turn();
      controller.abort(reason);
      await expect(writing).rejects.toMatchObject({ code: 'ABORT_ERR', cause: reason });
      expect(q.tryGetMany()).toEqual(['a']);
      const late = q.toWritable({ signal: AbortSignal.abort(reason) }).on('error', () => {});
      expect(late.destroyed).toBe(true);
      await closed(late);
    });

    it('accounts for every chunk when it is destroyed at random moments', async () => {
      const random = seededRandom('writables destroyed at random');
      for (let round = 0; round < 60; round++) {
        const q = bench.small(1 + Math.floor(random() * 8));
        const reader = bench.keep(Queue.open<string>(q.name));
        const got: string[] = [];
        const reading = (async () => {
          for await (const value of reader) {
            got.push(value);
            if (random() < 0.3) await turn();
          }
        })();
        const put: string[] = [];
        let next = 0;
        while (next < NUMBERS.length) {
          const writable = q.toWritable({ highWaterMark: Math.floor(random() * 8) });
          writable.on('error', () => {});
          const fates: Promise<void>[] = [];
          for (let count = Math.floor(random() * 30); count > 0; count--) {
            const value = NUMBERS[next++];
            if (value === undefined) break;
            if (random() < 0.2) writable.cork();
            fates.push(
              new Promise((resolve) => {
                writable.write(value, (error) => {
                  if (!error) put.push(value);
                  resolve();
                });
              }),
            );
            if (random() < 0.2) while (writable.writableCorked > 0) writable.uncork();
            if (random() < 0.1) await turn();
          }
          if (random() < 0.3) await turn();
          writable.destroy(random() < 0.5 ? new Error('destroyed') : undefined);
          await closed(writable);
          await Promise.all(fates);
        }
        q.end();
        await reading;
        // Node may call back for a later chunk before it does for an earlier one.
        expect(got).toEqual(sorted(put));
        q.close();
      }
    });

    it('gives the event loop its turns while there is room', async () => {
      const q = bench.strings({ capacityBytes: 1 << 20 });
      let turns = 0;
      const count = () => {
        turns++;
        ticking = setImmediate(count);
      };
      let ticking = setImmediate(count);
      await pipeline(Array.from({ length: 5000 }, String), q.toWritable());
      clearImmediate(ticking);
      expect(turns).toBeGreaterThanOrEqual(4);
      expect(q.size).toBe(5000);
    });

    it('refuses a write of null and carries undefined', async () => {
      const q = bench.keep(Queue.create<unknown>(bench.name()));
      const writable = q.toWritable();
      expect(thrownBy(() => writable.write(null))).toEqual(coded('ERR_STREAM_NULL_VALUES'));
      writable.write(undefined);
      writable.write(1);
      expect(q.tryGetMany()).toEqual([undefined, 1]);
      writable.destroy();
    });

    it.each(
      rows([
        null,
        3,
        { signal: {} },
        { highWaterMark: -1 },
        { highWaterMark: 1.5 },
        { highWaterMark: '3' },
        { end: 1 },
        { close: true },
      ]),
    )('refuses the options %s', (_, options) => {
      const q = bench.strings();
      const bad = options as object;
      expect(thrownBy(() => q.toWritable(bad))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => q.toWritableStream(bad))).toEqual(coded('ERR_INVALID_ARG'));
    });
  });

  describe.skipIf(!subject.backend.capabilities.redelivery)(
    'a readable piped into a writable',
    () => {
      const bench = benchFor(subject);

      it('moves every message from queue to queue', async () => {
        const from = bench.small(3);
        const to = bench.small(2);
        const values: string[] = [];
        const reading = (async () => {
          for await (const value of to) values.push(value);
        })();
        const doubled = new Transform({
          objectMode: true,
          transform: (value: string, _encoding, callback) => callback(null, value.repeat(2)),
        });
        await Promise.all([
          pipeline(NUMBERS, from.toWritable({ end: true })),
          pipeline(
            from.toReadable(),
            doubled,
            new PassThrough({ objectMode: true }),
            to.toWritable({ end: true }),
          ),
          reading,
        ]);
        expect(values).toEqual(NUMBERS.map((value) => value.repeat(2)));
      });
    },
  );
}
