/** Who puts without a pause asks for nothing: room comes ahead of him. */

import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';

import { Link } from '../../../../src/backends/brokered/remote/link.js';
import { bindQueue } from '../../../../src/primitives/bind-queue.js';
import { DirectBackend } from '../../direct-backend.js';

const MESSAGES = 20_000;
/** By then it is known how quick they are. */
const KNOWN_AFTER = 4_000;

afterEach(() => {
  vi.restoreAllMocks();
});

it('a queue between two that are busy', async () => {
  const backend = new DirectBackend();
  const other = backend.anotherClient();
  const jobs = bindQueue(() => backend).create<number>('jobs', { capacityBytes: 2 ** 20 });
  const same = bindQueue(() => other).open<number>('jobs');
  const asked = vi.spyOn(Link.prototype, 'ask');
  const taking = (async () => {
    for (let next = 0; next < MESSAGES; next++) {
      const value = await same.get();
      if (value !== next) return `${value} where ${next} should be`;
    }
    return 'all, in order';
  })();
  for (let i = 0; i < MESSAGES; i++) {
    if (i === KNOWN_AFTER) asked.mockClear();
    await jobs.put(i);
    if (i % 500 === 0) await turn();
  }
  expect(await taking).toBe('all, in order');
  const putter = backend.connection;
  expect(asked.mock.contexts.filter((link) => link === putter)).toEqual([]);
  jobs.close();
  same.close();
});

it('a queue that is filled and emptied without a turn of the event loop', () => {
  const backend = new DirectBackend();
  const other = backend.anotherClient();
  const jobs = bindQueue(() => backend).create<number>('jobs', { capacityBytes: 2 ** 20 });
  const same = bindQueue(() => other).open<number>('jobs');
  const asked = vi.spyOn(Link.prototype, 'ask');
  for (let i = 0; i < MESSAGES; i++) {
    if (i === KNOWN_AFTER) asked.mockClear();
    jobs.putNowait(i);
    expect(same.tryGet()).toBe(i);
  }
  const putter = backend.connection;
  expect(asked.mock.contexts.filter((link) => link === putter)).toEqual([]);
  jobs.close();
  same.close();
});
