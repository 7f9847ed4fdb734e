/** Who waits would look by itself, half a second later, and hide that nobody told it: so these tests look at the telling itself. */

import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';

import { NativeBackend } from '../../../src/backends/native/native-backend.js';
import { NativeCells } from '../../../src/backends/native/native-cells.js';
import { bindSharedArray } from '../../../src/primitives/bind-shared-array.js';
import { bindValue } from '../../../src/primitives/bind-value.js';
import { HandleClasses } from '../../../src/primitives/passengers.js';
import type { SharedArray } from '../../../src/primitives/shared-array.js';
import { Struct } from '../../../src/shapes/struct.js';
import type { Value } from '../../../src/primitives/value.js';

const directory = mkdtempSync('/dev/shm/interproc-telling-');
process.env['INTERPROC_DIR'] = directory;
const backend = new NativeBackend();
const handles = new HandleClasses();
const Values = bindValue(() => backend, handles);
const Arrays = bindSharedArray(() => backend, handles);
const notify = vi.spyOn(NativeCells.prototype, 'notify');

afterEach(() => {
  notify.mockClear();
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** How often native code was asked to tell of a change, without anybody who waits and with somebody. */
async function tellings(
  one: { waitFor(predicate: () => boolean): Promise<unknown>; close(): void },
  change: () => void,
): Promise<[number, number]> {
  notify.mockClear();
  change();
  const unwatched = notify.mock.calls.length;
  notify.mockClear();
  const waiting = one.waitFor(() => false).catch(() => undefined);
  change();
  const watched = notify.mock.calls.length;
  one.close();
  await waiting;
  return [unwatched, watched];
}

type Numbers = Value<number>;

describe('a change tells native code only if somebody waits', () => {
  const changes: Record<string, (n: Numbers) => void> = {
    add: (n) => n.add(1),
    sub: (n) => n.sub(1),
    and: (n) => n.and(1),
    or: (n) => n.or(1),
    xor: (n) => n.xor(1),
    exchange: (n) => n.exchange(1),
    compareExchange: (n) => n.compareExchange(n.value, 1),
    update: (n) => n.update((v) => v),
  };

  it.each(Object.entries(changes))('%s of an integer', async (_, change) => {
    const n = new Values('int32');
    expect(await tellings(n, () => change(n))).toEqual([0, 1]);
  });

  it.each(Object.entries(changes).filter(([name]) => name !== 'add' && name !== 'sub'))(
    '%s of a boolean',
    async (_, change) => {
      const n = new Values('bool');
      const anyhow = n as unknown as Record<string, (...args: unknown[]) => unknown>;
      const proxy = new Proxy(n, {
        get: (target, key) =>
          key === 'value'
            ? target.value
            : (...args: unknown[]) =>
                anyhow[key as string]?.(...args.map((x) => (x === 1 ? true : x))),
      });
      expect(await tellings(n, () => change(proxy as unknown as Numbers))).toEqual([0, 1]);
    },
  );

  it('add of a 64-bit integer', async () => {
    const n = new Values('int64');
    expect(await tellings(n, () => n.add(1n))).toEqual([0, 1]);
    const other = new Values('uint64');
    expect(await tellings(other, () => other.add(1))).toEqual([0, 1]);
  });

  it('operations on elements', async () => {
    for (const change of [
      (xs: SharedArray<number>) => xs.addAt(0, 1),
      (xs: SharedArray<number>) => xs.orAt(0, 1),
      (xs: SharedArray<number>) => xs.exchangeAt(0, 1),
      (xs: SharedArray<number>) => xs.compareExchangeAt(0, 0, 1),
      (xs: SharedArray<number>) => xs.updateAt(0, (v) => v),
    ]) {
      const xs = new Arrays('int32', 2) as unknown as SharedArray<number>;
      expect(await tellings(xs, () => change(xs))).toEqual([0, 1]);
    }
  });

  it('a struct that was exchanged or updated tells in any case, one that was stored does not', async () => {
    const Point = Struct({ x: 'int32' });
    for (const [change, told] of [
      [(p: Value<{ x: number }>) => p.exchange({ x: 1 }), 1],
      [(p: Value<{ x: number }>) => p.update((v) => v), 1],
      [(p: Value<{ x: number }>) => (p.value = { x: 1 }), 0],
    ] as const) {
      const p = new Values(Point);
      expect(await tellings(p, () => change(p))).toEqual([told, told]);
    }
  });

  it('a plain store tells nobody', async () => {
    const n = new Values('int32');
    expect(await tellings(n, () => (n.value = 1))).toEqual([0, 0]);
    const xs = new Arrays('int32', 1);
    expect(await tellings(xs, () => (xs[0] = 1))).toEqual([0, 0]);
  });
});
