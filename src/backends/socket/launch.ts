/** Starts the broker of a directory. */

import { spawn } from 'node:child_process';
import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';

import { inheritance } from './inheritance.js';
import { openWords } from './last-words.js';
import { LINE_VARIABLE } from './pipes.js';

const SHOWN_BYTES = 1_000;

/** The built one, also for sources that run as they are. */
function programFile(): string {
  const here = import.meta.url.replace('/src/backends/', '/dist/backends/');
  return fileURLToPath(new URL('broker-process.js', here));
}

/** A broker on its way. */
export class Launch {
  readonly #pid: number | undefined;
  /** What it says of its failure, in a file that has no name any more. */
  readonly #words: number;
  #problem: string | undefined;

  /** It is nobody's: it keeps no terminal, no directory, no pipe and nobody alive, and outlives who started it. `sockets`: their directory. */
  constructor(directory: string, sockets: string) {
    this.#words = openWords(sockets);
    const { LD_LIBRARY_PATH, [LINE_VARIABLE]: line } = process.env;
    const args = [programFile(), inheritance(), directory];
    const broker = spawn(process.execPath, args, {
      detached: true,
      stdio: ['ignore', 'ignore', this.#words],
      windowsHide: true,
      cwd: parse(process.execPath).root,
      env: {
        ELECTRON_RUN_AS_NODE: '1',
        ...(LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH }),
        ...(line === undefined ? {} : { [LINE_VARIABLE]: line }),
      },
    });
    this.#pid = broker.pid;
    if (broker.pid === undefined) this.#problem = `${process.execPath} could not be started`;
    broker.on('error', () => {});
    broker.unref();
  }

  /** What became of it, if that was not what it should have; asks the kernel, since this thread is blocked. */
  get problem(): string | undefined {
    this.#problem ??= process.platform === 'win32' ? this.#problemOnWindows() : this.#howItDied();
    return this.#problem;
  }

  /** There nothing tells a blocked thread how it ended. It says something if not well, or was not needed. */
  #problemOnWindows(): string | undefined {
    try {
      process.kill(this.#pid as number, 0);
      return undefined;
    } catch {
      const said = this.#said();
      return said === '' ? undefined : `it ended: ${said}`;
    }
  }

  #howItDied(): string | undefined {
    const status = this.#statusOfZombie();
    if (status === undefined || status === 0) return undefined;
    const signal = Object.entries(constants.signals).find(
      ([, number]) => number === (status & 0x7f),
    );
    const how = signal === undefined ? `exit code ${status >> 8}` : signal[0];
    return `it ended (${how}): ${this.#said() || 'without a word'}`;
  }

  /** As wait(2) has it; undefined while it runs. */
  #statusOfZombie(): number | undefined {
    try {
      const stat = readFileSync(`/proc/${this.#pid}/stat`, 'latin1');
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .trim()
        .split(' ');
      return fields[0] === 'Z' ? Number(fields.at(-1)) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The lines that say why: of a thrown error, that with its message. */
  #said(): string {
    const words = Buffer.alloc(Math.min(SHOWN_BYTES, fstatSync(this.#words).size));
    readSync(this.#words, words, 0, words.length, 0);
    const lines = words.toString().trim().split('\n');
    return lines.find((line) => /^\S*Error\b/.test(line)) ?? lines.slice(0, 5).join(' ');
  }

  /** No more is to be heard of it. */
  close(): void {
    closeSync(this.#words);
  }
}
