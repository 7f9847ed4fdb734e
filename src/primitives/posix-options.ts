import { InterprocError, invalidArgument } from '../errors.js';

/** Who may use an object that is made. */
export interface PosixCreateOptions {
  /**
   * Permission bits as those of a file, from which the process's umask takes away: 0o600 for this user, 0o660 for its group too.
   * An object that is there keeps its own.
   * @default 0o600
   */
  readonly mode?: number | undefined;
}

const DEFAULT_MODE = 0o600;

/** @throws ERR_INVALID_ARG it is no object, or has other options than these */
export function checkPosixOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgument('options', `an object with ${known.join(', ')}`, options);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `There is no option '${unknown}' here; there is ${known.join(', ')}`,
    );
  }
}

/** @throws ERR_INVALID_ARG */
export function permissionsOf(options: PosixCreateOptions): number {
  checkPosixOptions(options, ['mode']);
  const { mode = DEFAULT_MODE } = options;
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) {
    throw invalidArgument('mode', 'permission bits, 0o000 to 0o777', mode);
  }
  return mode;
}
