import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { wait } from '../../src/primitives/wait.js';
import { Struct } from '../../src/shapes/struct.js';
import { thrownBy } from '../unit/thrown-by.js';
import { listenerBenchFor } from './listener-subject.js';
import type { ListenerSubject } from './listener-subject.js';
import { coded, rows, stateOf } from './subject.js';

export function accepting(subject: ListenerSubject): void {
  describe('listening and connecting', () => {
    const bench = listenerBenchFor(subject);
    const { Pipe } = bench;

    it('gives both sides a connection of their own', async () => {
      const listener = bench.keep(Pipe.listen<string>(bench.name()));
      const client = await bench.kept(Pipe.connect<string>(listener.name));
      const server = await bench.kept(listener.accept());
      await client.send('question');
      expect(await server.recv()).toBe('question');
      await server.send('answer');
      expect(await client.recv()).toBe('answer');
      expect(listener.lastAccepted).toBe(process.pid);
      client.close();
      await expect(server.recv()).rejects.toEqual(coded('ERR_EOF'));
    });

    it('connects before anybody accepts, and loses nothing that was sent meanwhile', async () => {
      const listener = bench.keep(Pipe.listen<number>(bench.name()));
      const client = await bench.kept(Pipe.connect<number>(listener.name));
      await client.sendMany([1, 2, 3]);
      expect(listener.waiting).toBe(1);
      const server = await bench.kept(listener.accept());
      expect(listener.waiting).toBe(0);
      expect(await server.recvMany()).toEqual([1, 2, 3]);
    });

    it('accepts in the order in which they came', async () => {
      const listener = bench.keep(Pipe.listen<number>(bench.name()));
      for (const number of [0, 1, 2, 3, 4]) {
        const client = await bench.kept(Pipe.connect<number>(listener.name));
        await client.send(number);
      }
      for (const number of [0, 1, 2, 3, 4]) {
        const server = await bench.kept(listener.accept());
        expect(await server.recv()).toBe(number);
      }
    });

    it('serves pending accepts in the order of the calls', async () => {
      const listener = bench.keep(Pipe.listen<number>(bench.name()));
      const accepts = [1, 2, 3].map(() => bench.kept(listener.accept()));
      expect(await stateOf(accepts[0] as Promise<unknown>)).toBe('pending');
      for (const number of [1, 2, 3]) {
        const client = await bench.kept(Pipe.connect<number>(listener.name));
        await client.send(number);
      }
      const servers = await Promise.all(accepts);
      expect(await Promise.all(servers.map((server) => server.recv()))).toEqual([1, 2, 3]);
    });

    it('lets many come at once, more than may wait', async () => {
      const listener = bench.keep(Pipe.listen<number>(bench.name(), { backlog: 2 }));
      const asked = Array.from({ length: 20 }, async (_, number) => {
        const client = await bench.kept(Pipe.connect<number>(listener.name, { timeoutMs: 60_000 }));
        await client.send(number);
        return client.recv();
      });
      let served = 0;
      for await (const server of listener) {
        bench.keep(server);
        await server.send(2 * (await server.recv()));
        if (++served === asked.length) break;
      }
      expect(await Promise.all(asked)).toEqual(asked.map((_, number) => 2 * number));
    });

    it('ends iteration when it is closed, whether a step is pending or not', async () => {
      const listener = bench.keep(Pipe.listen(bench.name()));
      const iterator = listener[Symbol.asyncIterator]();
      const step = iterator.next();
      expect(await stateOf(step)).toBe('pending');
      listener.close();
      expect(await step).toEqual({ done: true, value: undefined });
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
      expect(thrownBy(() => listener[Symbol.asyncIterator]())).toEqual(coded('ERR_CLOSED'));
    });

    it('loses no client when iteration breaks', async () => {
      const listener = bench.keep(Pipe.listen<string>(bench.name()));
      for (const text of ['one', 'two']) {
        await (await bench.kept(Pipe.connect<string>(listener.name))).send(text);
      }
      for await (const server of listener) {
        expect(await bench.keep(server).recv()).toBe('one');
        break;
      }
      expect(await (await bench.kept(listener.accept())).recv()).toBe('two');
    });

    it('gives the event loop its turns while clients keep coming', async () => {
      const listener = bench.keep(Pipe.listen(bench.name()));
      for (let i = 0; i < 40; i++) await bench.kept(Pipe.connect(listener.name));
      let hadTurn = false;
      void turn().then(() => (hadTurn = true));
      for (let i = 0; i < 40; i++) await bench.kept(listener.accept());
      expect(hadTurn).toBe(true);
    });

    it('hands over a client that has gone meanwhile, with what it had sent', async () => {
      const listener = bench.keep(Pipe.listen<string>(bench.name()));
      const client = await Pipe.connect<string>(listener.name);
      await client.send('a last word');
      client.close();
      const server = await bench.kept(listener.accept());
      expect(await server.recv()).toBe('a last word');
      await expect(server.recv()).rejects.toEqual(coded('ERR_EOF'));
    });

    it('keeps nothing of connections that are over', async () => {
      const listener = bench.keep(Pipe.listen(bench.name()));
      for (let i = 0; i < 3; i++) {
        const client = await Pipe.connect(listener.name);
        const server = await listener.accept();
        client.close();
        server.close();
      }
      expect(bench.backend.registry.list().map(({ kind }) => kind)).toEqual(['listener']);
    });

    it('gives connections that travel', async () => {
      const listener = bench.keep(Pipe.listen<string>(bench.name()));
      const client = await bench.kept(Pipe.connect<string>(listener.name));
      const queue = bench.keep(new bench.Queue<{ conn: typeof client }>());
      await queue.put({ conn: await listener.accept() });
      const server = bench.keep((await queue.get()).conn);
      await client.send('hello, whoever you are');
      expect(await server.recv()).toBe('hello, whoever you are');
    });

    it('does not travel itself', () => {
      const listener = bench.keep(Pipe.listen(bench.name()));
      const queue = bench.keep(new bench.Queue<unknown>());
      expect(thrownBy(() => queue.putNowait({ listener }))).toEqual(coded('ERR_ENCODE'));
    });

    it('gives its connections its sizes and its codec', async () => {
      const listener = bench.keep(
        Pipe.listen(bench.name(), { codec: 'raw', capacityBytes: 8192, maxMessageBytes: 10_000 }),
      );
      const client = await bench.kept(Pipe.connect(listener.name, { codec: 'raw' }));
      const server = await bench.kept(listener.accept());
      await client.send(Uint8Array.of(1, 2));
      expect(await server.recv()).toEqual(Uint8Array.of(1, 2));
      expect(inspect(server)).toContain('capacityBytes: 8192');
      for (const end of [client, server]) {
        await expect(end.send(new Uint8Array(10_001))).rejects.toEqual(coded('ERR_TOO_LARGE'));
      }
    });

    it('wants a Struct or a codec of the callers own from both sides', async () => {
      const Point = Struct({ x: 'float64' });
      const other = Struct({ y: 'float64' });
      const structs = bench.keep(Pipe.listen(bench.name(), { codec: Point }));
      const client = await bench.kept(Pipe.connect(structs.name, { codec: Point }));
      await client.send({ x: 3 });
      expect(await (await bench.kept(structs.accept())).recv()).toEqual({ x: 3 });
      const own = { name: 'own', encode: () => new Uint8Array(1), decode: () => 1 };
      const owned = bench.keep(Pipe.listen(bench.name(), { codec: own }));
      for (const attempt of [
        Pipe.connect(structs.name),
        Pipe.connect(structs.name, { codec: other }),
        Pipe.connect(structs.name, { codec: 'json' }),
        Pipe.connect(owned.name),
      ]) {
        await expect(attempt).rejects.toEqual(coded('ERR_MISMATCH'));
      }
      expect(owned.waiting + structs.waiting).toBe(0);
      await bench.kept(Pipe.connect(owned.name, { codec: own }));
    });

    it('says what it is to who prints it, but no key', async () => {
      const listener = bench.keep(Pipe.listen(bench.name(), { authkey: 'hush', backlog: 3 }));
      expect(inspect(listener, { depth: 9, showHidden: true })).toBe(
        `Listener {\n  name: '${listener.name}',\n  waiting: 0,\n  backlog: 3,\n  codec: 'structured',\n  rejected: 0\n}`,
      );
      listener.close();
      expect(inspect(listener)).toContain('closed: true');
    });
  });

  describe('a name', () => {
    const bench = listenerBenchFor(subject);
    const { Pipe, Queue } = bench;

    it('is one listener at a time', async () => {
      const listener = bench.keep(Pipe.listen(bench.name()));
      expect(thrownBy(() => Pipe.listen(listener.name))).toEqual(coded('ERR_EXISTS'));
      listener.close();
      bench.keep(Pipe.listen(listener.name));
      await bench.kept(Pipe.connect(listener.name));
    });

    it('is one for all kinds', async () => {
      const queue = bench.keep(Queue.create(bench.name()));
      expect(thrownBy(() => Pipe.listen(queue.name))).toEqual(coded('ERR_EXISTS'));
      await expect(Pipe.connect(queue.name)).rejects.toEqual(coded('ERR_KIND'));
      const listener = bench.keep(Pipe.listen(bench.name()));
      expect(thrownBy(() => Queue.create(listener.name))).toEqual(coded('ERR_EXISTS'));
      expect(thrownBy(() => Queue.open(listener.name))).toEqual(coded('ERR_KIND'));
    });

    it('is listed while somebody listens', async () => {
      const listener = bench.keep(Pipe.listen(bench.name()));
      await bench.kept(Pipe.connect(listener.name));
      const entry = bench.backend.registry.list().find(({ name }) => name === listener.name);
      expect(entry).toMatchObject({ kind: 'listener', size: 1, anonymous: false, persist: false });
      listener.close();
      expect(bench.backend.registry.list().map(({ kind }) => kind)).not.toContain('listener');
    });

    it.each(rows<unknown>([undefined, '', 'a/b', '..', 7, 'x'.repeat(201)]))(
      'is not %s',
      async (_, name) => {
        expect(thrownBy(() => Pipe.listen(name as string))).toEqual(coded('ERR_INVALID_ARG'));
        await expect(Pipe.connect(name as string)).rejects.toEqual(coded('ERR_INVALID_ARG'));
      },
    );
  });

  describe('who connects', () => {
    const bench = listenerBenchFor(subject);
    const { Pipe } = bench;

    it('fails at once without a listener, or waits as long as it was told', async () => {
      const name = bench.name();
      await expect(Pipe.connect(name)).rejects.toEqual(coded('ERR_NOT_FOUND'));
      for (const timeoutMs of [0, -1, 20]) {
        const start = performance.now();
        await expect(Pipe.connect(name, { timeoutMs })).rejects.toMatchObject({
          code: 'ERR_TIMEOUT',
          cause: { code: 'ERR_NOT_FOUND' },
        });
        expect(performance.now() - start).toBeGreaterThanOrEqual(timeoutMs);
      }
    });

    it('waits for a listener that comes later', async () => {
      const name = bench.name();
      const connecting = bench.kept(Pipe.connect(name, { timeoutMs: 60_000 }));
      expect(await stateOf(connecting)).toBe('pending');
      const listener = bench.keep(Pipe.listen(name));
      await connecting;
      await bench.kept(listener.accept());
    });

    it('fails at once when the backlog is full, or waits for room', async () => {
      const listener = bench.keep(Pipe.listen(bench.name(), { backlog: 1 }));
      await bench.kept(Pipe.connect(listener.name));
      await expect(Pipe.connect(listener.name)).rejects.toEqual(coded('ERR_FULL'));
      await expect(Pipe.connect(listener.name, { timeoutMs: 10 })).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
        message: expect.stringMatching(/ within 10 ms$/),
        cause: { code: 'ERR_FULL' },
      });
      const connecting = bench.kept(Pipe.connect(listener.name, { timeoutMs: 60_000 }));
      expect(await stateOf(connecting)).toBe('pending');
      await bench.kept(listener.accept());
      await connecting;
      expect(listener.waiting).toBe(1);
    });

    it('goes on to the next listener when the first one closes before it had room', async () => {
      const first = bench.keep(Pipe.listen<string>(bench.name(), { backlog: 1 }));
      await bench.kept(Pipe.connect(first.name));
      const connecting = bench.kept(Pipe.connect<string>(first.name, { timeoutMs: 60_000 }));
      expect(await stateOf(connecting)).toBe('pending');
      first.close();
      const second = bench.keep(Pipe.listen<string>(first.name));
      const client = await connecting;
      await client.send('to the second');
      expect(await (await bench.kept(second.accept())).recv()).toBe('to the second');
    });

    it('can be called off, wherever it waits', async () => {
      const full = bench.keep(Pipe.listen(bench.name(), { backlog: 1 }));
      await bench.kept(Pipe.connect(full.name));
      const keyed = bench.keep(Pipe.listen(bench.name(), { authkey: 'k' }));
      const attempts: [string, object][] = [
        [bench.name(), { timeoutMs: 60_000 }],
        [full.name, { timeoutMs: 60_000 }],
        [keyed.name, { authkey: 'k' }],
      ];
      for (const [name, options] of attempts) {
        const controller = new AbortController();
        const { signal } = controller;
        const connecting = Pipe.connect(name, { ...options, signal });
        expect(await stateOf(connecting)).toBe('pending');
        controller.abort();
        await expect(connecting).rejects.toEqual(coded('ABORT_ERR'));
        expect(getEventListeners(signal, 'abort')).toEqual([]);
        await expect(Pipe.connect(name, { ...options, signal })).rejects.toEqual(
          coded('ABORT_ERR'),
        );
      }
    });

    it('gets EOF when the listener closes before it was accepted', async () => {
      const listener = bench.keep(Pipe.listen<string>(bench.name()));
      const client = await bench.kept(Pipe.connect<string>(listener.name));
      const waiting = client.recv();
      // Whoever else has the backlog open.
      bench.keep(bench.backend.openBacklog(listener.name));
      listener.close();
      await expect(waiting).rejects.toEqual(coded('ERR_EOF'));
      await expect(client.send('too late')).rejects.toEqual(coded('ERR_PEER_DEAD'));
      await expect(Pipe.connect(listener.name)).rejects.toEqual(coded('ERR_NOT_FOUND'));
    });
  });

  describe('a pending accept', () => {
    const bench = listenerBenchFor(subject);
    const { Pipe } = bench;

    it('ends by its time, its signal, and the closing of the listener', async () => {
      const listener = bench.keep(Pipe.listen(bench.name()));
      for (const timeoutMs of [0, 20]) {
        const start = performance.now();
        await expect(listener.accept({ timeoutMs })).rejects.toEqual(coded('ERR_TIMEOUT'));
        expect(performance.now() - start).toBeGreaterThanOrEqual(timeoutMs);
      }
      const reason = new Error('no longer');
      const controller = new AbortController();
      const aborted = listener.accept({ signal: controller.signal });
      expect(await stateOf(aborted)).toBe('pending');
      controller.abort(reason);
      await expect(aborted).rejects.toBe(reason);
      await bench.kept(Pipe.connect(listener.name));
      await expect(listener.accept({ signal: controller.signal })).rejects.toBe(reason);
      // None of them has taken a client.
      expect(listener.waiting).toBe(1);
      await bench.kept(listener.accept({ timeoutMs: 0 }));

      const closed = [listener.accept(), listener.accept({ timeoutMs: 60_000 })];
      listener.close();
      for (const each of closed) await expect(each).rejects.toEqual(coded('ERR_CLOSED'));
      await expect(listener.accept()).rejects.toEqual(coded('ERR_CLOSED'));
      listener.close();
    });

    it('refuses waits that make no sense', async () => {
      const listener = bench.keep(Pipe.listen(bench.name()));
      for (const options of [{ timeoutMs: NaN }, { timeoutMs: '1' }, { signal: 1 }, 5]) {
        const wrong = options as unknown as { timeoutMs: number };
        await expect(listener.accept(wrong)).rejects.toEqual(coded('ERR_INVALID_ARG'));
      }
    });
  });

  describe('an option', () => {
    const bench = listenerBenchFor(subject);
    const { Pipe } = bench;

    it.each(
      rows<object>([
        { backlog: 0 },
        { backlog: 4097 },
        { backlog: 1.5 },
        { codec: 'xml' },
        { capacityBytes: -1 },
        { capacityBytes: 2 ** 50 },
        { maxMessageBytes: 0 },
        { onRejected: 'log' },
        { duplex: false },
        { backlogs: 3 },
        { authkey: '' },
        { authkey: new Uint8Array(0) },
        { authkey: 12_345 },
        { authkey: null },
        { authkey: 'k', maxMessageBytes: 64 },
        { handshakeTimeoutMs: 0 },
        { handshakeTimeoutMs: Infinity },
        7 as unknown as object,
      ]),
    )('of listen is not %s', (_, options) => {
      expect(thrownBy(() => Pipe.listen(bench.name(), options))).toEqual(coded('ERR_INVALID_ARG'));
    });

    it.each(
      rows<object>([
        { timeoutMs: NaN },
        { timeoutMs: 'soon' },
        { signal: true },
        { codec: 'xml' },
        { backlog: 3 },
        { capacityBytes: 4096 },
        { authkey: '' },
        { authkey: 12_345 },
        { handshakeTimeoutMs: -1 },
        null as unknown as object,
      ]),
    )('of connect is not %s', async (_, options) => {
      await expect(Pipe.connect(bench.name(), options)).rejects.toEqual(coded('ERR_INVALID_ARG'));
    });

    it('that is a bad key is not shown', () => {
      const error = thrownBy(() => Pipe.listen(bench.name(), { authkey: 12_345 as never }));
      expect((error as Error).message).not.toContain('12');
    });

    it('can be waited for with others, without accepting', async () => {
      const listener = bench.keep(Pipe.listen<number>(bench.name()));
      const other = bench.keep(Pipe.listen<number>(bench.name()));
      expect(await wait([listener, other], { timeoutMs: 0 })).toEqual([]);
      const waiting = wait([other, listener]);
      await turn();
      await bench.kept(Pipe.connect<number>(listener.name));
      expect(await waiting).toEqual([listener]);
      expect(listener.waiting).toBe(1);
      const server = await bench.kept(listener.accept());
      expect(await wait([server, listener], { timeoutMs: 5 })).toEqual([]);
      const closing = wait([server, listener]);
      await turn();
      listener.close();
      await expect(closing).rejects.toEqual(coded('ERR_CLOSED'));
    });
  });
}
