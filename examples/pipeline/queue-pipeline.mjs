// @ts-check
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { Queue } from '../../dist/index.js';
import { Totals } from './analyse.mjs';

/** @typedef {import('./worker.mjs').Report} Report */

/**
 * @param {string} program
 * @param {string[]} args
 */
function start(program, ...args) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(program, import.meta.url)), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (code === 0 || signal === 'SIGKILL') resolve();
        else reject(new Error(`${program} ended with ${code ?? signal}`));
      });
    })
  );
  return { child, exited };
}

/**
 * The pipeline over two queues: a walker, several workers, and this process as the one who adds up. With `kills`, that many workers are killed
 * with `kill -9` while they provably hold an unacknowledged job, and are replaced.
 * @param {string} folder
 * @param {{ workerCount: number, kills: number, onProgress: (files: number, note: string) => void }} options
 */
export async function queuePipeline(folder, { workerCount, kills, onProgress }) {
  const jobsName = `demo-jobs-${process.pid}`;
  const resultsName = `demo-results-${process.pid}`;
  const jobs = Queue.create(jobsName, { capacityBytes: 32 << 20 });
  /** @type {Queue<Report>} */
  const results = Queue.create(resultsName, { capacityBytes: 16 << 20 });
  const totals = new Totals();
  /** @type {Set<number>} */
  const seen = new Set();
  let duplicates = 0;
  let killed = 0;
  const started = performance.now();

  /** @type {Map<number, import('node:child_process').ChildProcess>} */
  const workers = new Map();
  /** @type {Promise<void>[]} */
  const exits = [];
  const startWorker = () => {
    const { child, exited } = start('worker.mjs', jobsName, resultsName, ...(kills > 0 ? ['announce'] : []));
    workers.set(/** @type {number} */ (child.pid), child);
    exits.push(exited.finally(() => workers.delete(/** @type {number} */ (child.pid))));
  };

  /** @param {Report} report */
  const take = (report) => {
    if (report.kind !== 'done' || report.analysis === undefined) return;
    if (seen.has(report.id)) {
      duplicates++;
      return;
    }
    seen.add(report.id);
    totals.add(report.analysis);
    onProgress(totals.files, `${killed > 0 ? `killed ${killed}, ` : ''}${duplicates} duplicates`);
  };

  /**
   * Kills the worker that has announced a job, if it provably holds it still: stopped first, it can put no more reports; when none of those
   * that it had put says "done", the job is unacknowledged, for a worker acknowledges after it reports.
   * @param {Report} announced
   */
  const killHolder = (announced) => {
    const worker = workers.get(announced.pid);
    if (worker === undefined || !worker.kill('SIGSTOP')) return;
    let done = false;
    for (let size = results.size; size > 0; size--) {
      const report = results.tryGet();
      if (report === undefined) break;
      done ||= report.kind === 'done' && report.pid === announced.pid && report.id === announced.id;
      take(report);
    }
    if (done) {
      worker.kill('SIGCONT');
      return;
    }
    worker.kill('SIGKILL');
    killed++;
    startWorker();
  };

  for (let i = 0; i < workerCount; i++) startWorker();
  exits.push(start('walker.mjs', jobsName, folder).exited);
  const finished = Promise.all(exits.splice(0)).then(async () => {
    while (exits.length > 0) await Promise.all(exits.splice(0));
    results.end();
  });

  // Kills are spread over the run: one more is due with every further `step` files.
  const step = 150;
  for await (const report of results) {
    if (report.kind === 'started') {
      if (killed < kills && totals.files >= (killed + 1) * step) killHolder(report);
    } else {
      take(report);
    }
  }
  await finished;
  const seconds = (performance.now() - started) / 1000;
  const redelivered = jobs.stats().redelivered;
  jobs.close();
  results.close();
  return { totals, seconds, duplicates, killed, redelivered };
}
