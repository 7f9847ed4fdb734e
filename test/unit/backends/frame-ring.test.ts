import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  NOT_PLAIN,
  NOTHING,
  ReceivingRing,
  SendingRing,
} from '../../../src/backends/native/frame-ring.js';
import { NativeBackend } from '../../../src/backends/native/native-backend.js';
import { InterprocError } from '../../../src/errors.js';
import type { PipeEnd } from '../../../src/contract/pipe.js';

const CAPACITY = 4096;
const UNITS = CAPACITY / 8;
const TAIL = 0;
const HEAD = 1;

/** Both sides over one memory. It is not mapped twice: nothing here goes beyond its end. */
function rings() {
  const words = new Int32Array(2);
  const memory = new ArrayBuffer(2 * CAPACITY);
  return {
    words,
    frames: new Int32Array(memory),
    sender: new SendingRing(words, TAIL, HEAD, memory),
    receiver: new ReceivingRing(words, TAIL, HEAD, memory),
    anew: () => new ReceivingRing(words, TAIL, HEAD, memory),
  };
}

const message = (length: number) => Uint8Array.from({ length }, (_, i) => i);

describe('a ring moved by JavaScript', () => {
  it('passes messages of all lengths', () => {
    const { sender, receiver } = rings();
    for (let length = 0; length <= 600; length += 7) {
      expect(sender.send(message(length))).toBe(true);
      const at = receiver.front();
      expect(receiver.length).toBe(length);
      expect(receiver.copy(at)).toEqual(message(length));
      receiver.pop();
      expect(receiver.front()).toBe(NOTHING);
    }
  });

  it('has room for what fits and no more', () => {
    const { sender, receiver } = rings();
    expect(sender.send(message(CAPACITY - 7))).toBe(false);
    expect(
      sender.sendMany(
        Array.from({ length: 300 }, () => message(8)),
        0,
      ),
    ).toBe(UNITS / 2);
    expect(sender.send(message(0))).toBe(false);
    receiver.front();
    receiver.pop();
    expect(sender.send(message(8))).toBe(true);
    expect(sender.send(message(0))).toBe(false);
  });

  it('does not trust what it saw before native code moved its position', () => {
    const { words, sender } = rings();
    expect(sender.send(message(16))).toBe(true);
    // Native code has sent 2^32 units and some since; the ring is full.
    words[TAIL] = 43;
    words[HEAD] = 43 - UNITS;
    expect(sender.send(message(16))).toBe(false);
    words[HEAD] = 43 - UNITS + 3;
    expect(sender.send(message(16))).toBe(true);
  });

  it('does not receive what native code received long ago', () => {
    const { words, sender, receiver } = rings();
    for (let i = 0; i < 2; i++) expect(sender.send(message(16))).toBe(true);
    expect(receiver.front()).toBeGreaterThan(0);
    receiver.pop();
    // Native code has received 2^32 units and some since; the ring is empty.
    words[TAIL] = 5;
    words[HEAD] = 5;
    expect(receiver.front()).toBe(NOTHING);
  });

  it('begins where native code has left a ring, at position -1 too', () => {
    const { words, anew } = rings();
    words[TAIL] = -1;
    words[HEAD] = -1;
    expect(anew().front()).toBe(NOTHING);
  });

  it('leaves what is odd to native code', () => {
    for (const [length, flags] of [
      [17, 0],
      [-1, 0],
      [CAPACITY, 0],
      [16, 1],
      [16, 0x100],
    ] as const) {
      const { frames, sender, receiver } = rings();
      sender.send(message(16));
      frames[0] = length;
      frames[1] = flags;
      expect(receiver.front()).toBe(NOT_PLAIN);
    }
    const { words, sender, receiver } = rings();
    sender.send(message(16));
    words[TAIL] = UNITS + 1;
    expect(receiver.front()).toBe(NOT_PLAIN);
    expect(
      receiver.receiveMany(10, new Uint8Array(CAPACITY), new Uint32Array(10), new Uint32Array(10)),
    ).toBe(0);
  });
});

