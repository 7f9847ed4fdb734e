import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkName } from '../../../src/primitives/name.js';
import { thrownBy } from '../thrown-by.js';

const ALLOWED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-';

describe('names', () => {
  it('are 1-200 of the characters allowed', () => {
    const name = fc.string({ unit: fc.constantFrom(...ALLOWED), minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(name, (good) => {
        fc.pre(good !== '.' && good !== '..');
        expect(checkName(good)).toBe(good);
      }),
    );
  });

  it('have no other character', () => {
    const other = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));
    fc.assert(
      fc.property(other, fc.nat(3), (character, at) => {
        fc.pre(!ALLOWED.includes(character));
        const name = `${'name'.slice(0, at)}${character}${'name'.slice(at)}`;
        expect(thrownBy(() => checkName(name))).toMatchObject({ code: 'ERR_INVALID_ARG' });
      }),
    );
  });

  it.each<[unknown]>([
    [''],
    ['.'],
    ['..'],
    ['x'.repeat(201)],
    ['name\n'],
    [7],
    [null],
    [Object('a')],
  ])('are not %o', (name) => {
    expect(thrownBy(() => checkName(name))).toMatchObject({ code: 'ERR_INVALID_ARG' });
  });

  it('say whose name is wrong', () => {
    expect(String(thrownBy(() => checkName('a b', 'deadLetter')))).toMatch(/deadLetter.*'a b'/);
  });
});
