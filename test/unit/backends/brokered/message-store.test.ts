import { expect, it } from 'vitest';

import { MessageStore } from '../../../../src/backends/brokered/hub/message-store.js';

const SMALL = Buffer.alloc(8, 1);
const LARGE = Buffer.alloc(1000, 2);

it('messages of a slow queue do not keep the memory of a fast one', () => {
  const slow = new MessageStore();
  const fast = new MessageStore();
  const memories = new Set<Uint8Array>();
  for (let i = 0; i < 500; i++) {
    memories.add(slow.keep(SMALL, 0, SMALL.length, false, i).memory);
    const taken = Array.from({ length: 16 }, () => fast.keep(LARGE, 0, LARGE.length, false, i));
    for (const message of taken) fast.free(message);
  }
  const bytes = [...memories].reduce((sum, { length }) => sum + length, 0);
  expect(bytes).toBeLessThanOrEqual(2 ** 14);
});

it('what is freed is used again, and never while a message stands there', () => {
  const store = new MessageStore();
  const memories = new Set<Uint8Array>();
  let kept: { message: ReturnType<MessageStore['keep']>; byte: number }[] = [];
  for (let i = 0; i < 20_000; i++) {
    const byte = i % 256;
    const message = store.keep(Buffer.alloc(100, byte), 0, 100, false, i);
    memories.add(message.memory);
    kept.push({ message, byte });
    if (i % 7 > 0 || kept.length < 300) continue;
    for (const one of kept) {
      const { memory, at, length } = one.message;
      expect(memory.subarray(at, at + length).every((value) => value === one.byte)).toBe(true);
    }
    for (const one of kept.splice(0, 280)) store.free(one.message);
    kept = [...kept];
  }
  expect(memories.size).toBeLessThan(20);
});

it('a message that is freed twice, or was never freed, harms no other', () => {
  const store = new MessageStore();
  const first = store.keep(SMALL, 0, SMALL.length, false, 0);
  store.free(first);
  store.free(first);
  const [a, b] = [1, 2].map((order) => store.keep(SMALL, 0, SMALL.length, false, order));
  expect(a).not.toBe(b);
  expect([a?.at, b?.at]).toEqual([0, 8]);
});
