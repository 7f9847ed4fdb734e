import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newHubWords } from '../../../src/backends/brokered/rings/hub-bell.js';
import { HubLife } from '../../../src/backends/memory/hub-life.js';
import { Lifeline } from '../../../src/backends/memory/lifeline.js';
import {
  ACCEPTED,
  RING_BYTES,
  STATE,
  newLineMemory,
} from '../../../src/backends/brokered/rings/line-memory.js';
import { ThreadLine } from '../../../src/backends/brokered/rings/thread-line.js';
import { seededRandom } from '../../conformance/seeded-random.js';

/** With a thread that sends back whatever comes. */
describe('a line through shared memory', () => {
  let line: ThreadLine;
  let echo: Worker;
  let came: Buffer[];
  let bytesCame: number;
  let onCame: () => void;

  beforeEach(async () => {
    const memory = newLineMemory();
    const hubWords = newHubWords();
    const lifeline = new Lifeline();
    echo = new Worker(new URL('./memory-line-echo.mjs', import.meta.url), {
      workerData: {
        memory: memory.shared,
        hubWords: hubWords.buffer,
        lifeline: lifeline.address,
      },
      execArgv: [],
    });
    while (Atomics.load(memory.words, STATE) !== ACCEPTED) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    line = new ThreadLine(memory, hubWords, new HubLife(lifeline, ''));
    came = [];
    bytesCame = 0;
    onCame = () => {};
    line.onBytes = (bytes) => {
      came.push(Buffer.from(bytes));
      bytesCame += bytes.length;
      onCame();
    };
  });

  afterEach(async () => {
    line.close();
    await echo.terminate();
  });

  /** By the event loop alone. */
  function until(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      onCame = () => {
        if (bytesCame >= bytes) resolve();
      };
      onCame();
    });
  }

  function patterned(length: number, from = 0): Buffer {
    return Buffer.from(Uint8Array.from({ length }, (_, i) => ((from + i) * 7919) >>> 5));
  }

  it('brings bytes to a thread that blocks, and to an event loop', async () => {
    line.ref();
    line.write(Buffer.from('blocked'));
    while (bytesCame < 7) line.wait(1000);
    line.write(Buffer.from(' and not'));
    await until(15);
    expect(Buffer.concat(came).toString()).toBe('blocked and not');
  });

  it('does not stand still when both sides have more to say than fits, and neither listens', async () => {
    line.ref();
    const all = patterned(64 * RING_BYTES);
    // The echo has no room, and takes no more until somebody reads; this thread does nothing but write.
    line.write(all);
    expect(bytesCame).toBe(0);
    await until(all.length);
    expect(Buffer.concat(came).equals(all)).toBe(true);
  });

  it('loses no wake, however writes, waits and turns of the event loop fall', async () => {
    line.ref();
    const random = seededRandom('a line through shared memory');
    const below = (bound: number) => Math.floor(random() * bound);
    let sent = 0;
    for (let i = 0; i < 3000; i++) {
      const length = below(8) === 0 ? below(3 * RING_BYTES) >> 2 : below(200);
      line.write(patterned(length, sent));
      sent += length;
      const what = below(6);
      if (what === 0) line.wait(below(2));
      else if (what === 1) await new Promise((resolve) => setImmediate(resolve));
      // Nothing but a ring can end these.
      else if (what === 2) await until(sent);
      else if (what === 3) while (bytesCame < sent) line.wait(60_000);
    }
    await until(sent);
    expect(Buffer.concat(came).equals(patterned(sent))).toBe(true);
  });

  it('has all been heard when the thread is gone', async () => {
    echo.postMessage('be deaf');
    await once(echo, 'message');
    const all = patterned(RING_BYTES / 2);
    line.write(all);
    line.close();
    expect(await once(echo, 'message')).toEqual([all.length]);
  });

  it('ends with the other side', async () => {
    const lost = new Promise<Error>((resolve) => {
      line.onLost = resolve;
    });
    line.write(Buffer.from('hello'));
    await until(5);
    await echo.terminate();
    expect((await lost).message).toContain('has ended');
    expect(() => line.write(Buffer.from('x'))).toThrow('gone');
    expect(line.wait(10)).toBe(false);
  });
});
