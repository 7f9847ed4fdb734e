import { describe, expect, it } from 'vitest';

import { signalOf, syncTimeoutOf, timeoutOf } from '../../../src/primitives/wait-options.js';
import type { WaitOptions } from '../../../src/primitives/wait-options.js';
import { thrownBy } from '../thrown-by.js';

describe('timeoutMs', () => {
  it.each<[WaitOptions | undefined, number]>([
    [undefined, Infinity],
    [{}, Infinity],
    [{ timeoutMs: undefined }, Infinity],
    [{ timeoutMs: 0 }, 0],
    [{ timeoutMs: -0 }, 0],
    [{ timeoutMs: -1 }, 0],
    [{ timeoutMs: 0.5 }, 0.5],
    [{ timeoutMs: 1e12 }, 1e12],
  ])('of %o is %d', (options, expected) => {
    expect(timeoutOf(options)).toBe(expected);
    expect(syncTimeoutOf(options)).toBe(expected);
  });

  it.each<[unknown]>([
    [{ timeoutMs: NaN }],
    [{ timeoutMs: Infinity }],
    [{ timeoutMs: -Infinity }],
    [{ timeoutMs: '5' }],
    [{ timeoutMs: null }],
    [{ timeoutMs: 5n }],
    [{ timeoutMs: {} }],
    [5],
    ['5'],
    [null],
    [true],
  ])('is not %o', (options) => {
    for (const check of [timeoutOf, syncTimeoutOf]) {
      expect(thrownBy(() => check(options as WaitOptions))).toMatchObject({
        code: 'ERR_INVALID_ARG',
      });
    }
  });
});

describe('signal', () => {
  it('is an AbortSignal, of any make', () => {
    const { signal } = new AbortController();
    expect(signalOf({ signal })).toBe(signal);
    const other = { aborted: false, addEventListener() {} } as unknown as AbortSignal;
    expect(signalOf({ signal: other })).toBe(other);
    expect(signalOf({})).toBe(undefined);
    expect(signalOf(undefined)).toBe(undefined);
  });

  it.each<[unknown]>([[null], [{}], ['stop'], [new AbortController()], [() => 1]])(
    'is not %o',
    (signal) => {
      expect(thrownBy(() => signalOf({ signal: signal as AbortSignal }))).toMatchObject({
        code: 'ERR_INVALID_ARG',
      });
    },
  );

  it('does not reach a blocked thread', () => {
    const { signal } = new AbortController();
    expect(thrownBy(() => syncTimeoutOf({ signal } as object))).toMatchObject({
      code: 'ERR_INVALID_ARG',
    });
  });
});
