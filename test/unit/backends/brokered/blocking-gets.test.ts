/** Who blocks for one message after the other asks for none: the hub looks when it hears that he waits. */

import { afterEach, expect, it, vi } from 'vitest';

import { Link } from '../../../../src/backends/brokered/remote/link.js';
import { bindQueue } from '../../../../src/primitives/bind-queue.js';
import type { Queue } from '../../../../src/primitives/queue.js';
import { DirectBackend } from '../../direct-backend.js';

const TRIPS = 100;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Two queues, and somebody who answers while this thread is blocked. */
function scene() {
  const backend = new DirectBackend();
  const other = backend.anotherClient();
  const there = bindQueue(() => backend).create('there', { codec: 'raw' });
  const back = bindQueue(() => backend).create('back', { codec: 'raw' });
  const theirs = bindQueue(() => other).open('there', { codec: 'raw' });
  const answers = bindQueue(() => other).open('back', { codec: 'raw' });
  backend.whileBlocked = () => {
    const asked = theirs.tryGet();
    if (asked !== undefined) answers.putNowait(asked);
    return true;
  };
  return { backend, there, back, answers };
}

const GETS = {
  getSync: (queue: Queue<Uint8Array>) => queue.getSync()[0],
  getInto: (queue: Queue<Uint8Array>) => {
    const into = new Uint8Array(1);
    queue.getInto(into);
    return into[0];
  },
  getManySync: (queue: Queue<Uint8Array>) => queue.getManySync({ max: 1 })[0]?.[0],
};

it.each(Object.entries(GETS))('%s after each put makes no request', (_name, get) => {
  const { backend, there, back } = scene();
  const asked = vi.spyOn(Link.prototype, 'ask');
  const requests = () => asked.mock.contexts.filter((link) => link === backend.connection).length;
  // All of it is done quickly.
  vi.spyOn(performance, 'now').mockReturnValue(1000);
  for (let i = 0; i < TRIPS; i++) {
    there.putSync(Uint8Array.of(i));
    const before = requests();
    expect(get(back)).toBe(i);
    // The first one looks once, and from then on it is known that messages come one by one.
    expect(requests() - before).toBe(i === 0 ? 1 : 0);
  }
  // For its second put it was promised room.
  expect(requests()).toBe(3);
});

it('a get that may not wait looks', () => {
  const { back, answers } = scene();
  expect(back.tryGet()).toBeUndefined();
  answers.putNowait(Uint8Array.of(7));
  expect(back.getSync({ timeoutMs: 0 })).toEqual(Uint8Array.of(7));
});
