import { describe, expect, it } from 'vitest';

import { TAKE } from '../../../src/contract/channel.js';
import { block } from '../../../src/primitives/blocking.js';
import { NOT_YET, PendingWaits } from '../../../src/primitives/pending-waits.js';
import type { Operation } from '../../../src/primitives/pending-waits.js';
import { thrownBy } from '../thrown-by.js';

/** A channel of numbers: each sleep lets the next of `coming` in. */
function scene(...coming: number[]) {
  const messages: number[] = [];
  const sleeps: number[] = [];
  let isArmed = false;
  const channel = {
    name: 'script',
    arm: () => {
      isArmed = true;
      return false;
    },
    disarm: () => {
      isArmed = false;
    },
    waitSync(side: number, timeoutMs: number): boolean {
      expect(side).toBe(TAKE);
      expect(isArmed).toBe(false);
      sleeps.push(timeoutMs);
      const next = coming.shift();
      if (next !== undefined) messages.push(next);
      return next !== undefined;
    },
  };
  const take: Operation<number> = { attempt: () => messages.shift() ?? NOT_YET };
  const waits = new PendingWaits(channel, TAKE);
  return { messages, sleeps, channel, take, waits, isArmed: () => isArmed };
}

describe('blocking', () => {
  it('looks before it sleeps, and after', () => {
    const { messages, sleeps, channel, take, waits } = scene(2);
    messages.push(1);
    expect(block(channel, TAKE, waits, take, Infinity)).toBe(1);
    expect(sleeps).toEqual([]);
    expect(block(channel, TAKE, waits, take, Infinity)).toBe(2);
    expect(sleeps).toEqual([Infinity]);
  });

  it('serves the calls that are pending first, and leaves them asking', async () => {
    const { channel, take, waits, isArmed } = scene(1, 2, 3);
    const pending = [1, 2].map(() => waits.add(take, Infinity, undefined));
    expect(isArmed()).toBe(true);
    expect(block(channel, TAKE, waits, take, Infinity)).toBe(3);
    expect(await Promise.all(pending)).toEqual([1, 2]);
    expect(isArmed()).toBe(false);
    const again = waits.add(take, Infinity, undefined);
    expect(thrownBy(() => block(channel, TAKE, waits, take, 1))).toMatchObject({
      code: 'ERR_TIMEOUT',
    });
    expect(isArmed()).toBe(true);
    waits.rejectAll(() => new Error('over'));
    await expect(again).rejects.toThrow('over');
  });

  it('does not sleep with a time-out of 0', () => {
    const { sleeps, channel, take, waits } = scene(1);
    expect(thrownBy(() => block(channel, TAKE, waits, take, 0))).toMatchObject({
      code: 'ERR_TIMEOUT',
    });
    expect(sleeps).toEqual([]);
  });

  it('sleeps for what is left of the time, until it is up', () => {
    const { sleeps, channel, take, waits } = scene();
    const began = performance.now();
    expect(thrownBy(() => block(channel, TAKE, waits, take, 20))).toMatchObject({
      code: 'ERR_TIMEOUT',
    });
    expect(performance.now() - began).toBeGreaterThanOrEqual(20);
    expect(Math.max(...sleeps)).toBeLessThanOrEqual(20);
  });

  it('refuses to, inside of an attempt of a call that is served first', async () => {
    const { channel, take, waits, sleeps } = scene(1);
    const codes: unknown[] = [];
    const pending = waits.add<string>(
      {
        attempt() {
          for (const timeoutMs of [Infinity, 60_000]) {
            codes.push(thrownBy(() => block(channel, TAKE, waits, take, timeoutMs)));
          }
          return 'attempted';
        },
      },
      Infinity,
      undefined,
    );
    waits.serve();
    expect(await pending).toBe('attempted');
    expect(codes).toMatchObject([{ code: 'ERR_DEADLOCK' }, { code: 'ERR_DEADLOCK' }]);
    expect(sleeps).toEqual([]);
  });

  it('adds to the error how far the call had got', () => {
    const { channel, waits } = scene();
    const operation: Operation<number> = {
      attempt: () => NOT_YET,
      failed: (error) => Object.assign(error as object, { accepted: 4 }) as typeof error,
    };
    expect(thrownBy(() => block(channel, TAKE, waits, operation, 1))).toMatchObject({
      accepted: 4,
    });
  });
});
