import { expect, it } from 'vitest';

import { MessageStore } from '../../../../src/backends/brokered/hub/message-store.js';
import type { Message } from '../../../../src/backends/brokered/hub/message-row.js';
import { ViewedBytes } from '../../../../src/backends/brokered/viewed-bytes.js';

const SMALL = Buffer.alloc(8, 1);
const LARGE = Buffer.alloc(1000, 2);

function keep(store: MessageStore, bytes: Buffer, order: number): Message {
  return store.keep(new ViewedBytes(bytes), 0, bytes.length, false, order);
}

it('messages of a slow queue do not keep the memory of a fast one', () => {
  const slow = new MessageStore();
  const fast = new MessageStore();
  const memories = new Set<ViewedBytes>();
  for (let i = 0; i < 500; i++) {
    memories.add(keep(slow, SMALL, i).memory);
    const taken = Array.from({ length: 16 }, () => keep(fast, LARGE, i));
    for (const message of taken) fast.free(message);
  }
  const bytes = [...memories].reduce((sum, { bytes: { length } }) => sum + length, 0);
  expect(bytes).toBeLessThanOrEqual(2 ** 14);
});

it('what is freed is used again, and never while a message stands there', () => {
  const store = new MessageStore();
  const memories = new Set<ViewedBytes>();
  let kept: { message: Message; byte: number }[] = [];
  for (let i = 0; i < 20_000; i++) {
    const byte = i % 256;
    const message = keep(store, Buffer.alloc(100, byte), i);
    memories.add(message.memory);
    kept.push({ message, byte });
    if (i % 7 > 0 || kept.length < 300) continue;
    for (const one of kept) {
      const { memory, at, length } = one.message;
      const { bytes } = memory;
      expect(bytes.subarray(at, at + length).every((value) => value === one.byte)).toBe(true);
    }
    for (const one of kept.splice(0, 280)) store.free(one.message);
    kept = [...kept];
  }
  expect(memories.size).toBeLessThan(20);
});

it('a message that is freed twice, or was never freed, harms no other', () => {
  const store = new MessageStore();
  const first = keep(store, SMALL, 0);
  store.free(first);
  store.free(first);
  const [a, b] = [1, 2].map((order) => keep(store, SMALL, order));
  expect(a).not.toBe(b);
  expect([a?.at, b?.at]).toEqual([0, 8]);
});
