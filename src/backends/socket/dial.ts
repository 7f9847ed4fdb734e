/** Finds the broker of a directory, or starts one. */

import { InterprocError } from '../../errors.js';
import { Link } from '../brokered/remote/link.js';
import { launchBroker } from './launch.js';
import { PUBLIC_NAME, hasSockets, socketDirectory, withSocketPath } from './socket-directory.js';
import { SocketLine } from './socket-line.js';

/** A broker that cannot be reached for so long is given up. */
const REACHING_MS = 10_000;
const SHORTEST_NAP_MS = 2;
const LONGEST_NAP_MS = 50;
/** One that was started and is not there then did not come to anything: another is started. */
const LAUNCH_MS = 3_000;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

export interface Dialled {
  readonly link: Link;
  readonly line: SocketLine;
}

/** undefined: no broker is there. @throws ERR_VERSION, ERR_PERMISSION, ERR_UNSUPPORTED, ERR_SYSTEM */
export function dialIfThere(directory: string, patienceMs: number): Dialled | undefined {
  if (!hasSockets(directory)) return undefined;
  const line = withSocketPath(socketDirectory(directory), PUBLIC_NAME, (path) =>
    SocketLine.to(path, patienceMs),
  );
  if (line === undefined) return undefined;
  try {
    return { link: new Link(line, { patienceMs }), line };
  } catch (error) {
    // It was about to leave.
    if (error instanceof InterprocError && error.code === 'ERR_BROKER') return undefined;
    throw error;
  }
}

/** @throws ERR_BROKER, ERR_VERSION, ERR_PERMISSION, ERR_UNSUPPORTED, ERR_SYSTEM */
export function dial(directory: string, patienceMs: number): Dialled {
  const begin = performance.now();
  let launched = -Infinity;
  let problem = 'nobody listens';
  for (let pause = SHORTEST_NAP_MS; ; pause = Math.min(2 * pause, LONGEST_NAP_MS)) {
    const line = withSocketPath(socketDirectory(directory), PUBLIC_NAME, (path) =>
      SocketLine.to(path, patienceMs),
    );
    if (line !== undefined) {
      try {
        return { link: new Link(line, { patienceMs }), line };
      } catch (error) {
        // It was about to leave.
        if (!(error instanceof InterprocError) || error.code !== 'ERR_BROKER') throw error;
        problem = error.message;
      }
    } else if (performance.now() - launched > LAUNCH_MS) {
      launched = performance.now();
      launchBroker(directory);
    }
    if (performance.now() - begin > REACHING_MS) {
      throw new InterprocError(
        'ERR_BROKER',
        `No broker could be reached or started in '${directory}' within ${REACHING_MS / 1000} s: ${problem}`,
      );
    }
    Atomics.wait(sleeper, 0, 0, pause);
  }
}
