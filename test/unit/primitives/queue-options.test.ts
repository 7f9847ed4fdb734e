import { describe, expect, it } from 'vitest';

import { channelOptions, checkOptionNames } from '../../../src/primitives/queue-options.js';
import type { QueueOptions } from '../../../src/primitives/queue-options.js';
import { thrownBy } from '../thrown-by.js';

const LETTERS = { maxDeliveries: 3, deadLetter: 'letters' };

describe('queue options', () => {
  it('reach the backend as they are', () => {
    const options = {
      capacityBytes: 5000,
      maxMessageBytes: 100,
      maxItems: 1,
      persist: true,
      maxParticipants: 256,
      ...LETTERS,
    };
    expect(channelOptions(options, 'create', 'jobs', 'raw')).toEqual({ ...options, codec: 'raw' });
  });

  it('that are not given are left to the backend', () => {
    const options = channelOptions({}, 'openOrCreate', 'jobs', undefined);
    for (const value of Object.values(options)) expect(value).toBe(undefined);
  });

  it.each<[string, QueueOptions<never>]>([
    ['dead letters without a limit', { deadLetter: 'letters' }],
    ['a limit without dead letters', { maxDeliveries: 3 }],
  ])('cannot create with %s, but can open', (_, options) => {
    for (const mode of ['create', 'openOrCreate', 'anonymous'] as const) {
      expect(thrownBy(() => channelOptions(options, mode, 'jobs', undefined))).toMatchObject({
        code: 'ERR_INVALID_ARG',
      });
    }
    expect(channelOptions(options, 'open', 'jobs', undefined)).toMatchObject(options);
  });

  it('name another queue for dead letters', () => {
    expect(thrownBy(() => channelOptions(LETTERS, 'create', 'letters', undefined))).toMatchObject({
      code: 'ERR_INVALID_ARG',
    });
  });

  it.each(['capacityBytes', 'maxMessageBytes', 'maxItems', 'maxParticipants'] as const)(
    'want a whole number, 1 or more, for %s',
    (name) => {
      for (const value of [0, -1, 0.5, NaN, Infinity, '1', null, 1n, 2 ** 60]) {
        const options = { [name]: value } as QueueOptions<never>;
        const error = thrownBy(() => channelOptions(options, 'create', 'jobs', undefined));
        expect(error).toMatchObject({ code: 'ERR_INVALID_ARG' });
        expect(String(error)).toContain(name);
      }
      channelOptions({ [name]: 1 }, 'create', 'jobs', undefined);
    },
  );

  it('are known by their names', () => {
    checkOptionNames({ codec: 'raw', backend: 'native' }, false);
    checkOptionNames({ timeoutMs: 3, signal: undefined, maxItems: 3 }, true);
    for (const bad of [{ capacity: 3 }, { timeoutMs: 3 }, [1], 7, null, 'raw']) {
      expect(thrownBy(() => checkOptionNames(bad, false))).toMatchObject({
        code: 'ERR_INVALID_ARG',
      });
    }
    expect(String(thrownBy(() => checkOptionNames({ timeout: 3 }, true)))).toContain('timeoutMs');
  });
});
