// @ts-check
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { Queue } from '../../dist/index.js';
import { Totals } from './analyse.mjs';

/** @typedef {import('./worker.mjs').Report} Report */

/**
 * @param {string} program
 * @param {string[]} args
 */
function start(program, ...args) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(program, import.meta.url)), ...args],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
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
 * A signal takes effect some time after kill() returns: waits until the process stands still. False if it is gone.
 * @param {number} pid
 */
function hasStopped(pid) {
  for (;;) {
    let stat;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    } catch {
      return false;
    }
    const state = stat[stat.lastIndexOf(')') + 2];
    if (state === 'T') return true;
    if (state === 'Z' || state === 'X') return false;
  }
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
  const results = Queue.create(resultsName, { capacityBytes: 16 << 20, maxItems: 64 });
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
    const { child, exited } = start(
      'worker.mjs',
      jobsName,
      resultsName,
      ...(kills > 0 ? ['announce'] : []),
    );
    workers.set(/** @type {number} */ (child.pid), child);
    exits.push(exited.finally(() => workers.delete(/** @type {number} */ (child.pid))));
  };

  /**
   * The job that each worker has announced and not yet reported as done.
   * @type {Map<number, number>}
   */
  const underWay = new Map();

  /** @param {Report} report */
  const take = (report) => {
    if (report.kind === 'started') {
      underWay.set(report.pid, report.id);
      return;
    }
    if (underWay.get(report.pid) === report.id) underWay.delete(report.pid);
    if (seen.has(report.id)) {
      duplicates++;
      return;
    }
    seen.add(report.id);
    if (report.analysis !== undefined) totals.add(report.analysis);
    onProgress(totals.files, `${killed > 0 ? `killed ${killed}, ` : ''}${duplicates} duplicates`);
  };

  /**
   * Kills a worker if it provably holds a job. Stopped first, it can put no more reports; once all that it had put are read, a job that it has
   * announced and not reported is one that it has received and not acknowledged, for a worker acknowledges after it reports.
   * @param {number} pid
   */
  const killIfHolding = (pid) => {
    const worker = workers.get(pid);
    if (worker === undefined || !worker.kill('SIGSTOP')) return;
    if (!hasStopped(pid)) return;
    for (let size = results.size; size > 0; size--) {
      const report = results.tryGet();
      if (report === undefined) break;
      take(report);
    }
    if (!underWay.has(pid)) {
      worker.kill('SIGCONT');
      return;
    }
    worker.kill('SIGKILL');
    underWay.delete(pid);
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
    take(report);
    if (report.kind === 'started' && killed < kills && totals.files >= (killed + 1) * step) {
      killIfHolding(report.pid);
    }
  }
  await finished;
  const seconds = (performance.now() - started) / 1000;
  const redelivered = jobs.stats().redelivered;
  jobs.close();
  results.close();
  return { totals, seconds, duplicates, killed, redelivered };
}
