// @ts-check
import { workerData } from 'node:worker_threads';
import { Queue } from '../../dist/index.js';

const { jobs: from, results: to, backend } = workerData;
/** @type {Queue<import('./pool.mjs').Job>} */
const jobs = Queue.open(from, { backend });
const results = Queue.open(to, { backend });

// A job is done when its result is there: one whose worker dies before that goes to another.
for (let job; (job = await jobs.receive().catch(() => undefined)) !== undefined; job.ack()) {
  const { id, text } = job.value;
  if (text === 'a text that is the end of who reads it' && !job.redelivered) process.exit(1);
  await results.put({ id, words: text.split(' ').length });
}
