/** Turns what the addon reports into the package's errors. */

import { constants } from 'node:os';

import { InterprocError } from '../../errors.js';
import type { ErrorCode } from '../../errors.js';
import type { Constants, NativeFailure } from './addon.js';

type Told = readonly [code: ErrorCode, advice: string];

/** What each status means to the user, and the way out. */
function tell(constants: Constants, status: number): Told {
  switch (status) {
    case constants.exists:
      return ['ERR_EXISTS', 'open() it, or use openOrCreate()'];
    case constants.notFound:
      return ['ERR_NOT_FOUND', 'create() it first, or use openOrCreate() or openWhenAvailable()'];
    case constants.backend:
      return [
        'ERR_BACKEND',
        "use that backend here too (INTERPROC_BACKEND=socket or { backend: 'socket' }), or choose another name",
      ];
    case constants.kind:
      return ['ERR_KIND', 'open it as what it is (list() tells), or choose another name'];
    case constants.mismatch:
      return ['ERR_MISMATCH', 'pass the options it was created with, or none'];
    case constants.corrupt:
      return [
        'ERR_CORRUPT',
        'something wrote to it that is not interproc; remove it and create it anew',
      ];
    case constants.lost:
      return [
        'ERR_CORRUPT',
        'something that is not interproc wrote to it or cut it; this message is lost, and the queue goes on',
      ];
    case constants.version:
      return ['ERR_VERSION', 'let every process use one version of interproc, or remove it'];
    case constants.permission:
      return [
        'ERR_PERMISSION',
        'check who owns the directory and the file; INTERPROC_DIR moves the directory',
      ];
    case constants.noSpace:
      return [
        'ERR_NO_SPACE',
        'make room in the directory (prune() removes leftovers), enlarge it, or choose a smaller capacityBytes',
      ];
    case constants.tooLarge:
      return ['ERR_TOO_LARGE', 'create it with a larger maxMessageBytes, or a ring with more room'];
    case constants.noSlot:
      return [
        'ERR_NO_SLOT',
        'close handles that are no longer used, or create it with a larger maxParticipants',
      ];
    case constants.unacked:
      return ['ERR_UNACKED', 'ack() or nack() some of the messages received before receiving more'];
    case constants.noLease:
      return ['ERR_NO_LEASE', 'commit, abort or release one, or open another handle'];
    case constants.notOwner:
      return ['ERR_NOT_OWNER', 'a receipt can be used once, by the handle that received it'];
    case constants.busy:
      return ['ERR_TIMEOUT', 'another process that is opening or closing it seems to be stopped'];
    case constants.deadlock:
      return ['ERR_DEADLOCK', 'this handle itself holds it'];
    case constants.overRelease:
      return ['ERR_OVER_RELEASE', 'release once for each acquire'];
    case constants.broken:
      return ['ERR_BROKEN', 'reset() it when all parties are ready to begin anew'];
    case constants.argument:
      return ['ERR_INVALID_ARG', 'choose other sizes'];
    case constants.invalid:
      return ['ERR_CLOSED', 'the handle is closed'];
    default:
      return ['ERR_SYSTEM', 'the system refused'];
  }
}

/** The way out where the system has run short of what a handle takes. */
function adviceOn(errno: number | undefined): string | undefined {
  switch (errno) {
    case constants.errno.EMFILE:
    case constants.errno.ENFILE:
      return 'a handle takes a file descriptor; close handles that are no longer used, or raise the limit (ulimit -n)';
    case constants.errno.ENOMEM:
      return 'a handle takes three mappings; close handles that are no longer used, or raise the limit (vm.max_map_count)';
    default:
      return undefined;
  }
}

/** The error for a negative result of a message call on the object `name`. */
export function statusError(
  constants: Constants,
  status: number,
  name: string,
  detail = '',
  errno = 0,
): InterprocError {
  const [code, advice] = tell(constants, status);
  const system = errno > 0 ? `errno ${errno}; ` : '';
  return new InterprocError(
    code,
    `${name}: ${detail === '' ? '' : `${detail}; `}${system}${advice}`,
    errno > 0 ? { errno } : {},
  );
}

/**
 * Calls into the addon and gives what it throws its class, code and message. `advise`: the way out, where it is another than
 * for objects of our own.
 */
export function guarded<T>(
  statuses: Constants,
  what: string,
  call: () => T,
  advise?: (code: ErrorCode, errno: number | undefined) => string | undefined,
): T {
  try {
    return call();
  } catch (thrown) {
    const failure = thrown as Partial<NativeFailure>;
    if (typeof failure.status !== 'number') throw thrown;
    const [code, advice] = tell(statuses, failure.status);
    const system = failure.errno ? ` (${failure.syscall ?? ''}: errno ${failure.errno})` : '';
    const wayOut = advise?.(code, failure.errno) ?? adviceOn(failure.errno) ?? advice;
    throw new InterprocError(code, `${what}: ${failure.message ?? ''}${system}; ${wayOut}`, {
      ...(failure.errno ? { errno: failure.errno } : {}),
      ...(failure.syscall ? { syscall: failure.syscall } : {}),
      cause: thrown,
    });
  }
}
