import type { Program } from './program.js';

/**
 * Programs that are needed one after another. Each starts up while the one before has its turn, and waits to be told to
 * begin: most of the time of a short life goes into Node's own start.
 */
export class Turns {
  readonly #start: (turn: number) => Program;
  #turn = 1;
  #ready: Program;

  /** `start`: makes the program of that turn, counted from 1. */
  constructor(start: (turn: number) => Program) {
    this.#start = start;
    this.#ready = start(this.#turn);
  }

  next(): Program {
    const program = this.#ready;
    program.tell('begin');
    this.#turn += 1;
    this.#ready = this.#start(this.#turn);
    return program;
  }

  /** The one that was ready is not needed. */
  async end(): Promise<void> {
    this.#ready.hangUp();
    await this.#ready.ends();
  }
}
