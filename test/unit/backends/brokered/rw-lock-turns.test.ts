/** Whose turn it is at a lock of readers and writers, when a handle waits for both. */

import { afterEach, beforeEach, expect, it } from 'vitest';

import { ACQUIRE, ACQUIRED, BUSY, SHARE } from '../../../../src/contract/locks.js';
import type { RwLockPart } from '../../../../src/contract/locks.js';
import { STATE_DEFAULTS } from '../../../../src/contract/state.js';
import type { State } from '../../../../src/contract/state.js';
import { openState } from '../../../../src/backends/brokered/remote/remote-state.js';
import { DirectBackend } from '../../direct-backend.js';

let backend: DirectBackend;
const states: State[] = [];

beforeEach(() => {
  backend = new DirectBackend();
});

afterEach(() => {
  for (const state of states.splice(0)) state.close();
});

function open(): { state: State; lock: RwLockPart } {
  const state = openState(backend.anotherLink(), 'it', 'openOrCreate', {
    ...STATE_DEFAULTS,
    kind: 'rwlock',
    byteLength: 0,
    schema: '',
    parameter: 0,
    persist: false,
  });
  states.push(state);
  if (state.parts.rwLock === undefined) throw new Error('no such lock');
  return { state, lock: state.parts.rwLock };
}

// Its reader, whom its own writer keeps back, would not come.
it.each([
  ['before', [ACQUIRE, SHARE]],
  ['after', [SHARE, ACQUIRE]],
] as const)('no turn is kept for the reader of who waits to write too, since %s', (_, sides) => {
  const [one, both] = [open(), open()];
  expect(one.lock.tryWrite(false)).toBe(ACQUIRED);
  for (const side of sides) both.state.arm(side);
  one.lock.releaseWrite();
  expect(both.lock.tryWrite(false)).toBe(ACQUIRED);
});

it('who comes to write gives back the turn of its reader', () => {
  const [one, both, third] = [open(), open(), open()];
  expect(one.lock.tryWrite(false)).toBe(ACQUIRED);
  both.state.arm(SHARE);
  one.lock.releaseWrite();
  expect(third.lock.tryWrite(false)).toBe(BUSY);
  both.state.arm(ACQUIRE);
  expect(third.lock.tryWrite(false)).toBe(ACQUIRED);
});
