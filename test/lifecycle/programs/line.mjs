// @ts-check
/** How a program and the test that started it talk: lines on stdout and stdin, a word and then JSON. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * Tells the test. Written at once: what was said before a kill has been said.
 * @param {string} word
 * @param {unknown} [data]
 */
export function say(word, data) {
  writeSync(1, data === undefined ? `${word}\n` : `${word} ${JSON.stringify(data)}\n`);
}

/** The lines the test sends. Only while somebody waits for one does stdin keep the program alive. */
export class Ears {
  /** @type {string[]} */
  #heard = [];
  /** @type {((line: string | undefined) => void) | undefined} */
  #waiting;
  #deaf = false;

  constructor() {
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => this.#hear(line));
    lines.on('close', () => {
      this.#deaf = true;
      this.#waiting?.(undefined);
    });
    unref(process.stdin);
  }

  /** @param {string} line */
  #hear(line) {
    if (this.#waiting === undefined) this.#heard.push(line);
    else this.#waiting(line);
  }

  /**
   * The next line; undefined when the test has hung up.
   * @returns {Promise<string | undefined>}
   */
  line() {
    const heard = this.#heard.shift();
    if (heard !== undefined || this.#deaf) return Promise.resolve(heard);
    ref(process.stdin);
    return new Promise((resolve) => {
      this.#waiting = (line) => {
        this.#waiting = undefined;
        unref(process.stdin);
        resolve(line);
      };
    });
  }
}

// A pipe is a socket to Node, but not to the type of stdin.
/** @param {object} stream */
const ref = (stream) => /** @type {import('node:net').Socket} */ (stream).ref?.();
/** @param {object} stream */
const unref = (stream) => /** @type {import('node:net').Socket} */ (stream).unref?.();
