import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** How a process ended: exactly one of the two is not null. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Far beyond any need: whoever waits this long waits in vain. */
export const WATCHDOG_MS = 60_000;

export interface ProgramOptions {
  readonly directory: string;
  readonly node?: string | undefined;
  readonly nodeArguments?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Told to whoever meets a watchdog: what else was going on. */
  readonly surroundings?: (() => string) | undefined;
}

interface Listener {
  readonly word: string;
  readonly hear: (data: unknown) => void;
  readonly giveUp: (why: string) => void;
}

/**
 * A program of test/lifecycle/programs, started as from a terminal: it shares nothing with the test but the directory of the
 * objects. It says lines, `word json` each; stderr is kept for the one who has to find out what went wrong.
 */
export class Program {
  readonly name: string;
  readonly pid: number;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #surroundings: () => string;
  readonly #transcript: string[] = [];
  readonly #unheard: { readonly word: string; readonly data: unknown }[] = [];
  readonly #listeners: Listener[] = [];
  readonly #ended: Promise<Ending>;
  #ending: Ending | undefined;

  constructor(name: string, args: readonly string[], options: ProgramOptions) {
    const file = fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
    this.name = [name, ...args].join(' ');
    this.#surroundings = options.surroundings ?? (() => this.describe());
    this.#process = spawn(
      options.node ?? process.execPath,
      [...(options.nodeArguments ?? []), file, ...args],
      { env: { ...process.env, INTERPROC_DIR: options.directory, ...options.environment } },
    );
    this.pid = this.#process.pid ?? 0;
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#say(line));
    createInterface({ input: this.#process.stderr }).on('line', (line) => {
      this.#transcript.push(`! ${line}`);
    });
    // A program that was killed no longer reads what it is told; that it was killed is seen elsewhere.
    this.#process.stdin.on('error', () => {});
    this.#ended = new Promise((resolve, reject) => {
      this.#process.on('error', reject);
      // 'close' comes after the last line.
      this.#process.on('close', (code, signal) => {
        this.#ending = { code, signal };
        for (const listener of this.#listeners.splice(0)) {
          listener.giveUp(`ended (${code ?? signal}) without saying '${listener.word}'`);
        }
        resolve(this.#ending);
      });
    });
    this.#ended.catch(() => {});
  }

  get isRunning(): boolean {
    return this.#ending === undefined;
  }

  #say(line: string): void {
    this.#transcript.push(`> ${line}`);
    const space = line.indexOf(' ');
    const word = space < 0 ? line : line.slice(0, space);
    const listener = this.#listeners.findIndex((one) => one.word === word);
    let data: unknown;
    try {
      data = space < 0 ? undefined : JSON.parse(line.slice(space + 1));
    } catch {
      return; // not meant for us: it stays in the transcript
    }
    if (listener < 0) this.#unheard.push({ word, data });
    else this.#listeners.splice(listener, 1)[0]?.hear(data);
  }

  /** What it says next with this word; what it has said already counts. Each saying is heard once. */
  async says(word: string): Promise<unknown> {
    const index = this.#unheard.findIndex((one) => one.word === word);
    if (index >= 0) return this.#unheard.splice(index, 1)[0]?.data;
    if (this.#ending !== undefined) throw this.#failure(`ended without saying '${word}'`);
    return this.#watched(
      `to say '${word}'`,
      new Promise((resolve, reject) => {
        const giveUp = (why: string) => reject(this.#failure(why));
        this.#listeners.push({ word, hear: resolve, giveUp });
      }),
    );
  }

  /** Whether it has said this word and nobody has listened yet. */
  hasSaid(word: string): boolean {
    return this.#unheard.some((one) => one.word === word);
  }

  tell(line: string): void {
    this.#transcript.push(`< ${line}`);
    this.#process.stdin.write(`${line}\n`);
  }

  hangUp(): void {
    this.#process.stdin.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#transcript.push(`< ${signal}`);
    this.#process.kill(signal);
  }

  ends(watchdogMs = WATCHDOG_MS): Promise<Ending> {
    return this.#watched('to end', this.#ended, watchdogMs);
  }

  /** Ended by a signal that leaves no choice, and gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ends();
  }

  async #watched<T>(what: string, promise: Promise<T>, watchdogMs = WATCHDOG_MS): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const watchdog = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(this.#failure(`waited ${watchdogMs / 1000} s for it ${what}`)),
        watchdogMs,
      );
    });
    try {
      return await Promise.race([promise, watchdog]);
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(why: string): Error {
    return new Error(`${this.name} (${this.pid}): ${why}\n${this.#surroundings()}`);
  }

  /** What it is doing and what was said. */
  describe(): string {
    const state =
      this.#ending === undefined
        ? describeThreads(this.pid)
        : `ended: ${this.#ending.code ?? this.#ending.signal}`;
    const transcript = this.#transcript.slice(-40).map((line) => `    ${line}`);
    return [`  ${this.name} (${this.pid}) ${state}`, ...transcript].join('\n');
  }
}

/** Of each thread: its state, and the kernel function it sleeps in. */
function describeThreads(pid: number): string {
  try {
    const tasks = `/proc/${pid}/task`;
    return readdirSync(tasks)
      .map((tid) => {
        const stat = readFileSync(`${tasks}/${tid}/stat`, 'utf8');
        const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
        return `${state}:${readFileSync(`${tasks}/${tid}/wchan`, 'utf8')}`;
      })
      .join(' ');
  } catch {
    return 'gone';
  }
}
