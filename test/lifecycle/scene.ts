import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { expect, test as base } from 'vitest';
import { Program } from './program.js';
import type { ProgramOptions } from './program.js';
import { Terminal } from './terminal.js';

const ROOT = '/dev/shm';

/** Where one test takes place: a directory of its own for the objects, and the programs that meet there. */
export class Scene {
  readonly directory = mkdtempSync(`${ROOT}/interproc-lifecycle-`);
  readonly #programs: Program[] = [];

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
    return readdirSync(this.directory).sort();
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
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A test with a scene, which every test must leave as it found it: no program running, no file left. */
export const test = base.extend<{ scene: Scene }>({
  scene: async ({ task }, use) => {
    mkdirSync(ROOT, { recursive: true });
    const scene = new Scene();
    await use(scene);
    const hasFailed = task.result?.state === 'fail';
    const left = { running: scene.stillRunning(), files: scene.files() };
    if (hasFailed || left.running.length > 0 || left.files.length > 0) {
      console.error(`at the end of '${task.name}': ${scene.describe()}`);
    }
    await scene.clear();
    if (!hasFailed) expect(left, 'left behind').toEqual({ running: [], files: [] });
  },
});
