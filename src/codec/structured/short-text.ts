/** Texts of up to so many characters can be made without a call out of JavaScript. */
export const SHORT_CHARACTERS = 16;

// A byte of a message is a number wherever it was checked that the message has it.
const of = String.fromCharCode as (...codes: Array<number | undefined>) => string;

/**
 * The text of `length` bytes, each a character: 15 ns for 2 of them, 28 for 13, where copying any number out of
 * a Buffer costs 80. From an array of codes, or by characters one after the other, it would cost twice that.
 */
// prettier-ignore
export function shortText(b: Uint8Array, i: number, length: number): string {
  switch (length) {
    case 1: return of(b[i]);
    case 2: return of(b[i], b[i + 1]);
    case 3: return of(b[i], b[i + 1], b[i + 2]);
    case 4: return of(b[i], b[i + 1], b[i + 2], b[i + 3]);
    case 5: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4]);
    case 6: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5]);
    case 7: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6]);
    case 8: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7]);
    case 9: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8]);
    case 10: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9]);
    case 11: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9], b[i + 10]);
    case 12: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9], b[i + 10], b[i + 11]);
    case 13: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12]);
    case 14: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13]);
    case 15: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14]);
    case 16: return of(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7],
      b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15]);
    default: return '';
  }
}
