import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test as base } from 'vitest';
import { brokersOf, untilGone } from './brokers.js';
import { Program } from './program.js';
import type { ProgramOptions } from './program.js';
import { Terminal } from './terminal.js';

const ROOT = '/dev/shm';
/** Of the brokers: what it has in it is theirs. */
const SOCKETS = '~socket';

/** Those that programs can meet by. */
export const BACKENDS = ['native', 'socket'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Where one test takes place: a directory of its own for the objects, and the programs that meet there. */
export class Scene {
  readonly directory = mkdtempSync(`${ROOT}/interproc-lifecycle-`);
  readonly #programs: Program[] = [];
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Starts programs/<name>.mjs as a process of its own. */
  start(
    name: string,
    args: readonly (string | number)[] = [],
    options: Partial<ProgramOptions> = {},
  ): Program {
    const program = new Program(name, args.map(String), {
      directory: this.directory,
      surroundings: () => this.describe(),
      ...options,
      environment: {
        ...(this.#backend === 'native' ? {} : { INTERPROC_BACKEND: this.#backend }),
        ...options.environment,
      },
    });
    this.#programs.push(program);
    return program;
  }

  /** A process that does what the test tells it, call by call. */
  terminal(options: Partial<ProgramOptions> = {}): Terminal {
    return new Terminal(this.start('terminal', [], options));
  }

  /** The objects and doorbells that are there. */
  files(): string[] {
    const names = readdirSync(this.directory).filter((name) => name !== SOCKETS);
    return names.sort();
  }

  /** What brokers have left, once they have. */
  async filesOfBrokers(): Promise<string[]> {
    await Promise.all(brokersOf(this.directory).map(untilGone));
    const sockets = join(this.directory, SOCKETS);
    return existsSync(sockets) ? readdirSync(sockets) : [];
  }

  describe(): string {
    const programs = this.#programs.slice(-12).map((program) => program.describe());
    return [`in ${this.directory}: ${this.files().join(' ') || 'nothing'}`, ...programs].join('\n');
  }

  stillRunning(): string[] {
    return this.#programs.filter((program) => program.isRunning).map(({ name }) => name);
  }

  /** Whatever happened, nothing of it is left. */
  async clear(): Promise<void> {
    const running = this.#programs.filter((program) => program.isRunning);
    await Promise.all(running.map((program) => program.kill()));
    for (const pid of brokersOf(this.directory)) process.kill(pid, 'SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A test with a scene, which every test must leave as it found it: no program running, no file left. */
export function testOn(backend: Backend) {
  return base.extend<{ scene: Scene }>({
    scene: async ({ task }, use) => {
      mkdirSync(ROOT, { recursive: true });
      const scene = new Scene(backend);
      await use(scene);
      const hasFailed = task.result?.state === 'fail';
      const running = scene.stillRunning();
      // A broker reads of the end of a process after that: what is left is known when it has left, which it does without objects only.
      const ofBrokers = hasFailed || running.length > 0 ? [] : await scene.filesOfBrokers();
      const left = { running, files: scene.files() };
      if (hasFailed || left.running.length > 0 || left.files.length > 0) {
        console.error(`at the end of '${task.name}': ${scene.describe()}`);
      }
      await scene.clear();
      if (!hasFailed) {
        expect({ ...left, ofBrokers }, 'left behind').toEqual({
          running: [],
          files: [],
          ofBrokers: [],
        });
      }
    },
  });
}

export const test = testOn('native');
