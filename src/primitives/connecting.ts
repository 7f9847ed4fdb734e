import { setTimeout as sleep } from 'node:timers/promises';

import {
  abortReason,
  AuthenticationError,
  EOFError,
  InterprocError,
  QueueFull,
  TimeoutError,
} from '../errors.js';
import type { ErrorDetails } from '../errors.js';
import { ENDED, FULL, OFFER } from '../contract/listener.js';
import type { ClientEnd, ListenerOpener, ListenerTerms } from '../contract/listener.js';
import type { PipeEnd, PipeOpener } from '../contract/pipe.js';
import { seekAdmission } from './handshake.js';
import type { Authentication } from './listener-options.js';
import { NOT_YET, PendingWaits } from './pending-waits.js';
import type { Operation } from './pending-waits.js';

// A look at a name where nobody listens costs some tens of microseconds: at the longest pause, 0.1 % of a processor.
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/** Who wants to connect, and for how long. */
export interface Applicant {
  readonly name: string;
  readonly authentication: Authentication;
  /** Undefined: as long as nothing is missing but being accepted. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Refuses what does not suit the client. @throws ERR_MISMATCH */
  agree(terms: ListenerTerms): void;
}

/** Why an attempt came to nothing, though another may not. */
class NobodyThere {
  constructor(readonly error: InterprocError) {}
}

/**
 * An end of a new pipe, whose other end whoever listens has, or will have when he accepts.
 * @throws (rejects) ERR_NOT_FOUND, ERR_FULL; TimeoutError; AuthenticationError; the signal's reason; what opening the listener and the
 * pipe throw
 */
export async function connect(
  backend: ListenerOpener & PipeOpener,
  applicant: Applicant,
): Promise<PipeEnd> {
  const { name, timeoutMs, signal } = applicant;
  const deadline = performance.now() + (timeoutMs ?? Infinity);
  const left = () => Math.max(deadline - performance.now(), 0);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    if (signal?.aborted === true) throw abortReason(signal);
    const result = await attempt(backend, applicant, left);
    if (!(result instanceof NobodyThere)) return result;
    if (timeoutMs === undefined) throw result.error;
    if (left() <= 0) {
      throw new TimeoutError(`Nobody listened on '${name}' within ${timeoutMs} ms`, {
        cause: result.error,
      });
    }
    // An abort ends the pause, and the loop then says so.
    await sleep(Math.min(pauseMs, Math.ceil(left())), undefined, signal && { signal }).catch(
      () => undefined,
    );
  }
}

async function attempt(
  backend: ListenerOpener & PipeOpener,
  applicant: Applicant,
  left: () => number,
): Promise<PipeEnd | NobodyThere> {
  const backlog = openBacklog(backend, applicant);
  if (backlog instanceof NobodyThere) return backlog;
  let ours: PipeEnd | undefined;
  try {
    const { isKeyed, capacityBytes, maxMessageBytes, codec } = backlog.terms;
    assertKeys(applicant, isKeyed);
    applicant.agree(backlog.terms);
    const [mine, theirs] = backend.openPipe({ capacityBytes, maxMessageBytes, codec });
    ours = mine;
    try {
      if (!(await offer(backlog, theirs, applicant, left))) {
        mine.close();
        return new NobodyThere(nobodyError(applicant.name));
      }
    } finally {
      theirs.close();
    }
  } catch (error) {
    ours?.close();
    throw error;
  } finally {
    backlog.close();
  }
  return authenticate(ours, applicant, left);
}

function openBacklog(backend: ListenerOpener, { name }: Applicant): ClientEnd | NobodyThere {
  try {
    return backend.openBacklog(name);
  } catch (cause) {
    if (!(cause instanceof InterprocError)) throw cause;
    switch (cause.code) {
      case 'ERR_NOT_FOUND':
        return new NobodyThere(nobodyError(name, { cause }));
      // So many clients are there at this moment.
      case 'ERR_NO_SLOT':
        return new NobodyThere(fullError(name, { cause }));
      case 'ERR_KIND':
        throw new InterprocError(
          'ERR_KIND',
          `'${name}' is no listener but another kind of object (list() tells); connect to another name`,
          { cause },
        );
      default:
        throw cause;
    }
  }
}

/** @throws AuthenticationError */
function assertKeys({ name, authentication }: Applicant, isKeyed: boolean): void {
  if (isKeyed === (authentication.key !== undefined)) return;
  throw new AuthenticationError(
    isKeyed
      ? `The listener '${name}' wants an authkey; pass { authkey } with the one that it has`
      : `The listener '${name}' has no authkey, so it cannot prove who it is; leave out authkey if you trust it`,
  );
}

/** Leaves the end in the backlog; false if nobody listens any more. */
async function offer(
  backlog: ClientEnd,
  theirs: PipeEnd,
  { name, timeoutMs, signal }: Applicant,
  left: () => number,
): Promise<boolean> {
  const status = backlog.tryOffer(theirs);
  if (status !== FULL) return status !== ENDED;
  if (timeoutMs === undefined) throw fullError(name);
  const waits = new PendingWaits(backlog, OFFER, 'No room came free');
  backlog.onReady = () => waits.rung();
  const operation: Operation<boolean> = {
    attempt: () => {
      const again = backlog.tryOffer(theirs);
      return again === FULL ? NOT_YET : again !== ENDED;
    },
  };
  try {
    return await waits.add(operation, left(), signal);
  } catch (cause) {
    if (!(cause instanceof TimeoutError)) throw cause;
    const { backlog: most } = backlog.terms;
    throw new TimeoutError(
      `The ${most} clients that may wait for '${name}' to accept them left no room within ${timeoutMs} ms`,
      { cause: fullError(name) },
    );
  }
}

async function authenticate(
  end: PipeEnd,
  { name, authentication, timeoutMs, signal }: Applicant,
  left: () => number,
): Promise<PipeEnd | NobodyThere> {
  const { key, handshakeMs } = authentication;
  if (key === undefined) return end;
  try {
    await seekAdmission({ end, name, key }, { acceptMs: left(), handshakeMs }, signal);
    return end;
  } catch (error) {
    end.close();
    if (error instanceof EOFError) return new NobodyThere(nobodyError(name, { cause: error }));
    if (!(error instanceof TimeoutError)) throw error;
    throw new TimeoutError(`Whoever listens on '${name}' did not accept within ${timeoutMs} ms`);
  }
}

function nobodyError(name: string, details?: ErrorDetails): InterprocError {
  return new InterprocError(
    'ERR_NOT_FOUND',
    `Nobody listens on '${name}'; Pipe.listen there first, or pass { timeoutMs } to wait for somebody`,
    details,
  );
}

function fullError(name: string, details?: ErrorDetails): QueueFull {
  return new QueueFull(
    `As many clients as may wait for '${name}' to accept them; pass { timeoutMs } to wait for room, or listen with a larger backlog`,
    details,
  );
}
