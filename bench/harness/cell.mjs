// @ts-check
/**
 * A cell is one contender in one scenario, once: processes of its own, started for it and gone after it.
 */

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BrokerProcess } from './broker-process.mjs';
import { findProgram, NativeRun } from './native-program.mjs';
import { SideProcess } from './side-process.mjs';

/** @typedef {import('./contender.mjs').CellParameters} CellParameters */
/** @typedef {import('./contender.mjs').Contender} Contender */
/** @typedef {import('./contender.mjs').NativeSides} NativeSides */
/** @typedef {import('./contender.mjs').NodeSides} NodeSides */
/** @typedef {import('./contender.mjs').PatternName} PatternName */
/** @typedef {import('./contender.mjs').Report} Report */
/** @typedef {import('./contender.mjs').Role} Role */

/**
 * @typedef {object} Cell
 * @property {(amount: number) => Promise<Report[]>} run all sides once
 * @property {() => Promise<void>} stop
 * @property {(because: string) => void} kill
 */

/**
 * @typedef {object} CellSpecification
 * @property {Contender} contender
 * @property {PatternName} pattern
 * @property {CellParameters} parameters
 * @property {import('./cores.mjs').CorePair | undefined} cores
 * @property {string | undefined} profiles the directory for profiles, if they are wanted
 * @property {readonly string[]} nativeDirectories
 */

/**
 * Starts a cell, hands it to `measure`, and ends it. No cell outlives `watchdogMs`.
 * @template Result
 * @param {CellSpecification} specification
 * @param {{ watchdogMs: number, signal: AbortSignal }} limits
 * @param {(cell: Cell) => Promise<Result>} measure
 * @returns {Promise<Result>}
 */
export async function withCell(specification, { watchdogMs, signal }, measure) {
  signal.throwIfAborted();
  const cell = createCell(specification);
  const abort = () => cell.kill('interrupted');
  signal.addEventListener('abort', abort);
  const watchdog = setTimeout(
    () => cell.kill(`the watchdog killed it after ${watchdogMs / 1000} s`),
    watchdogMs,
  );
  try {
    await cell.start();
    const result = await measure(cell);
    await cell.stop();
    return result;
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', abort);
    cell.kill('the cell has ended');
    cell.cleanUp();
  }
}

/** @param {CellSpecification} specification */
function createCell(specification) {
  const { contender, pattern } = specification;
  const sides = contender.patterns[pattern];
  if (!sides) throw new Error(`${contender.name} does not know the pattern ${pattern}`);
  return 'program' in sides
    ? new NativeCell(specification, sides)
    : new NodeCell(specification, sides);
}

/** @implements {Cell} */
class NodeCell {
  #specification;
  #sides;
  #directory;
  /** @type {BrokerProcess | undefined} */
  #broker;
  /** @type {SideProcess[]} */
  #processes = [];
  #killedBecause = '';

  /**
   * @param {CellSpecification} specification
   * @param {NodeSides} sides
   */
  constructor(specification, sides) {
    this.#specification = specification;
    this.#sides = sides;
    // Shared memory in a directory of the cell's own: a killed cell leaves nothing to the next, nor to the user's programs.
    this.#directory = mkdtempSync(
      join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'interproc-bench-'),
    );
    mkdirSync(join(this.#directory, 'objects'), { mode: 0o700 });
  }

  async start() {
    const { contender, pattern, parameters, cores, profiles } = this.#specification;
    if (parameters.backend === 'socket') {
      this.#broker = new BrokerProcess(
        { contender: contender.name, cores, profiles },
        `${this.#directory}/objects`,
      );
      await this.#broker.ready();
    }
    for (const role of this.#sides.launch) {
      for (let index = 0; index < howMany(role, parameters); index += 1) {
        if (this.#killedBecause) throw new Error(this.#killedBecause);
        const side = new SideProcess(
          {
            contender: contender.name,
            pattern,
            role,
            index,
            parameters,
            directory: this.#directory,
            cores,
            profiles,
          },
          { leadsGroup: true },
        );
        this.#processes.push(side);
        await side.ready();
      }
    }
  }

  /** @param {number} amount */
  async run(amount) {
    const reports = await this.#together((side) => side.run(amount));
    return reports.flat();
  }

  async stop() {
    await this.#together((side) => side.stop());
    await this.#broker?.stop();
  }

  /** @param {string} because */
  kill(because) {
    this.#killedBecause ||= because;
    for (const side of this.#processes) side.kill(because);
    this.#broker?.kill();
  }

  cleanUp() {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /**
   * When one side fails, the others wait for it in vain: they are killed, and what it said is what is told.
   * @template Result
   * @param {(side: SideProcess) => Promise<Result>} act
   */
  async #together(act) {
    try {
      return await Promise.all(this.#processes.map(act));
    } catch (error) {
      this.kill('another side failed');
      throw error;
    }
  }
}

/** @implements {Cell} */
class NativeCell {
  #path;
  #args;
  /** @type {NativeRun | undefined} */
  #current;
  #killedBecause = '';

  /**
   * @param {CellSpecification} specification
   * @param {NativeSides} sides
   */
  constructor({ parameters, cores, nativeDirectories }, { program, programArguments = () => [] }) {
    this.#path = findProgram(program, nativeDirectories);
    this.#args = [...programArguments(parameters), '--bytes', String(parameters.bytes)];
    if (cores) this.#args.push('--cpus', `${cores.first},${cores.second}`);
  }

  async start() {}

  /** @param {number} amount */
  async run(amount) {
    if (this.#killedBecause) throw new Error(this.#killedBecause);
    this.#current = new NativeRun(this.#path, [...this.#args, '--count', String(amount)]);
    return [await this.#current.report()];
  }

  async stop() {}

  /** @param {string} because */
  kill(because) {
    this.#killedBecause ||= because;
    this.#current?.kill(because);
  }

  cleanUp() {}
}

/**
 * @param {Role} role
 * @param {CellParameters} parameters
 */
function howMany(role, { producers, consumers }) {
  if (role === 'producer') return producers;
  if (role === 'consumer') return consumers;
  return 1;
}
