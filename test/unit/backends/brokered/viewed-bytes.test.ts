import { expect, it } from 'vitest';

import { copyBytes, ViewedBytes } from '../../../../src/backends/brokered/viewed-bytes.js';

const from = new ViewedBytes(Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167) % 256)));

it('copies any length from anywhere to anywhere, and writes nothing else', () => {
  for (const length of [...Array(40).keys(), 158, 159, 160, 161, 162, 163, 164, 300]) {
    for (const start of [0, 1, 2, 3, 5]) {
      for (const at of [0, 1, 2, 3, 6]) {
        const to = new ViewedBytes(Buffer.alloc(400, 0xee));
        copyBytes(from, start, to, at, length);
        const expected = Buffer.alloc(400, 0xee);
        expected.set(from.bytes.subarray(start, start + length), at);
        expect(to.bytes.equals(expected)).toBe(true);
      }
    }
  }
});

it('is a view of just those bytes where others stand beside them', () => {
  const whole = Buffer.alloc(32, 1);
  const part = new ViewedBytes(whole.subarray(8, 16));
  copyBytes(from, 0, part, 0, 8);
  expect(whole.subarray(8, 16).equals(from.bytes.subarray(0, 8))).toBe(true);
  expect(whole.subarray(0, 8).every((value) => value === 1)).toBe(true);
  expect(() => copyBytes(from, 0, part, 4, 8)).toThrow(RangeError);
});

it('refuses what is longer than either of both, however short that is', () => {
  const short = ViewedBytes.ofLength(8);
  expect(() => copyBytes(short, 4, ViewedBytes.ofLength(64), 0, 8)).toThrow(RangeError);
  expect(() => copyBytes(from, 0, short, 1, 8)).toThrow(RangeError);
});
