// @ts-check
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

import { Unavailable } from './contender.mjs';

/** @typedef {import('./contender.mjs').Report} Report */

/**
 * A program of native/bench, wherever CMake or a compiler by hand has put it.
 * @param {string} name
 * @param {readonly string[]} directories
 */
export function findProgram(name, directories) {
  const candidates = directories.flatMap((directory) => [
    join(directory, `bench_${name}`),
    join(directory, name),
  ]);
  const found = candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) {
    throw new Unavailable(`the program ${name} is not built: run cmake, target native_bench`);
  }
  return found;
}

/** One run of a native program, which prints one line. */
export class NativeRun {
  #child;
  #killedBecause = '';

  /**
   * @param {string} path
   * @param {readonly string[]} args
   */
  constructor(path, args) {
    this.#child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  }

  /** @returns {Promise<Report>} */
  async report() {
    const child = this.#child;
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    const ending = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => resolve(signal ?? `status ${status}`));
    });
    if (ending !== 'status 0') {
      throw new Error(this.#killedBecause || `it ended with ${ending}\n${errors || output}`.trim());
    }
    return JSON.parse(output);
  }

  /** @param {string} because */
  kill(because) {
    this.#killedBecause = because;
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null)
      process.kill(-pid, 'SIGKILL');
  }
}
