import { invalidArgument } from '../errors.js';

/**
 * The name of an object of POSIX, as the system wants it: one leading slash, which may be left out, and no other. How long it
 * may be is the system's affair.
 * @throws ERR_INVALID_ARG
 */
export function checkPosixName(name: unknown): string {
  if (typeof name === 'string') {
    const file = name.startsWith('/') ? name.slice(1) : name;
    const isFileName = file !== '' && file !== '.' && file !== '..' && !/[/\0]/.test(file);
    // Half a surrogate pair would become another character on the way, and two names one.
    if (isFileName && Buffer.from(file).toString() === file) return `/${file}`;
  }
  throw invalidArgument(
    'The name',
    "a string such as '/frames': a slash, which may be left out, and a file name",
    name,
  );
}
