// @ts-check
// One of several workers: takes jobs from one queue and puts results on another. It meets the others by the queues' names only.
//   node worker.mjs JOBS RESULTS [announce]
import { EOFError, Queue } from '../../dist/index.js';
import { analyse } from './analyse.mjs';

/** @typedef {{ id: number, path: string, bytes: Uint8Array }} Job */
/** @typedef {{ kind: 'started' | 'done', id: number, pid: number, analysis?: import('./analyse.mjs').Analysis }} Report */

const [jobsName, resultsName, announce] = /** @type {[string, string, string | undefined]} */ (
  process.argv.slice(2)
);
/** @type {Queue<Job>} */
const jobs = Queue.open(jobsName);
/** @type {Queue<Report>} */
const results = Queue.open(resultsName);

try {
  for (;;) {
    const job = await jobs.receive();
    const { id, bytes } = job.value;
    if (announce) await results.put({ kind: 'started', id, pid: process.pid });
    await results.put({ kind: 'done', id, pid: process.pid, analysis: analyse(bytes) });
    // Only now: a worker that is killed before this line leaves the job to another.
    job.ack();
  }
} catch (error) {
  if (!(error instanceof EOFError)) throw error;
}
jobs.close();
results.close();
