import { describe, expect, it } from 'vitest';

import type { Queue as AnyQueue } from '../../src/primitives/queue.js';
import { Struct } from '../../src/shapes/struct.js';
import { thrownBy } from '../unit/thrown-by.js';
import { benchFor, coded } from './subject.js';
import type { Subject } from './subject.js';

const Point = Struct({ x: 'float64', y: 'float64', id: 'uint32' });
const Frame = Struct({ name: ['char', 20], at: [Point, 2], pixels: ['uint8', 5000] });

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);

const point = (id: number) => ({ x: id / 2, y: -id, id });

/** A struct as the codec of a queue. */
export function structs(subject: Subject): void {
  describe('records of a struct', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;
    const points = (options = {}) =>
      bench.keep(Queue.create(bench.name(), { ...options, codec: Point }));

    it('come out as the objects that went in', async () => {
      const q = points();
      await q.put(point(1));
      q.putNowait(point(2));
      await q.putMany([point(3), point(4)]);
      expect(await q.get()).toEqual(point(1));
      expect(q.tryGet()).toEqual(point(2));
      expect(await q.getMany({ max: 5 })).toEqual([point(3), point(4)]);
    });

    it('go to who waits for them, and wait for room', async () => {
      const q = points({ maxItems: 1 });
      const got = q.get();
      q.putNowait(point(1));
      expect(await got).toEqual(point(1));
      q.putNowait(point(2));
      const late = { ...point(3) };
      const put = q.put(late);
      late.x = 100;
      expect(q.getNowait()).toEqual(point(2));
      await put;
      expect(q.getNowait()).toEqual(point(3));
    });

    it('have one size, larger than the ring too', async () => {
      const q = bench.keep(Queue.create(bench.name(), { codec: Frame, capacityBytes: 4096 }));
      const frame = (i: number) => ({
        name: `frame ${i}`,
        at: [point(i), point(i + 1)],
        pixels: Array.from({ length: 5000 }, (_, k) => (i + k) % 256),
      });
      const put = q.putMany([frame(1), frame(2)]);
      expect(await q.get()).toEqual(frame(1));
      expect(await q.get()).toEqual(frame(2));
      await put;
      const small = points({ maxMessageBytes: Point.byteLength - 1 });
      expect(thrownBy(() => small.putNowait(point(1)))).toEqual(coded('ERR_TOO_LARGE'));
    });

    it('are refused before anything is queued', async () => {
      const q = points();
      const wrong = { ...point(1), id: 1.5 };
      expect(thrownBy(() => q.putNowait(wrong))).toEqual(coded('ERR_INVALID_ARG'));
      await expect(q.put({ x: 1, y: 2 } as never)).rejects.toEqual(coded('ERR_INVALID_ARG'));
      await expect(q.putMany([point(1), wrong])).rejects.toEqual(coded('ERR_INVALID_ARG'));
      expect(q.size).toBe(0);
    });

    it('wrap and round as their types do, and lose nothing else', () => {
      const Numbers = Struct({ small: 'int8', big: 'uint64', half: 'float32', wide: 'float64' });
      const q = bench.keep(Queue.create(bench.name(), { codec: Numbers }));
      q.putNowait({ small: 128, big: -1n, half: 0.1, wide: -0 });
      expect(q.getNowait()).toEqual({
        small: -128,
        big: 2n ** 64n - 1n,
        half: Math.fround(0.1),
        wide: -0,
      });
    });

    it('may be put by a getter of another record', () => {
      const q = points();
      q.putNowait({
        x: 1,
        get y() {
          q.putNowait(point(7));
          return 2;
        },
        id: 3,
      });
      expect(q.tryGetMany()).toEqual([point(7), { x: 1, y: 2, id: 3 }]);
    });

    it('are for who opens the queue with the same struct', async () => {
      const q = points();
      const same = Struct({ x: 'd', y: 'd', id: 'I' });
      const other = bench.keep(Queue.open(q.name, { codec: same }));
      q.putNowait(point(1));
      expect(other.getNowait()).toEqual(point(1));
      const Different = Struct({ x: 'd', y: 'd', id: 'i' });
      for (const codec of [Different, 'raw', 'json'] as const) {
        for (const open of [Queue.open, Queue.openOrCreate]) {
          expect(thrownBy(() => open(q.name, { codec: codec as 'raw' }))).toEqual(
            coded('ERR_MISMATCH'),
          );
        }
      }
      expect(thrownBy(() => Queue.open(q.name))).toEqual(coded('ERR_MISMATCH'));
      const later = await Queue.openWhenAvailable(q.name, { codec: Point });
      later.close();
    });

    describe('whose queue travels', () => {
      type Points = AnyQueue<ReturnType<typeof point>>;
      const carrier = (options = {}) => bench.keep(Queue.create<unknown>(bench.name(), options));
      const names = () => subject.backend.registry.list().map(({ name }) => name);

      it('are what they were to who does not know the struct', async () => {
        const q = carrier();
        const sent = new Queue({ codec: Point });
        const frames = points();
        q.putNowait({ all: [sent, frames, sent] });
        sent.putNowait(point(1));
        sent.close();
        const { all } = q.getNowait() as { all: [Points, Points, Points] };
        const [arrived, second, same] = all;
        bench.keep(arrived);
        bench.keep(second);
        expect(arrived).toBeInstanceOf(Queue);
        expect(same).toBe(arrived);
        expect(second.name).toBe(frames.name);
        expect(await arrived.get()).toEqual(point(1));
        arrived.putNowait(point(2));
        expect(arrived.tryGet()).toEqual(point(2));
        expect(thrownBy(() => arrived.putNowait({ x: 1 } as never))).toEqual(
          coded('ERR_INVALID_ARG'),
        );
      });

      it('are what they were after many travels, in large messages too', async () => {
        const [q, other] = [carrier(), carrier()];
        const sent = new Queue({ codec: Frame });
        const frame = { name: 'f', at: [point(1), point(2)], pixels: Array.from(bytesOf(5000)) };
        await sent.put(frame);
        await q.put({ sent, more: bytesOf(100_000) });
        sent.close();
        const first = (await q.get()) as { sent: AnyQueue; more: Uint8Array };
        expect(first.more).toEqual(bytesOf(100_000));
        await other.put([first.sent]);
        first.sent.close();
        const [second] = (await other.get()) as [AnyQueue];
        bench.keep(second);
        expect(await second.get()).toEqual(frame);
      });

      it('travel on with it where another codec is beside it', () => {
        const q = carrier();
        q.putNowait([points(), bench.keep(new Queue({ codec: 'string' })), points()]);
        const arrived = q.getNowait() as [AnyQueue, AnyQueue, AnyQueue];
        for (const one of arrived) bench.keep(one);
        const [a, text, b] = arrived;
        for (const one of [a, b]) {
          one.putNowait(point(3));
          expect(one.getNowait()).toEqual(point(3));
        }
        text.putNowait('text');
        expect(text.getNowait()).toBe('text');
      });

      it.runIf(subject.backend.capabilities.redelivery)(
        'into a dead-letter queue, are its own',
        async () => {
          const deadLetter = bench.name();
          const q = carrier({ maxDeliveries: 1, deadLetter });
          const sent = new Queue({ codec: Point });
          sent.putNowait(point(1));
          q.putNowait({ n: 1, sent });
          sent.close();
          const delivery = await q.receive();
          (delivery.value as { sent: AnyQueue }).sent.close();
          delivery.nack();
          expect(q.tryGet()).toBe(undefined);
          const letters = bench.keep(Queue.open<unknown>(deadLetter));
          const letter = letters.getNowait() as { n: number; sent: Points };
          bench.keep(letter.sent);
          expect(letter.n).toBe(1);
          expect(letter.sent.getNowait()).toEqual(point(1));
        },
      );

      it.runIf(subject.backend.capabilities.redelivery).each([
        ['is none', '"x":"float64"', '"x":{float64}'],
        ['has a type that nobody knows', 'float64', 'float65'],
        ['has a field twice', '"y"', '"x"'],
        ['is that of another struct', '"x"', '"z"'],
        ['is missing', '\n{', 'n{'],
        ['is not in the line of the ticket', ':~', '\n~'],
      ])('are ERR_DECODE with a schema that %s, and the carrier goes on', async (_, from, to) => {
        const q = carrier();
        const sent = points();
        q.putNowait({ sent });
        const channel = subject.backend.openChannel(q.name, 'open', {});
        const bytes = Buffer.from(channel.inbox.slice(0, channel.tryReceive()));
        const { receipt } = channel;
        expect(to).toHaveLength(from.length);
        const at = bytes.indexOf(from);
        expect(at).toBeGreaterThan(0);
        bytes.write(to, at, 'latin1');
        channel.tryPut(bytes);
        channel.ack(receipt);
        channel.close();
        q.putNowait('next');
        await expect(q.get()).rejects.toEqual(coded('ERR_DECODE'));
        expect(await q.get()).toBe('next');
        sent.close();
        expect(names()).toEqual([q.name]);
      });
    });

    it('are no bytes to reserve, to peek at or to get into', () => {
      const q = points();
      q.putNowait(point(1));
      for (const call of [
        () => q.reserve(24),
        () => q.peek(),
        () => q.getInto(new Uint8Array(24)),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_UNSUPPORTED'));
      }
      expect(q.getNowait()).toEqual(point(1));
    });

    it.runIf(subject.backend.capabilities.redelivery)(
      'are received, and go to dead letters',
      async () => {
        const deadLetter = bench.name();
        const q = points({ maxDeliveries: 1, deadLetter });
        q.putNowait(point(1));
        const delivery = await q.receive();
        expect(delivery.value).toEqual(point(1));
        delivery.nack();
        expect(q.tryGet()).toBe(undefined);
        const letters = bench.keep(Queue.open(deadLetter, { codec: Point }));
        expect(letters.getNowait()).toEqual(point(1));
      },
    );
  });
}