/** Writes into the file what it likes, at the places that matter, until it is killed. */
const SPOILER = `
  const { openSync, writeSync } = require('node:fs');
  const fd = openSync(process.argv[1], 'r+');
  const word = Buffer.alloc(8);
  let state = Number(process.argv[2]);
  const below = (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const lengths = [0, 8, 64, 500, 4088, 4089, 4096, 0xffffffff, 0xfffffff1];
  for (;;) {
    for (let i = 0; i < 3; i++) {
      const kind = below(3);
      word.writeUInt32LE(kind === 0 ? below(2 ** 32) : kind === 1 ? below(2048) : lengths[below(9)], 0);
      word.writeUInt32LE(below(2) ? 0 : below(1024), 4);
      const position = 4096 + 1024 + below(2) * 256 + below(2) * 128;
      if (below(3) === 0) writeSync(fd, word, 0, 4, position);
      else writeSync(fd, word, 0, 8, 12288 + below(1024) * 8);
    }
    if (below(2)) {
      word.fill(0);
      for (const at of [0, 128, 256, 384]) writeSync(fd, word, 0, 4, 4096 + 1024 + at);
    }
  }`;

describe('both ends of a pipe', () => {
  const directory = mkdtempSync('/dev/shm/interproc-frames-');
  let backend: NativeBackend;

  beforeAll(() => {
    process.env['INTERPROC_DIR'] = directory;
    backend = new NativeBackend();
  });
  afterAll(() => {
    delete process.env['INTERPROC_DIR'];
    rmSync(directory, { recursive: true });
  });

  /** One call; what it says must make sense, or be an error of the package's. */
  function call(end: PipeEnd, kind: number, small: Uint8Array): boolean {
    try {
      switch (kind) {
        case 0:
          return end.trySend(message(kind * 40), 0) === 0;
        case 1:
          end.outbox.fill(kind, 0, 64);
          return end.trySendOutbox(64, 0) === 0;
        case 2:
          return end.trySendMany([message(8), message(300), message(0)], 0) > 0;
        case 3: {
          const length = end.tryReceive();
          expect(length).toBeLessThanOrEqual(end.inbox.length);
          return length >= 0;
        }
        case 4: {
          const received = end.tryReceiveCopy();
          if (typeof received !== 'number') expect(received.length).toBeLessThanOrEqual(1 << 20);
          return typeof received !== 'number';
        }
        case 5: {
          const buffer = new Uint8Array(500).fill(0xee);
          const length = end.tryReceiveInto(buffer.subarray(0, 400), 100);
          expect(length).toBeLessThanOrEqual(300);
          expect(buffer.subarray(0, 100).every((each) => each === 0xee)).toBe(true);
          expect(buffer.subarray(400).every((each) => each === 0xee)).toBe(true);
          return length >= 0;
        }
        case 6: {
          const count = end.tryReceiveMany(100);
          for (let i = 0; i < count; i++) {
            const last = (end.offsets[i] as number) + (end.lengths[i] as number);
            expect(last).toBeLessThanOrEqual(end.inbox.length);
          }
          return count > 0;
        }
        case 7:
          end.finish();
          end.isReadable();
          return false;
        default:
          end.nextLength();
          return end.trySendParts(small, 0, 0) > 0;
      }
    } catch (error) {
      expect(error).toBeInstanceOf(InterprocError);
      return false;
    }
  }

  it.each([1, 2])('survive another process that writes into their memory (%i)', async (seed) => {
    const [a, b] = backend.openPipe({ capacityBytes: CAPACITY, maxMessageBytes: 1 << 20 });
    const file = join(directory, a.name);
    expect(readdirSync(directory)).toContain(a.name);
    const spoiler = spawn(process.execPath, ['-e', SPOILER, file, String(seed)], {
      stdio: 'inherit',
    });
    const small = message(CAPACITY + 100);
    let moved = 0;
    let state = seed;
    for (let i = 0; i < 60_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      if (call((state & 0x10000) !== 0 ? a : b, (state >>> 20) % 9, small)) moved++;
    }
    expect(spoiler.exitCode).toBe(null);
    const gone = new Promise((resolve) => spoiler.once('exit', resolve));
    spoiler.kill('SIGKILL');
    await gone;
    expect(moved).toBeGreaterThan(0);
    a.close();
    b.close();
  });

  it('pass messages again when all is in order again', () => {
    const [a, b] = backend.openPipe({ capacityBytes: CAPACITY });
    const fd = openSync(join(directory, a.name), 'r+');
    const position = Buffer.alloc(4);
    position.writeInt32LE(-7);
    // Both rings, just before their positions wrap.
    for (const at of [0, 128, 256, 384]) writeSync(fd, position, 0, 4, 4096 + 1024 + at);
    closeSync(fd);
    for (let i = 0; i < 100; i++) {
      expect(a.trySend(message(i * 10), 0)).toBe(0);
      expect(b.trySend(message(i), 2)).toBe(0);
      expect(b.tryReceiveCopy()).toEqual(message(i * 10));
      expect(a.tryReceiveCopy()).toEqual(message(i));
      expect(a.marks).toBe(2);
    }
    a.close();
    b.close();
  });
});
