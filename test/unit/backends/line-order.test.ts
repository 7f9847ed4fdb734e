import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';

import type { Line } from '../../../src/backends/brokered/line.js';
import { newHubWords } from '../../../src/backends/brokered/rings/hub-bell.js';
import { HubLife } from '../../../src/backends/memory/hub-life.js';
import { Lifeline } from '../../../src/backends/memory/lifeline.js';
import { newLineMemory } from '../../../src/backends/brokered/rings/line-memory.js';
import { beginPulse } from '../../../src/backends/memory/pulse.js';
import { ThreadLine } from '../../../src/backends/brokered/rings/thread-line.js';
import { SocketLine } from '../../../src/backends/socket/socket-line.js';

const SENT = 2 ** 20;
const SAID = 2 ** 20;
const PATIENCE_MS = 10_000;

/** Sends half without reading, reads all, and sends the other half. Both halves count, by u32. `flags`: 1 when it is through. */
const SENDING = `
  const { workerData, parentPort } = require('node:worker_threads');
  const payload = new Uint32Array(workerData.sent / 4).map((_, i) => i);
  const bytes = Buffer.from(payload.buffer);
  const half = bytes.length / 2;
  const flags = new Int32Array(workerData.flags);
  function isThrough() { Atomics.store(flags, 0, 1); Atomics.notify(flags, 0); }
`;

const SOCKET_HUB = `${SENDING}
  require('node:net').createServer((socket) => {
    socket.pause();
    let left = workerData.said;
    socket.on('data', (said) => {
      left -= said.length;
      if (left > 0) return;
      socket.write(bytes.subarray(half));
      isThrough();
    });
    socket.write(bytes.subarray(0, half), () => socket.resume());
  }).listen(workerData.path, () => parentPort.postMessage('listens'));
`;

const MEMORY_HUB = `${SENDING}
  const modules = ['byte-ring.js', 'line-memory.js', 'thread-bell.js'];
  Promise.all(modules.map((name) => import(workerData.dist + name))).then(([ring, memory, { ThreadBell }]) => {
    const { words, toHub, toThread } = memory.viewsOf(workerData.line);
    const reader = new ring.RingReader(words, memory.TO_HUB_TAIL, memory.TO_HUB_HEAD, toHub);
    const writer = new ring.RingWriter(words, memory.TO_THREAD_TAIL, memory.TO_THREAD_HEAD, toThread);
    const bell = new ThreadBell(words);
    parentPort.postMessage('listens');
    let at = 0;
    function send(end) {
      at += writer.write(bytes.subarray(0, end), at);
      bell.written();
    }
    while (at < half) send(half);
    const chunk = Buffer.alloc(2 ** 17);
    for (let left = workerData.said; left > 0; ) left -= reader.read(chunk);
    send(half + 2 ** 16);
    isThrough();
    while (at < bytes.length) send(bytes.length);
  });
`;

/** Whoever hears of something may block for more, as the objects of a link do when they are rung. */
async function countsHeard(line: Line, flags: Int32Array): Promise<Uint32Array> {
  const heard: Buffer[] = [];
  let bytes = 0;
  const isHeard = new Promise<void>((resolve) => {
    line.onBytes = (chunk) => {
      heard.push(Buffer.from(chunk));
      bytes += chunk.length;
      if (bytes === SENT) resolve();
      line.wait(0);
    };
    line.onLost = () => resolve();
  });
  line.ref();
  // So that the event loop reads the line before it comes to what was put off.
  await new Promise(setImmediate);
  line.write(Buffer.alloc(SAID));
  Atomics.wait(flags, 0, 0, PATIENCE_MS);
  await isHeard;
  line.close();
  const all = new Uint8Array(Buffer.concat(heard));
  return new Uint32Array(all.buffer);
}

function outOfOrder(counts: Uint32Array): number {
  return counts.findIndex((count, i) => count !== i);
}

const flags = () => new Int32Array(new SharedArrayBuffer(4));

async function withSocketHub(use: (line: SocketLine, through: Int32Array) => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), 'interproc-'));
  const path = join(directory, 's');
  const through = flags();
  const worker = new Worker(SOCKET_HUB, {
    eval: true,
    workerData: { path, sent: SENT, said: SAID, flags: through.buffer },
  });
  try {
    await once(worker, 'message');
    const line = SocketLine.to(path, PATIENCE_MS);
    if (line === undefined) throw new Error('nobody listens');
    await use(line, through);
    line.close();
  } finally {
    await worker.terminate();
    rmSync(directory, { recursive: true });
  }
}

describe('what comes while a thread is writing is heard in its order', () => {
  it('over a socket', () =>
    withSocketHub(async (line, through) => {
      expect(outOfOrder(await countsHeard(line, through))).toBe(-1);
    }));

  it('through memory', async () => {
    const memory = newLineMemory();
    const through = flags();
    const dist = new URL('../../../dist/backends/brokered/rings/', import.meta.url);
    const worker = new Worker(MEMORY_HUB, {
      eval: true,
      workerData: {
        dist: dist.href,
        line: memory.shared,
        sent: SENT,
        said: SAID,
        flags: through.buffer,
      },
    });
    try {
      await once(worker, 'message');
      const line = new ThreadLine(memory, newHubWords(), new HubLife(new Lifeline(), beginPulse()));
      expect(outOfOrder(await countsHeard(line, through))).toBe(-1);
    } finally {
      await worker.terminate();
    }
  });
});

describe('what came over a socket', () => {
  it('stays as it is while whoever hears of it writes', () =>
    withSocketHub((line) => {
      const kept: boolean[] = [];
      line.onBytes = (bytes) => {
        const before = Buffer.from(bytes);
        if (kept.length === 0) line.write(Buffer.alloc(SAID));
        kept.push(bytes.equals(before));
      };
      while (!line.wait(PATIENCE_MS));
      expect(kept[0]).toBe(true);
      return Promise.resolve();
    }));
});
