import { invalidArgument } from '../errors.js';

const NAME = /^[A-Za-z0-9._-]{1,200}$/;

/**
 * A name that any process of this user can open the object by. One namespace for all kinds of object.
 * @throws ERR_INVALID_ARG
 */
export function checkName(name: unknown, what = 'The name'): string {
  if (typeof name === 'string' && NAME.test(name) && name !== '.' && name !== '..') return name;
  throw invalidArgument(
    what,
    "a string of 1-200 letters, digits, '.', '_' or '-', other than '.' and '..'",
    name,
  );
}
