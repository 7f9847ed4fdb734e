/** Where brokers and their clients meet: a directory of this user's, with one of the sockets inside. */

import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

import { InterprocError } from '../../errors.js';

/** Of the sockets. No object can have this name. */
const SOCKETS = '~socket';
/** The socket of the broker that serves the directory. */
export const PUBLIC_NAME = 'broker';

/** What fits into a sockaddr_un, with the zero behind it. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** By way of which a path of any length becomes short; Linux has it, where it is mounted. */
const DESCRIPTORS = '/proc/self/fd';

/** Where the objects of this user live, unless INTERPROC_DIR says otherwise. Read at each use: tests move it. */
export function objectDirectory(): string {
  const given = process.env['INTERPROC_DIR'];
  if (given !== undefined) return resolve(given);
  // The one of this user, who is known by name there.
  if (process.platform === 'win32') return join(tmpdir(), `interproc-${userInfo().username}`);
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  return join(base, `interproc-${process.geteuid?.() ?? 0}`);
}

/** The directory of the sockets of that directory of objects. Both are made if they are missing. @throws ERR_PERMISSION, ERR_SYSTEM */
export function socketDirectory(directory: string): string {
  secure(directory);
  const sockets = join(directory, SOCKETS);
  secure(sockets);
  return sockets;
}

/** Whether there ever was a broker in that directory of objects. @throws ERR_PERMISSION */
export function hasSockets(directory: string): boolean {
  if (!existsSync(directory)) return false;
  assertOwn(directory);
  return existsSync(join(directory, SOCKETS));
}

/**
 * Calls `use` with a path of that socket which fits into an address: through a descriptor of its directory if it is too long by itself.
 *
 * @throws ERR_UNSUPPORTED where there is no such way
 */
export function withSocketPath<T>(directory: string, name: string, use: (path: string) => T): T {
  const path = join(directory, name);
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return use(path);
  if (!existsSync(DESCRIPTORS)) {
    throw new InterprocError(
      'ERR_UNSUPPORTED',
      `The path of a socket has ${MAX_SOCKET_PATH_BYTES} bytes at most here; '${path}' has ${bytes}. Set INTERPROC_DIR to a shorter one`,
    );
  }
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return use(`${DESCRIPTORS}/${descriptor}/${name}`);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the directory if it is missing; nobody else may have made it, or write to it. */
function secure(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw systemError(`make the directory '${path}'`, error);
  }
  assertOwn(path);
}

/** On Windows, who may write there is not to be seen from here: what is in a user's own directory is his. @throws ERR_PERMISSION */
function assertOwn(path: string): void {
  const facts = lstatSync(path);
  const problem = !facts.isDirectory()
    ? 'it is no directory'
    : facts.uid !== (process.geteuid?.() ?? facts.uid)
      ? 'it belongs to another user'
      : process.platform !== 'win32' && (facts.mode & 0o022) !== 0
        ? 'others may write to it (chmod 0700)'
        : undefined;
  if (problem === undefined) return;
  throw new InterprocError(
    'ERR_PERMISSION',
    `'${path}' cannot hold the objects of this user: ${problem}; INTERPROC_DIR moves the directory`,
  );
}

/** The system's name of an error, `ENOENT` and the like. */
export function errorCode(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}

export function systemError(what: string, cause: unknown): InterprocError {
  const { code, errno, syscall } = cause as NodeJS.ErrnoException;
  const isDenied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  // EMLINK: of names a file has 65,000 at most on ext4, say.
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EMLINK';
  return new InterprocError(
    isDenied ? 'ERR_PERMISSION' : isFull ? 'ERR_NO_SPACE' : 'ERR_SYSTEM',
    `Could not ${what}: ${(cause as Error).message}; INTERPROC_DIR moves the directory`,
    { cause, errno: errno === undefined ? undefined : Math.abs(errno), syscall },
  );
}
