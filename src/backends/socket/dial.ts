/** Finds the broker of a directory, or starts one. */

import { InterprocError } from '../../errors.js';
import { Link } from '../brokered/remote/link.js';
import { lineToBroker } from './broker-line.js';
import type { BrokerLine } from './broker-line.js';
import { Launch } from './launch.js';
import { hasSockets, socketDirectory } from './socket-directory.js';

/** A broker that cannot be reached for so long is given up. */
const REACHING_MS = 10_000;
const SHORTEST_NAP_MS = 2;
const LONGEST_NAP_MS = 50;
/** One that was started and is not there then did not come to anything: another is started. */
const LAUNCH_MS = 3_000;
/** So many that say why they cannot are enough. */
const MAX_FAILURES = 2;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

export interface Dialled {
  readonly link: Link;
  readonly line: BrokerLine;
}

/** undefined: no broker is there. @throws ERR_VERSION, ERR_PERMISSION, ERR_UNSUPPORTED, ERR_SYSTEM */
export function dialIfThere(directory: string, patienceMs: number): Dialled | undefined {
  if (!hasSockets(directory)) return undefined;
  const found = reach(socketDirectory(directory), patienceMs);
  return found instanceof InterprocError ? undefined : found;
}

/** undefined: nobody listens; an error: somebody does, but was about to leave, or does not answer. */
function reach(sockets: string, patienceMs: number): Dialled | InterprocError | undefined {
  const line = lineToBroker(sockets, patienceMs);
  if (line === undefined) return undefined;
  try {
    return { link: new Link(line, { patienceMs }), line };
  } catch (error) {
    if (error instanceof InterprocError && error.code === 'ERR_BROKER') return error;
    throw error;
  }
}

/** @throws ERR_BROKER, ERR_VERSION, ERR_PERMISSION, ERR_UNSUPPORTED, ERR_SYSTEM */
export function dial(directory: string, patienceMs: number): Dialled {
  const search = new Search(directory, patienceMs);
  try {
    return search.run();
  } finally {
    search.close();
  }
}

class Search {
  readonly #directory: string;
  readonly #patienceMs: number;
  #launch: Launch | undefined;
  #launchedAt = -Infinity;
  #failures = 0;
  #problem = 'nobody listens';

  constructor(directory: string, patienceMs: number) {
    this.#directory = directory;
    this.#patienceMs = patienceMs;
  }

  run(): Dialled {
    const begin = performance.now();
    for (let pause = SHORTEST_NAP_MS; ; pause = Math.min(2 * pause, LONGEST_NAP_MS)) {
      const found = this.#look();
      if (found !== undefined) return found;
      if (this.#failures >= MAX_FAILURES) this.#giveUp('could be started');
      if (performance.now() - begin > REACHING_MS) {
        this.#giveUp(`could be reached or started within ${REACHING_MS / 1000} s`);
      }
      Atomics.wait(sleeper, 0, 0, pause);
    }
  }

  #look(): Dialled | undefined {
    const sockets = socketDirectory(this.#directory);
    const found = reach(sockets, this.#patienceMs);
    if (found === undefined) this.#seeToLaunch(sockets);
    else if (!(found instanceof InterprocError)) return found;
    else this.#problem = found.message;
    return undefined;
  }

  #seeToLaunch(sockets: string): void {
    const problem = this.#launch?.problem;
    if (problem !== undefined) {
      this.#failures += 1;
      this.#problem = problem;
    } else if (performance.now() - this.#launchedAt <= LAUNCH_MS) return;
    this.close();
    if (this.#failures >= MAX_FAILURES) return;
    this.#launchedAt = performance.now();
    this.#launch = new Launch(this.#directory, sockets);
  }

  #giveUp(what: string): never {
    throw new InterprocError(
      'ERR_BROKER',
      `No broker ${what} in '${this.#directory}': ${this.#problem}`,
    );
  }

  close(): void {
    this.#launch?.close();
    this.#launch = undefined;
  }
}
