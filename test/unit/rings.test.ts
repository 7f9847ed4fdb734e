import { copyFileSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { EOFError, MpmcRing, SpscRing, TimeoutError } from '../../src/ring.js';
import { prune, Queue } from '../../src/index.js';

let directory: string;
const open: { close(): void }[] = [];

function keep<T extends { close(): void }>(handle: T): T {
  open.push(handle);
  return handle;
}

beforeAll(() => {
  directory = mkdtempSync('/dev/shm/interproc-rings-');
  process.env['INTERPROC_DIR'] = directory;
});

afterEach(() => {
  for (const handle of open.splice(0)) handle.close();
  prune(); // rings that still hold messages
  expect(readdirSync(directory).filter((name) => !name.startsWith('~bell-'))).toEqual([]);
});

afterAll(() => {
  delete process.env['INTERPROC_DIR'];
  rmSync(directory, { recursive: true });
});

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('a ring with one producer and one consumer', () => {
  const pair = (capacityBytes = 4096) => {
    const producer = keep(SpscRing.create('ring', { role: 'producer', capacityBytes }));
    const consumer = keep(SpscRing.open('ring', { role: 'consumer' }));
    return { producer, consumer };
  };

  it.each(['open', 'openOrCreate'] as const)('is not what it is not: %s', (how) => {
    keep(SpscRing.create('ring', { role: 'producer', capacityBytes: 4096 }));
    for (const other of [{ capacityBytes: 8192 }, { persist: true }]) {
      expect(() => keep(SpscRing[how]('ring', { role: 'consumer', ...other }))).toThrow(
        expect.objectContaining({ code: 'ERR_MISMATCH' }),
      );
    }
    keep(SpscRing[how]('ring', { role: 'consumer', capacityBytes: 4000, persist: false }));
  });

  it('has no option of another name', () => {
    for (const call of [
      () => keep(SpscRing.create('typo', { role: 'producer', capacity: 1 } as never)),
      () => keep(MpmcRing.create('typo', { role: 'producer' } as never)),
      () => keep(MpmcRing.create('typo', { Persist: true } as never)),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG' }));
      expect(call).toThrow(/has no option '(capacity|role|Persist)'/);
    }
  });

  it('does not travel in messages', () => {
    const { producer } = pair();
    const q = keep(Queue.create<unknown>('carrier'));
    for (const ring of [producer, keep(MpmcRing.create('many'))]) {
      expect(() => q.tryPut({ ring })).toThrow(expect.objectContaining({ code: 'ERR_ENCODE' }));
    }
    expect(q.size).toBe(0);
  });

  it('shows the argument that it refuses', () => {
    const { producer } = pair();
    expect(() => producer.tryPush('some text' as never)).toThrow("'some text'");
    expect(() => producer.pushSync(bytes(1), { timeoutMs: 'soon' as never })).toThrow("'soon'");
  });

  it('hands messages over in order, whole, and of any length down to none', () => {
    const { producer, consumer } = pair();
    const messages = [bytes(), bytes(1), bytes(1, 2, 3), new Uint8Array(1000).fill(9)];
    for (const message of messages) expect(producer.tryPush(message)).toBe(true);
    for (const message of messages) expect(consumer.tryPop()).toEqual(message);
    expect(consumer.tryPop()).toBeUndefined();
  });

  it('says when it is full, and takes the message once there is room', () => {
    const { producer, consumer } = pair();
    const message = new Uint8Array(1000);
    let pushed = 0;
    while (producer.tryPush(message)) pushed++;
    expect(pushed).toBe(4);
    expect(producer.usedBytes).toBe(4 * 1008);
    consumer.popSync();
    expect(producer.tryPush(message)).toBe(true);
  });

  it('takes a message as large as it says, and refuses a larger one', () => {
    const { producer, consumer } = pair();
    const largest = new Uint8Array(producer.maxMessageBytes).fill(7);
    producer.pushSync(largest);
    expect(consumer.popSync()).toEqual(largest);
    expect(() => producer.tryPush(new Uint8Array(largest.length + 1))).toThrow(
      expect.objectContaining({ code: 'ERR_TOO_LARGE' }),
    );
  });

  it('leaves a message in place that does not fit the buffer', () => {
    const { producer, consumer } = pair();
    producer.pushSync(bytes(1, 2, 3));
    expect(() => consumer.tryPopInto(new Uint8Array(2))).toThrow(
      expect.objectContaining({ code: 'ERR_TOO_LARGE' }),
    );
    const buffer = new Uint8Array(8);
    expect(consumer.popIntoSync(buffer)).toBe(3);
    expect(buffer.subarray(0, 3)).toEqual(bytes(1, 2, 3));
    expect(consumer.tryPopInto(buffer)).toBe(-1);
  });

  it('has one producer and one consumer at a time', () => {
    const { producer, consumer } = pair();
    expect(() => SpscRing.open('ring', { role: 'producer' })).toThrow(
      expect.objectContaining({ code: 'ERR_NO_SLOT' }),
    );
    expect(consumer.peerAlive).toBe(true);
    producer.pushSync(bytes(5));
    producer.close();
    expect(consumer.peerAlive).toBe(false);
    const next = keep(SpscRing.open('ring', { role: 'producer' }));
    next.pushSync(bytes(6));
    expect([consumer.popSync(), consumer.popSync()]).toEqual([bytes(5), bytes(6)]);
  });

  it('ends: the rest can be read, then EOFError', () => {
    const { producer, consumer } = pair();
    producer.pushSync(bytes(1));
    producer.end();
    expect(() => producer.tryPush(bytes(2))).toThrow(
      expect.objectContaining({ code: 'ERR_ENDED' }),
    );
    expect(consumer.popSync()).toEqual(bytes(1));
    expect(() => consumer.popSync()).toThrow(EOFError);
  });

  it('times out, not before its time, and takes nothing', () => {
    const { producer, consumer } = pair();
    const started = performance.now();
    expect(() => consumer.popSync({ timeoutMs: 60 })).toThrow(TimeoutError);
    expect(performance.now() - started).toBeGreaterThanOrEqual(59);
    producer.pushSync(bytes(1));
    expect(consumer.popSync({ timeoutMs: 0 })).toEqual(bytes(1));
  });

  it('refuses what is no role and no bytes', () => {
    expect(() => SpscRing.create('ring', { role: 'reader' as 'producer' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG' }),
    );
    const { producer } = pair();
    expect(() => producer.tryPush('text' as unknown as Uint8Array)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG' }),
    );
  });

  it('says that it is closed', () => {
    const { producer } = pair();
    producer.close();
    expect(() => producer.tryPush(bytes(1))).toThrow(
      expect.objectContaining({ code: 'ERR_CLOSED' }),
    );
  });
});

describe('a ring with many producers and consumers', () => {
  it('is the queue with codec raw', async () => {
    const ring = keep(MpmcRing.create('ring', { capacityBytes: 8192 }));
    const queue = keep(Queue.open('ring'));
    ring.pushSync(bytes(1, 2));
    expect(ring.size).toBe(1);
    expect(await queue.get()).toEqual(bytes(1, 2));
    queue.putSync(bytes(3));
    expect(ring.popSync()).toEqual(bytes(3));
  });

  it('is of another kind than a ring for two', () => {
    keep(MpmcRing.create('ring'));
    expect(() => SpscRing.open('ring', { role: 'consumer' })).toThrow(
      expect.objectContaining({ code: 'ERR_KIND' }),
    );
  });
});

describe('what the killed left behind', () => {
  /** As it is when everybody who had it open was killed: the file, and nobody attached to it. */
  function abandon(handle: { readonly name: string; close(): void }): void {
    const file = `${directory}/${handle.name}`;
    copyFileSync(file, `${file}.left`);
    handle.close();
    renameSync(`${file}.left`, file);
  }

  const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

  it('is in nobody’s way, also if it is of another kind', () => {
    abandon(SpscRing.create('left', { role: 'producer' }));
    expect(() => Queue.open('left')).toThrow(code('ERR_NOT_FOUND'));
    abandon(SpscRing.create('left', { role: 'producer' }));
    keep(Queue.create('left')).close();
    abandon(SpscRing.create('left', { role: 'producer' }));
    keep(Queue.openOrCreate('left')).close();
    abandon(Queue.create('left'));
    expect(() => SpscRing.open('left', { role: 'producer' })).toThrow(code('ERR_NOT_FOUND'));
    abandon(Queue.create('left'));
    keep(SpscRing.create('left', { role: 'producer' }));
  });

  it('stays if it holds messages, and so does what is in use', () => {
    const ring = SpscRing.create('full', { role: 'producer' });
    ring.tryPush(bytes(1));
    expect(() => Queue.create('full')).toThrow(code('ERR_EXISTS'));
    expect(() => Queue.open('full')).toThrow(code('ERR_KIND'));
    abandon(ring);
    expect(() => Queue.create('full')).toThrow(code('ERR_EXISTS'));
    expect(() => Queue.open('full')).toThrow(code('ERR_KIND'));
    expect(keep(SpscRing.open('full', { role: 'consumer' })).tryPop()).toEqual(bytes(1));
    const q = Queue.create('waiting', { codec: 'string' });
    q.putNowait('kept');
    abandon(q);
    expect(() => SpscRing.create('waiting', { role: 'producer' })).toThrow(code('ERR_EXISTS'));
    expect(() => SpscRing.open('waiting', { role: 'producer' })).toThrow(code('ERR_KIND'));
    expect(keep(Queue.open<string>('waiting')).tryGet()).toBe('kept');
  });
});
