import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { structuredCodec } from '../../../../src/codec/structured.js';
import { pass } from '../passage.js';
import { anyValue } from './any-value.js';
import { difference } from './difference.js';

const carry = (value: unknown, outboxBytes = 1024) =>
  pass<unknown>(structuredCodec, value, outboxBytes, 3);

describe("codec 'structured' against structuredClone", () => {
  it('gives what structuredClone gives', () => {
    fc.assert(
      fc.property(anyValue, fc.constantFrom(0, 64, 4096), (value, outboxBytes) => {
        expect(difference(carry(value, outboxBytes), structuredClone(value))).toBeUndefined();
      }),
      { numRuns: 5000 },
    );
  });
});
