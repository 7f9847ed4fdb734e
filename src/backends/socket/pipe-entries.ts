/**
 * Where a broker that listens at a pipe is found: an empty file in the directory of the sockets, whose name is that of the pipe. No
 * pipe ever has the name of another, so a file that leads to nobody can be removed by whoever finds that.
 */

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { socketAddress } from '../brokered/socket-address.js';
import { systemError } from './socket-directory.js';

const BEGINNING = 'pipe-';

export class PipeEntry {
  readonly #path: string;
  /** Where one listens. */
  readonly address: string;

  /** `name`: of the pipe, among those of interproc. */
  constructor(sockets: string, name: string) {
    this.#path = join(sockets, BEGINNING + name);
    this.address = socketAddress(name);
  }

  get isThere(): boolean {
    return existsSync(this.#path);
  }

  /** @throws ERR_PERMISSION, ERR_NO_SPACE, ERR_SYSTEM */
  make(): void {
    try {
      writeFileSync(this.#path, '', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      throw systemError(`make the file '${this.#path}'`, error);
    }
  }

  remove(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // Somebody has it open, say. Whoever follows it finds nobody.
    }
  }
}

/** All there are: one, but for moments, and after a kill. */
export function pipeEntries(sockets: string): PipeEntry[] {
  return readdirSync(sockets)
    .filter((name) => name.startsWith(BEGINNING))
    .map((name) => new PipeEntry(sockets, name.slice(BEGINNING.length)));
}
