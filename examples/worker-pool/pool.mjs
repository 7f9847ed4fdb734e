// @ts-check
// A pool of workers around two queues. It does not care where the queues live: in production they are in shared memory, and the
// workers could as well be processes; in the test next door they are in this process, and gone with it.
import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { Queue } from '../../dist/index.js';

/** @typedef {{ id: number, text: string }} Job */
/** @typedef {{ id: number, words: number }} Result */

export class WordPool {
  /** @type {Queue<Job>} */
  #jobs;
  /** @type {Queue<Result>} */
  #results;
  /** The exit code of each worker, when it has ended. */
  ended;

  /** @param {{ size?: number, backend?: 'native' | 'socket' | 'memory' }} [options] */
  constructor({ size = 4, backend } = {}) {
    const id = randomUUID();
    this.#jobs = Queue.create(`jobs-${id}`, { backend });
    this.#results = Queue.create(`results-${id}`, { backend });
    const names = { jobs: this.#jobs.name, results: this.#results.name, backend };
    const program = new URL('worker.mjs', import.meta.url);
    this.ended = Array.from({ length: size }, () => {
      const worker = new Worker(program, { workerData: names });
      return new Promise((resolve) => worker.once('exit', resolve));
    });
  }

  /**
   * How many words each text has.
   * @param {string[]} texts
   */
  async count(texts) {
    await this.#jobs.putMany(texts.map((text, id) => ({ id, text })));
    /** @type {number[]} */
    const counts = [];
    for (let left = texts.length; left > 0; left--) {
      const { id, words } = await this.#results.get();
      counts[id] = words;
    }
    return counts;
  }

  /** The workers end when they find no more jobs. */
  async close() {
    this.#jobs.end();
    await Promise.all(this.ended);
    this.#jobs.close();
    this.#results.close();
  }
}
