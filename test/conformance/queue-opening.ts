import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import type { CustomCodec } from '../../src/codec/codec.js';
import { benchFor, coded, rows, stateOf } from './subject.js';
import type { Subject } from './subject.js';
import { thrownBy } from '../unit/thrown-by.js';

const hex: CustomCodec<string> = {
  name: 'hex',
  encode: (text) => Buffer.from(text, 'hex'),
  decode: (bytes) => Buffer.from(bytes).toString('hex'),
};

export function opening(subject: Subject): void {
  describe('opening', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('creates a queue that others open by its name', async () => {
      const name = bench.name();
      const a = bench.keep(Queue.create<string>(name));
      const b = bench.keep(Queue.open<string>(name));
      await a.put('over');
      expect(await b.get()).toBe('over');
      expect([a.name, b.name]).toEqual([name, name]);
    });

    it('makes instances of its class', () => {
      const q = bench.strings();
      expect(q).toBeInstanceOf(Queue);
      expect(q.constructor.name).toBe('Queue');
    });

    it('refuses to create what is there', () => {
      const q = bench.strings();
      expect(thrownBy(() => Queue.create(q.name))).toEqual(coded('ERR_EXISTS'));
    });

    it('refuses to open what is not there', () => {
      expect(thrownBy(() => Queue.open(bench.name()))).toEqual(coded('ERR_NOT_FOUND'));
    });

    it('opens or creates', () => {
      const name = bench.name();
      const a = bench.keep(Queue.openOrCreate<string>(name, { maxItems: 3 }));
      const b = bench.keep(Queue.openOrCreate<string>(name, { maxItems: 3 }));
      a.putNowait('one');
      expect(b.getNowait()).toBe('one');
    });

    it('creates with the codec structured when none is named', () => {
      const name = bench.name();
      bench.keep(Queue.openOrCreate(name));
      const b = bench.keep(Queue.openOrCreate<Set<number>>(name, { codec: 'structured' }));
      b.putNowait(new Set([1]));
      expect(b.getNowait()).toEqual(new Set([1]));
    });

    it.each([
      ['capacityBytes', { capacityBytes: 1 << 20 }],
      ['maxItems', { maxItems: 8 }],
      ['maxMessageBytes', { maxMessageBytes: 100 }],
      ['codec', { codec: 'json' as const }],
      ['persist', { persist: true }],
      ['maxDeliveries', { maxDeliveries: 3, deadLetter: 'letters' }],
    ])('refuses another %s than it was created with', (_, options) => {
      const name = bench.name();
      bench.keep(Queue.create(name, { capacityBytes: 8192, maxItems: 4, maxMessageBytes: 1000 }));
      expect(thrownBy(() => Queue.open(name, options))).toEqual(coded('ERR_MISMATCH'));
      expect(thrownBy(() => Queue.openOrCreate(name, options))).toEqual(coded('ERR_MISMATCH'));
      bench.keep(Queue.open(name));
    });

    it('takes the same options again', () => {
      const options = { capacityBytes: 5000, maxItems: 4, maxMessageBytes: 1000, persist: true };
      const name = bench.name();
      bench.keep(Queue.create(name, options));
      bench.keep(Queue.open(name, options));
    });

    it('opens with the codec it was created with', () => {
      const name = bench.name();
      const a = bench.keep(Queue.create(name, { codec: 'raw' }));
      const b = bench.keep(Queue.open<Uint8Array>(name));
      a.putNowait(Uint8Array.of(1, 2));
      expect(b.getNowait()).toEqual(Uint8Array.of(1, 2));
    });

    it('wants a custom codec from every opener, by its name', () => {
      const name = bench.name();
      const a = bench.keep(Queue.create(name, { codec: hex }));
      const b = bench.keep(Queue.open(name, { codec: hex }));
      a.putNowait('c0ffee');
      expect(b.getNowait()).toBe('c0ffee');
      expect(thrownBy(() => Queue.open(name))).toEqual(coded('ERR_MISMATCH'));
      expect(thrownBy(() => Queue.open(name, { codec: { ...hex, name: 'dec' } }))).toEqual(
        coded('ERR_MISMATCH'),
      );
      expect(thrownBy(() => Queue.open(name, { codec: 'raw' }))).toEqual(coded('ERR_MISMATCH'));
      // Who was refused is no participant.
      expect(a.stats().participants).toBe(2);
    });

    it.each([
      ['', 'empty'],
      ['.', 'a dot'],
      ['..', 'two dots'],
      ['a/b', 'a slash'],
      ['a b', 'a space'],
      ['ü', 'an umlaut'],
      ['a\0', 'a zero'],
      ['~anonymous', 'a tilde'],
      ['x'.repeat(201), '201 characters'],
      [7, 'a number'],
      [undefined, 'nothing'],
      [null, 'null'],
    ])('refuses the name %j: %s', async (name, _why) => {
      const bad = name as string;
      expect(thrownBy(() => Queue.create(bad))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => Queue.open(bad))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => Queue.openOrCreate(bad))).toEqual(coded('ERR_INVALID_ARG'));
      await expect(Queue.openWhenAvailable(bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
    });

    it.each(['a', '...', '-', '_', 'A.b-c_9', 'x'.repeat(200)])('takes the name %s', (name) => {
      bench.keep(Queue.create(name));
    });

    it.each(
      rows<unknown>([
        { capacityBytes: 0 },
        { capacityBytes: -1 },
        { capacityBytes: 1.5 },
        { capacityBytes: NaN },
        { capacityBytes: Infinity },
        { capacityBytes: '64 KiB' },
        { capacityBytes: 4096n },
        { capacityBytes: 2 ** 53 - 1 },
        { maxItems: 0 },
        { maxItems: 2.5 },
        { maxMessageBytes: 0 },
        { maxParticipants: 257 },
        { maxDeliveries: 3 },
        { deadLetter: 'letters' },
        { maxDeliveries: 0, deadLetter: 'letters' },
        { maxDeliveries: 3, deadLetter: 'no/name' },
        { persist: 'yes' },
        { codec: 'xml' },
        { codec: 3 },
        { codec: null },
        { codec: {} },
        { codec: { encode() {} } },
        { codec: { ...hex, name: 'raw' } },
        { codec: { ...hex, name: '' } },
        { codec: { ...hex, name: 'x'.repeat(64) } },
        { capacity: 4096 },
        { timeoutMs: 10 },
        null,
        7,
        'raw',
      ]),
    )('refuses the options %s', (_, options) => {
      const bad = options as object;
      const name = bench.name();
      expect(thrownBy(() => Queue.create(name, bad))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => new Queue(bad))).toEqual(coded('ERR_INVALID_ARG'));
      expect(thrownBy(() => Queue.open(name))).toEqual(coded('ERR_NOT_FOUND'));
    });

    it('refuses itself as its dead-letter queue', () => {
      const name = bench.name();
      expect(thrownBy(() => Queue.create(name, { maxDeliveries: 1, deadLetter: name }))).toEqual(
        coded('ERR_INVALID_ARG'),
      );
    });

    it('shows the value received', () => {
      expect(String(thrownBy(() => Queue.create('a/b')))).toContain("'a/b'");
      expect(String(thrownBy(() => Queue.create('a', { maxItems: -3 })))).toContain('-3');
      expect(String(thrownBy(() => Queue.create('a', { capcity: 1 } as object)))).toContain(
        "'capcity'",
      );
    });

    it('rounds the capacity up', () => {
      const q = bench.strings({ capacityBytes: 5000 });
      expect(q.capacityBytes).toBe(8192);
      expect(bench.strings().capacityBytes).toBe(65_536);
    });
  });

  describe('opening when available', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('opens what is there', async () => {
      const q = bench.strings();
      const same = bench.keep(await Queue.openWhenAvailable<string>(q.name));
      q.putNowait('there');
      expect(same.getNowait()).toBe('there');
    });

    it('waits until somebody creates it', async () => {
      const name = bench.name();
      const opening = Queue.openWhenAvailable<string>(name);
      expect(await stateOf(opening)).toBe('pending');
      const q = bench.keep(Queue.create<string>(name));
      const same = bench.keep(await opening);
      q.putNowait('now');
      expect(same.getNowait()).toBe('now');
    });

    it('gives up after timeoutMs, and not before', async () => {
      const began = performance.now();
      const opening = Queue.openWhenAvailable(bench.name(), { timeoutMs: 40 });
      await expect(opening).rejects.toMatchObject({
        name: 'TimeoutError',
        code: 'ERR_TIMEOUT',
        cause: { code: 'ERR_NOT_FOUND' },
      });
      expect(performance.now() - began).toBeGreaterThanOrEqual(40);
    });

    it('looks once with timeoutMs 0', async () => {
      const q = bench.strings();
      bench.keep(await Queue.openWhenAvailable(q.name, { timeoutMs: 0 }));
      await expect(Queue.openWhenAvailable(bench.name(), { timeoutMs: 0 })).rejects.toEqual(
        coded('ERR_TIMEOUT'),
      );
    });

    it('rejects with the reason of an aborted signal', async () => {
      const controller = new AbortController();
      const opening = Queue.openWhenAvailable(bench.name(), { signal: controller.signal });
      const reason = new Error('enough');
      await sleep(5);
      controller.abort(reason);
      await expect(opening).rejects.toBe(reason);
      await expect(
        Queue.openWhenAvailable(bench.name(), { signal: AbortSignal.abort() }),
      ).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    });

    it('rejects at once if it is not what was asked for', async () => {
      const q = bench.strings();
      await expect(
        Queue.openWhenAvailable(q.name, { codec: 'raw', timeoutMs: 10_000 }),
      ).rejects.toEqual(coded('ERR_MISMATCH'));
    });

    it('refuses bad options', async () => {
      await expect(Queue.openWhenAvailable('a', { timeoutMs: NaN })).rejects.toEqual(
        coded('ERR_INVALID_ARG'),
      );
      await expect(Queue.openWhenAvailable('a', { timeout: 3 } as object)).rejects.toEqual(
        coded('ERR_INVALID_ARG'),
      );
    });
  });

  describe('anonymous queues', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;

    it('are each their own', () => {
      const a = bench.keep(new Queue<number>());
      const b = bench.keep(new Queue<number>());
      a.putNowait(1);
      expect(b.tryGet()).toBe(undefined);
      expect(a.getNowait()).toBe(1);
      expect(a.name).not.toBe(b.name);
    });

    it('go with their messages when their last participant leaves', () => {
      const q = new Queue<number>({ codec: 'json' });
      q.putNowait(1);
      q.close();
      expect(bench.backend.registry.list()).toEqual([]);
    });

    it('cannot persist', () => {
      expect(thrownBy(() => new Queue({ persist: true }))).toEqual(coded('ERR_INVALID_ARG'));
    });
  });

  describe('staying and going', () => {
    const bench = benchFor(subject);
    const { Queue } = bench;
    const names = () => bench.backend.registry.list().map(({ name }) => name);

    it('goes with the last participant when it is empty', () => {
      const a = bench.strings();
      const b = bench.keep(Queue.open(a.name));
      a.close();
      expect(names()).toEqual([b.name]);
      b.close();
      expect(names()).toEqual([]);
    });

    it('stays while it holds messages', () => {
      const a = bench.strings();
      a.putNowait('still here');
      a.close();
      expect(names()).toEqual([a.name]);
      const b = bench.keep(Queue.open<string>(a.name));
      expect(b.getNowait()).toBe('still here');
      b.close();
      expect(names()).toEqual([]);
    });

    it('stays empty when it is to persist, until unlinked', () => {
      const name = bench.name();
      const a = bench.keep(Queue.create(name, { persist: true }));
      a.close();
      expect(names()).toEqual([name]);
      bench.keep(Queue.open(name)).unlink();
      expect(names()).toEqual([]);
    });

    it('works on without its name', () => {
      const a = bench.strings();
      const b = bench.keep(Queue.open<string>(a.name));
      a.unlink();
      expect(names()).toEqual([]);
      expect(thrownBy(() => Queue.open(a.name))).toEqual(coded('ERR_NOT_FOUND'));
      a.putNowait('among us');
      expect(b.getNowait()).toBe('among us');
      const other = bench.strings({ name: a.name });
      expect(other.isEmpty).toBe(true);
      // Again is no error, and does not touch who has the name now.
      b.unlink();
      expect(names()).toEqual([other.name]);
      a.close();
      b.close();
      expect(names()).toEqual([other.name]);
    });

    it('is listed with what it is', () => {
      const q = bench.strings();
      q.putNowait('one');
      expect(bench.backend.registry.list()).toStrictEqual([
        {
          name: q.name,
          kind: 'queue',
          totalBytes: expect.any(Number),
          size: 1,
          participants: 1,
          persist: false,
          anonymous: false,
          problem: undefined,
        },
      ]);
    });
  });
}
