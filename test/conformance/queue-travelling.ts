import { describe, expect, it } from 'vitest';

import { InterprocError } from '../../src/errors.js';
import { CARRIES, EMPTY, LARGE } from '../../src/contract/channel.js';
import type { Backend, Channel } from '../../src/contract/channel.js';
import { DeadLetters } from '../../src/primitives/dead-letters.js';
import { Queue as AnyQueue } from '../../src/primitives/queue.js';
import type { Queue } from '../../src/primitives/queue.js';
import { thrownBy } from '../unit/thrown-by.js';
import { benchFor, coded } from './subject.js';
import type { Subject } from './subject.js';

interface Job {
  readonly reply: Queue<string>;
}

export function travelling(subject: Subject): void {
  describe('handles inside messages', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    /** A queue for messages with handles in them. */
    const carrier = (options: { maxItems?: number } = {}): Queue<unknown> =>
      bench.keep(Queue.create<unknown>(bench.name(), options));
    /** Another end of that queue, to look at its messages from. */
    const behind = <T>(q: Queue<T>): Channel => subject.backend.openChannel(q.name, 'open', {});
    const anonymous = (): Queue<string> => bench.keep(new Queue({ codec: 'string' }));
    const names = (): string[] => subject.backend.registry.list().map(({ name }) => name);

    it('come out as handles of the same object', async () => {
      const q = carrier();
      const reply = bench.strings();
      await q.put({ reply, n: 1 });
      const job = (await q.get()) as Job;
      bench.keep(job.reply);
      expect(job).toEqual({ reply: expect.any(AnyQueue) as unknown, n: 1 });
      expect(job.reply).not.toBe(reply);
      expect(job.reply).toBeInstanceOf(Queue);
      expect(job.reply.name).toBe(reply.name);
      await job.reply.put('there');
      expect(await reply.get()).toBe('there');
    });

    it('travel at any depth, alone, several, and the same twice', async () => {
      const q = carrier();
      const [a, b] = [bench.strings(), bench.strings()];
      await q.put(a);
      await q.put([[{ x: new Map([['k', new Set([a])]]) }], b, a, b]);
      const alone = bench.keep((await q.get()) as Queue);
      expect(alone.name).toBe(a.name);
      const [[{ x }], second, third, fourth] = (await q.get()) as [
        [{ x: Map<string, Set<Queue>> }],
        Queue,
        Queue,
        Queue,
      ];
      const [first] = x.get('k') as Set<Queue>;
      bench.keep(third);
      bench.keep(second);
      expect(first).toBe(third);
      expect(second).toBe(fourth);
      expect([second.name, third.name]).toEqual([b.name, a.name]);
    });

    it('keep an anonymous object alive when its sender closes, until the receiver does', async () => {
      const q = carrier();
      const reply = anonymous();
      await reply.put('kept');
      await q.put({ reply });
      reply.close();
      expect(names()).toContain(reply.name);
      const job = (await q.get()) as Job;
      expect(job.reply.tryGet()).toBe('kept');
      expect(names()).toContain(reply.name);
      job.reply.close();
      expect(names()).toEqual([q.name]);
    });

    it('keep a named object alive that is empty', async () => {
      const q = carrier();
      const reply = bench.strings();
      await q.putMany([{ reply }, { reply }]);
      reply.close();
      const jobs = (await q.getMany()) as Job[];
      expect(jobs.map((job) => job.reply.name)).toEqual([reply.name, reply.name]);
      for (const job of jobs) job.reply.close();
      expect(names()).toEqual([q.name]);
    });

    it('go with the carrier that nobody has taken them out of', async () => {
      const [outer, inner] = [bench.keep(new Queue<unknown>()), anonymous()];
      await outer.put(inner);
      inner.close();
      expect(names()).toContain(inner.name);
      outer.close();
      expect(names()).toEqual([]);
    });

    it('do not keep the object they travel in', async () => {
      const q = bench.keep(new Queue<unknown>());
      await q.put(q);
      q.close();
      expect(names()).toEqual([]);
    });

    describe('of a put that fails', () => {
      it.each<[string, (q: Queue<unknown>, value: unknown) => unknown]>([
        ['tryPut', (q, value) => q.tryPut(value)],
        ['putNowait', (q, value) => thrownBy(() => q.putNowait(value))],
        ['put with a time-out', (q, value) => q.put(value, { timeoutMs: 5 }).catch(() => {})],
        ['put with no time', (q, value) => q.put(value, { timeoutMs: 0 }).catch(() => {})],
        ['putMany', (q, value) => q.putMany([value, value], { timeoutMs: 5 }).catch(() => {})],
        [
          'an aborted put',
          (q, value) => {
            const abortion = new AbortController();
            const pending = q.put(value, { signal: abortion.signal });
            abortion.abort();
            return pending.catch(() => {});
          },
        ],
      ])('for want of room stay behind: %s', async (_name, put) => {
        const q = carrier({ maxItems: 1 });
        await q.put('full');
        const reply = anonymous();
        await put(q, { reply });
        reply.close();
        expect(names()).toEqual([q.name]);
      });

      it.each([['one'], ['two']])(
        'because its stream is destroyed stay behind: %s',
        async (many) => {
          const q = carrier({ maxItems: 1 });
          await q.put('full');
          const stream = q.toWritable().on('error', () => {});
          const replies = [anonymous(), anonymous()];
          const values = replies.map((reply) => ({ reply })).slice(0, many === 'one' ? 1 : 2);
          const written = values.map((value) => new Promise((over) => stream.write(value, over)));
          stream.destroy();
          await Promise.all(written);
          for (const reply of replies) reply.close();
          expect(names()).toEqual([q.name]);
        },
      );

      it('behind another that waits stay behind', async () => {
        const q = carrier({ maxItems: 1 });
        await q.put('full');
        const waiting = q.put('next', { timeoutMs: 5 }).catch(() => {});
        const reply = anonymous();
        expect(q.tryPut({ reply })).toBe(false);
        reply.close();
        expect(names()).toEqual([q.name]);
        await waiting;
      });

      it('because the handle closes stay behind', async () => {
        const q = carrier({ maxItems: 1 });
        await q.put('full');
        const other = bench.keep(Queue.open<unknown>(q.name));
        const reply = anonymous();
        const waiting = other.put({ reply });
        other.close();
        await expect(waiting).rejects.toEqual(coded('ERR_CLOSED'));
        reply.close();
        expect(names()).toEqual([q.name]);
      });

      it('because the queue was ended stay behind', async () => {
        const q = carrier();
        bench.keep(Queue.open<unknown>(q.name)).end();
        const reply = anonymous();
        await expect(q.put({ reply })).rejects.toEqual(coded('ERR_ENDED'));
        for (const putSync of bench.blocking(() => q.putSync({ reply }))) {
          expect(thrownBy(putSync)).toEqual(coded('ERR_ENDED'));
        }
        await expect(q.putMany([{ reply }])).rejects.toEqual(coded('ERR_ENDED'));
        reply.close();
        expect(names()).toEqual([q.name]);
      });

      it('because something else in the message cannot be carried stay behind', async () => {
        const q = carrier();
        const reply = anonymous();
        await expect(q.put({ reply, f: () => {} })).rejects.toEqual(coded('ERR_ENCODE'));
        await expect(q.putMany([{ reply }, { f: () => {} }])).rejects.toEqual(coded('ERR_ENCODE'));
        reply.close();
        expect(names()).toEqual([q.name]);
      });

      it('as a batch say which are under way', async () => {
        const q = carrier({ maxItems: 1 });
        const [sent, refused] = [anonymous(), anonymous()];
        await expect(q.putMany([sent, refused], { timeoutMs: 5 })).rejects.toMatchObject({
          accepted: 1,
        });
        refused.close();
        sent.close();
        expect(names().sort()).toEqual([q.name, sent.name].sort());
        const received = (await q.get()) as Queue;
        received.close();
        expect(names()).toEqual([q.name]);
      });
    });

    it('of a put that waits are under way once it went in', async () => {
      const q = carrier({ maxItems: 1 });
      await q.put('full');
      const reply = anonymous();
      const waiting = q.put({ reply });
      reply.close();
      expect(await q.get()).toBe('full');
      await waiting;
      const job = (await q.get()) as Job;
      expect(job.reply.name).toBe(reply.name);
      job.reply.close();
      expect(names()).toEqual([q.name]);
    });

    it('whose handle was closed, or whose name was removed, are refused', async () => {
      const q = carrier();
      const closed = anonymous();
      closed.close();
      await expect(q.put({ closed })).rejects.toMatchObject({
        code: 'ERR_ENCODE',
        cause: coded('ERR_CLOSED'),
      });
      const removed = bench.strings();
      removed.unlink();
      await expect(q.put({ removed })).rejects.toMatchObject({
        code: 'ERR_ENCODE',
        cause: coded('ERR_NOT_FOUND'),
      });
      expect(q.size).toBe(0);
    });

    it.each([[{}], [{ maxDeliveries: 1, deadLetter: 'letters' }]])(
      'are not looked for where other codecs fail: %o',
      async (options) => {
        if ('deadLetter' in options && !subject.backend.capabilities.redelivery) return;
        const q = carrier();
        const reply = anonymous();
        await q.put({ reply });
        reply.close();
        // Somebody sends on what stood in the message.
        const channel = subject.backend.openChannel(q.name, 'open', {});
        const bytes = channel.inbox.slice(0, channel.tryReceive());
        channel.ack(channel.receipt);
        const codec = {
          encode: (message: Uint8Array) => message,
          decode(): Uint8Array {
            throw new Error('unreadable');
          },
        };
        const other = bench.keep(Queue.create(bench.name(), { codec, ...options }));
        await other.put(bytes);
        await expect(other.get()).rejects.toEqual(coded('ERR_DECODE'));
        expect(names()).toContain(reply.name);
        for (const ticket of channel.ticketsIn(bytes)) channel.redeemTicket(ticket);
        channel.close();
        expect(names()).not.toContain(reply.name);
      },
    );

    it.skipIf(!subject.backend.capabilities.redelivery)(
      'are all that travels: what belongs to one handle is refused',
      async () => {
        const q = carrier();
        const raw = bench.keep(Queue.create(bench.name(), { codec: 'raw' }));
        await raw.putMany([Uint8Array.of(1), Uint8Array.of(2)]);
        const delivery = await raw.receive();
        const refused: [string, object][] = [['delivery', delivery]];
        if (subject.backend.capabilities.leases) {
          refused.push(['slot', raw.reserve(3)], ['message in place', raw.peek()]);
        }
        for (const [what, object] of refused) {
          const put = q.put({ deep: [object] });
          await expect(put).rejects.toEqual(coded('ERR_ENCODE'));
          await expect(put).rejects.toThrow(what);
        }
        expect(q.size).toBe(0);
      },
    );

    it('whose codec no receiver could know are refused', async () => {
      const q = carrier();
      const codec = { name: 'dates', encode: (s: string) => Buffer.from(s), decode: String };
      const own = bench.keep(Queue.create(bench.name(), { codec }));
      for (const handle of [own, bench.keep(Queue.open(own.name, { codec }))]) {
        const put = q.put({ job: 1, reply: handle });
        await expect(put).rejects.toMatchObject({ code: 'ERR_ENCODE', cause: coded('ERR_ENCODE') });
        await expect(put).rejects.toThrow("codec of its own, 'dates'");
      }
      expect(q.size).toBe(0);
    });

    it('whose object was removed on the way fail that message, and the queue goes on', async () => {
      const q = carrier();
      const [other, reply] = [anonymous(), bench.strings()];
      await q.putMany([{ other, reply }, 'next']);
      reply.unlink();
      bench.keep(bench.Queue.create(reply.name, { codec: 'string' })); // has its name, is another
      await expect(q.get()).rejects.toMatchObject({
        code: 'ERR_DECODE',
        cause: coded('ERR_NOT_FOUND'),
      });
      expect(await q.get()).toBe('next');
      // What had arrived of the message was closed again.
      other.close();
      expect(names()).not.toContain(other.name);
    });

    describe('that are got', () => {
      it.each<[string, (q: Queue<unknown>, value: unknown) => unknown]>([
        ['put', (q, value) => q.put(value)],
        ['tryPut', (q, value) => q.tryPut(value)],
        ['putMany', (q, value) => q.putMany([value])],
        [
          'a stream',
          (q, value) => {
            const stream = q.toWritable();
            stream.write(value);
            return new Promise<void>((over) => stream.end(over));
          },
        ],
        [
          'a put that waits',
          async (q, value) => {
            await q.put('full');
            const waiting = q.put(value);
            await q.get();
            await waiting;
          },
        ],
        ['a message beside the queue', (q, value) => q.put([value, 'x'.repeat(200_000)])],
      ])('are in a message that only a receive takes: %s', async (_way, put) => {
        const q = carrier({ maxItems: 1 });
        const reply = anonymous();
        await put(q, { reply });
        reply.close();
        const channel = behind(q);
        const looks = [
          channel.tryTake(),
          channel.tryTakeMany(2),
          channel.tryTakeInto(new Uint8Array(300_000)),
        ];
        expect(looks).toEqual([CARRIES, CARRIES, CARRIES]);
        const length = channel.tryReceive();
        const message = length === LARGE ? channel.takeLarge() : channel.inbox.slice(0, length);
        const tickets = channel.ticketsIn(message);
        expect(tickets).toHaveLength(1);
        channel.nack(channel.receipt);
        expect(channel.tryTake()).toBe(CARRIES);
        expect(channel.tryReceive()).toBe(length);
        if (length === LARGE) channel.takeLarge();
        expect(channel.deliveries).toBe(2);
        channel.ack(channel.receipt);
        for (const ticket of tickets) channel.redeemTicket(ticket);
        expect(channel.tryTake()).toBe(EMPTY);
        channel.close();
        expect(names()).toEqual([q.name]);
      });

      it('leave the messages without any to be taken as ever', async () => {
        const q = carrier();
        const reply = anonymous();
        await q.putMany(['a', { reply }, 'b', '~ticket-00000001']);
        reply.close();
        const channel = behind(q);
        expect(channel.tryTakeMany(9)).toBe(1);
        expect(channel.taskDone()).toBe(true);
        const job = (await q.get()) as Job;
        job.reply.close();
        expect(channel.tryTakeMany(9)).toBe(2);
        channel.close();
        expect(names()).toEqual([q.name]);
      });

      it('come in their place among the others, and are tasks as they are', async () => {
        const q = carrier();
        const reply = anonymous();
        await q.putMany(['a', { reply }, 'b', { reply }, { reply }, 'c']);
        const got = await q.getMany({ max: 5 });
        expect(got.map((one) => (typeof one === 'string' ? one : 'handle'))).toEqual([
          'a',
          'handle',
          'b',
          'handle',
          'handle',
        ]);
        expect(await q.get()).toBe('c');
        for (const one of got) if (typeof one === 'object') (one as Job).reply.close();
        for (let i = 0; i < 5; i++) q.taskDone();
        await expect(q.join({ timeoutMs: 5 })).rejects.toEqual(coded('ERR_TIMEOUT'));
        q.taskDone();
        await q.join();
        expect(thrownBy(() => q.taskDone())).toEqual(coded('ERR_NOT_OWNER'));
      });

      it('are no tasks where they cannot be opened', async () => {
        const q = carrier();
        const reply = bench.strings();
        await q.put({ reply });
        reply.unlink();
        await expect(q.get()).rejects.toEqual(coded('ERR_DECODE'));
        await q.join();
        expect(q.size).toBe(0);
      });

      it('arrive at a get that waits, and by iteration', async () => {
        const q = carrier();
        const reply = anonymous();
        const waiting = q.get();
        await q.put({ reply });
        ((await waiting) as Job).reply.close();
        await q.put({ reply });
        q.end();
        for await (const job of q) (job as Job).reply.close();
        reply.close();
        expect(names()).toEqual([q.name]);
      });
    });

    describe.skipIf(!subject.backend.capabilities.redelivery)('that are received', () => {
      it('stay alive until the message is acknowledged', async () => {
        const q = carrier();
        const reply = anonymous();
        await q.put({ reply });
        reply.close();
        const first = await q.receive();
        (first.value as Job).reply.close();
        expect(names()).toContain(reply.name);
        first.nack();
        const again = await q.receive();
        expect(again.redelivered).toBe(true);
        (again.value as Job).reply.close();
        again.ack();
        expect(names()).toEqual([q.name]);
      });

      it('move to the dead-letter queue with their message', async () => {
        const dead = bench.name();
        const q = bench.keep(
          Queue.create<unknown>(bench.name(), { maxDeliveries: 1, deadLetter: dead }),
        );
        const reply = anonymous();
        await q.put({ reply });
        reply.close();
        const first = await q.receive();
        (first.value as Job).reply.close();
        first.nack();
        expect(q.tryReceive()).toBe(undefined);
        q.close();
        expect(names().sort()).toEqual([dead, reply.name].sort());
        const letters = bench.keep(Queue.open<unknown>(dead));
        const channel = behind(letters);
        expect(channel.tryTake()).toBe(CARRIES);
        channel.close();
        const job = (await letters.get()) as Job;
        expect(job.reply.name).toBe(reply.name);
        job.reply.close();
        letters.close();
        expect(names()).toEqual([]);
      });

      it('stay with their message when the dead-letter queue is full', async () => {
        const letters = carrier({ maxItems: 1 });
        await letters.put('full');
        const q = bench.keep(
          Queue.create<unknown>(bench.name(), { maxDeliveries: 1, deadLetter: letters.name }),
        );
        const reply = anonymous();
        await q.put({ reply });
        reply.close();
        const first = await q.receive();
        (first.value as Job).reply.close();
        first.nack();
        expect(thrownBy(() => q.tryReceive())).toEqual(coded('ERR_FULL'));
        letters.close();
        expect(names()).toContain(reply.name);
        await bench.keep(Queue.open<unknown>(letters.name)).get();
        expect(q.tryReceive()).toBe(undefined);
        const job = (await bench.keep(Queue.open<unknown>(letters.name)).get()) as Job;
        expect(job.reply.name).toBe(reply.name);
        job.reply.close();
      });

      it.each([
        ['a put', 'tryPutCarrying'],
        ['their tickets', 'copyTickets'],
      ] as const)(
        'stay with their message when the dead-letter queue made for it has no room for %s',
        async (_what, call) => {
          const q = carrier();
          const reply = anonymous();
          await q.put({ reply });
          reply.close();
          const source = subject.backend.openChannel(q.name, 'open', {});
          const length = source.tryReceive();
          const refusing: Pick<Backend, 'openChannel'> = {
            openChannel(...wanted) {
              const letters = subject.backend.openChannel(...wanted);
              letters[call] = () => {
                throw new InterprocError('ERR_NO_SPACE', 'there is none');
              };
              return letters;
            },
          };
          const letters = new DeadLetters(refusing, source, bench.name());
          const { receipt } = source;
          const move = (): void =>
            letters.move(source.inbox.slice(0, length), {
              consume: () => source.ack(receipt),
              giveBack: () => source.nack(receipt),
            });
          expect(thrownBy(move)).toEqual(coded('ERR_NO_SPACE'));
          source.close();
          expect(names().sort()).toEqual([q.name, reply.name].sort());
          const again = await q.receive();
          expect(again.redelivered).toBe(true);
          const job = again.value as Job;
          expect(job.reply.name).toBe(reply.name);
          again.ack();
          job.reply.close();
          expect(names()).toEqual([q.name]);
        },
      );

      it('leave alone what only looks like tickets of theirs', async () => {
        const dead = bench.name();
        const [q, other] = [carrier(), carrier()];
        const reply = anonymous();
        await q.put({ reply });
        reply.close();
        const channel = subject.backend.openChannel(q.name, 'open', {});
        const length = channel.tryReceive();
        const [ticket] = channel.ticketsIn(channel.inbox.subarray(0, length));
        channel.close();
        // A message of another queue tells of it.
        await other.put(ticket);
        const source = subject.backend.openChannel(other.name, 'open', {});
        const told = source.inbox.slice(0, source.tryReceive());
        expect(source.ticketsIn(told)).toEqual([]);
        const { receipt } = source;
        new DeadLetters(subject.backend, source, dead).move(told, {
          consume: () => source.ack(receipt),
          giveBack: () => source.nack(receipt),
        });
        source.close();
        const letters = bench.keep(Queue.open<unknown>(dead));
        expect(await letters.get()).toBe(ticket);
        const job = (await q.get()) as Job;
        expect(job.reply.name).toBe(reply.name);
        job.reply.close();
      });
    });
  });
}
