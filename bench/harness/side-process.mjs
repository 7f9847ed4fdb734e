// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { pinnedTo } from './cores.mjs';
import { profilingArguments } from './profiles.mjs';

/** @typedef {import('./contender.mjs').Report} Report */

/**
 * Everything that a side has to know, as it travels to it.
 * @typedef {object} SideSpecification
 * @property {string} contender
 * @property {import('./contender.mjs').PatternName} pattern
 * @property {import('./contender.mjs').Role} role
 * @property {number} index
 * @property {import('./contender.mjs').CellParameters} parameters
 * @property {string} directory
 * @property {import('./cores.mjs').CorePair | undefined} cores
 * @property {string | undefined} profiles the directory for profiles, if they are wanted
 */

/** What a side prints, one line each. @typedef {{ ready: true } | { reports: Report[] } | { failed: string }} SideAnswer */

const PROGRAM = fileURLToPath(new URL('side.mjs', import.meta.url));

/** The handle that the harness, or another side, has on one side of a cell. */
export class SideProcess {
  /** For contenders that are about the IPC channel. */
  child;
  #name;
  #answers;
  #exit;
  #errors = '';
  #killedBecause = '';

  /**
   * @param {SideSpecification} specification
   * @param {object} [options]
   * @param {'json' | 'advanced'} [options.serialization] of an IPC channel; none without
   * @param {boolean} [options.leadsGroup] so that one signal reaches also the sides that it starts
   */
  constructor(specification, { serialization, leadsGroup = false } = {}) {
    const { contender, cores, role, index, profiles, parameters, directory } = specification;
    const [command = '', ...args] = [
      ...pinnedTo(cores, role),
      process.execPath,
      ...profilingArguments(
        profiles,
        `${contender}-${parameters.backend ?? 'native'}-${role}-${index}`,
      ),
      PROGRAM,
      JSON.stringify(specification),
    ];
    this.#name = `${contender} ${role} ${index}`;
    this.child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe', ...(serialization ? [/** @type {const} */ ('ipc')] : [])],
      serialization: serialization ?? 'json',
      detached: leadsGroup,
      env: {
        ...process.env,
        INTERPROC_DIR: `${directory}/objects`,
        INTERPROC_BACKEND: parameters.backend ?? 'native',
      },
    });
    // A side that has died is noticed by its silence; writing to it must not be a second failure.
    this.child.stdin?.on('error', () => {});
    this.child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    if (!this.child.stdout) throw new Error('a side has no stdout');
    this.#answers = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.#exit = once(this.child, 'close');
    this.#exit.catch(() => {});
  }

  /** Waits until it is set up. */
  async ready() {
    await this.#answer();
  }

  /**
   * @param {number} amount
   * @returns {Promise<Report[]>}
   */
  async run(amount) {
    this.child.stdin?.write(`${amount}\n`);
    const answer = await this.#answer();
    return 'reports' in answer ? answer.reports : [];
  }

  /** Lets it close what it has open, and waits for its end. */
  async stop() {
    this.child.stdin?.end();
    const [status, signal] = await this.#exit;
    if (status !== 0) throw this.#failure(`ended with ${signal ?? `status ${status}`}`);
  }

  /**
   * With all sides that it started, if it leads a group.
   * @param {string} because
   */
  kill(because) {
    this.#killedBecause = because;
    const { pid, exitCode, signalCode } = this.child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.child.kill('SIGKILL');
    }
  }

  /** @returns {Promise<SideAnswer>} */
  async #answer() {
    const { done, value } = await this.#answers.next();
    if (done) {
      const [status, signal] = await this.#exit;
      throw this.#failure(`ended with ${signal ?? `status ${status}`} instead of answering`);
    }
    const answer = /** @type {SideAnswer} */ (JSON.parse(value));
    if ('failed' in answer) throw this.#failure(answer.failed);
    return answer;
  }

  /** @param {string} what */
  #failure(what) {
    const reason = this.#killedBecause || what;
    return new Error([`${this.#name}: ${reason}`, this.#errors.trim()].filter(Boolean).join('\n'));
  }
}
