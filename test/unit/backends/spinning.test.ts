import { describe, expect, it } from 'vitest';

import { Spinning } from '../../../src/backends/brokered/rings/spinning.js';

describe('looking again and again', () => {
  it('is tried as long as it is worth it, and after three times in vain seldom', () => {
    const spinning = new Spinning();
    const tries = (count: number, wasWorthIt: boolean) => {
      let tried = 0;
      for (let i = 0; i < count; i++) {
        if (!spinning.isWorthTrying()) continue;
        tried++;
        spinning.tried(wasWorthIt);
      }
      return tried;
    };
    expect(tries(100, true)).toBe(100);
    expect(tries(3 + 64, false)).toBe(3 + 2);
    // One that was worth it is enough.
    expect(tries(32, true)).toBe(1);
    expect(tries(100, true)).toBe(100);
  });
});
