import { invalidArgument } from '../errors.js';

/** What 32 bits count to. */
export const MAX_COUNT = 2 ** 32 - 1;

/**
 * The value of an option that counts something; undefined if it was left out.
 * @throws ERR_INVALID_ARG
 */
export function checkCount(name: string, value: unknown, max: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) {
    return value;
  }
  throw invalidArgument(name, `a whole number from 1 to ${max}`, value);
}
