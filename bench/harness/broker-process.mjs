// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { pinnedTo } from './cores.mjs';
import { profilingArguments } from './profiles.mjs';

/** @typedef {import('./side-process.mjs').SideSpecification} SideSpecification */

const ROOM = new URL('../../dist/backends/socket/', import.meta.url);
const PROGRAM = fileURLToPath(new URL('broker-process.js', ROOM));
const POLL_MS = 5;

/**
 * The broker of a cell whose objects live with one. Left to itself it would be started by the side that makes the first object, on
 * that side's processor: here it is there before the sides are, on whichever of their processors is free, and competes with them.
 */
export class BrokerProcess {
  #process;
  #exit;
  #directory;
  #errors = '';
  /** A broker with a client does not leave: this one is there from its start to its end. @type {import('node:net').Socket | undefined} */
  #client;

  /**
   * @param {Pick<SideSpecification, 'contender' | 'cores' | 'profiles'>} specification
   * @param {string} directory of objects
   */
  constructor({ contender, cores, profiles }, directory) {
    const [command = '', ...args] = [
      ...pinnedTo(cores, 'keeper'),
      process.execPath,
      ...profilingArguments(profiles, `${contender}-broker`),
      PROGRAM,
      // It has inherited nothing that it would have to close.
      '',
      directory,
    ];
    this.#process = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.#process.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#exit = once(this.#process, 'close');
    this.#exit.catch(() => {});
    this.#directory = directory;
  }

  /** Waits until it can be connected to. */
  async ready() {
    const { socketDirectory, PUBLIC_NAME } = await import(
      new URL('socket-directory.js', ROOM).href
    );
    const path = `${socketDirectory(this.#directory)}/${PUBLIC_NAME}`;
    // Its public name leads to somebody who listens, from the beginning.
    while (!existsSync(path)) {
      if (this.#hasEnded) throw this.#failure('ended instead of listening');
      await sleep(POLL_MS);
    }
    this.#client = connect(path);
    await once(this.#client, 'connect');
    this.#client.on('error', () => {});
  }

  /** After the sides. Waits for its end. */
  async stop() {
    if (this.#hasEnded) throw this.#failure('ended before the sides did');
    this.#process.kill('SIGTERM');
    await this.#exit;
  }

  kill() {
    this.#client?.destroy();
    if (!this.#hasEnded) this.#process.kill('SIGKILL');
  }

  get #hasEnded() {
    const { pid, exitCode, signalCode } = this.#process;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** @param {string} what */
  #failure(what) {
    return new Error([`the broker ${what}`, this.#errors.trim()].filter(Boolean).join('\n'));
  }
}
