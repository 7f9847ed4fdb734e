// @ts-check
/**
 * Leaves in the way it is told to, while it holds an unacknowledged message of one queue and a get is pending on another.
 * Without names of queues it leaves in the same way and never loads the package: that is what Node does without us.
 *   leaving.mjs WAY [JOBS IDLE]
 * Begins when it is told to.
 */
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { Ears, say } from './line.mjs';

const [way = '', jobsName, idleName] = process.argv.slice(2);
const isOfWorker = way.startsWith('worker');

async function hold() {
  if (jobsName === undefined || idleName === undefined) return {};
  const { Queue } = await import('../../../dist/index.js');
  const jobs = Queue.open(jobsName);
  const idle = Queue.open(idleName);
  const held = await jobs.receive();
  const pending = idle.get();
  pending.catch(() => {});
  if (way === 'natural end') idle.unref();
  return { held, jobs, idle };
}

/** @param {{ held?: { value: unknown, redelivered: boolean, deliveries: number } }} holding */
function shown({ held }) {
  return { value: held?.value, redelivered: held?.redelivered, deliveries: held?.deliveries };
}

function leave() {
  switch (way) {
    case 'natural end':
      return;
    case 'process.exit':
    case 'worker process.exit':
      return process.exit(3);
    case 'throw':
      return void setImmediate(() => {
        throw new Error('thrown on purpose');
      });
    case 'unhandled rejection':
      return void Promise.reject(new Error('rejected on purpose'));
    case 'abort':
      return process.abort();
    case 'SIGTERM':
    case 'SIGINT':
    case 'worker terminate':
      return void setInterval(() => {}, 1000); // until somebody ends it
    default:
      throw new Error(`no such way to leave: ${way}`);
  }
}

/** @param {Ears} ears */
async function letWorkerLeave(ears) {
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2) });
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  worker.once('message', (held) => say('holding', held));
  await ears.line();
  if (way === 'worker terminate') await worker.terminate();
  else worker.postMessage('leave');
  say('worker-gone', await gone);
  await ears.line();
}

if (isMainThread) {
  const ears = new Ears();
  const hasBegun = (await ears.line()) !== undefined;
  if (hasBegun && isOfWorker) {
    await letWorkerLeave(ears);
  } else if (hasBegun) {
    const holding = await hold();
    say('holding', shown(holding));
    await ears.line();
    leave();
    // What is held stays reachable to the end: only the end of the process gives it back.
    process.once('exit', () => holding.held);
  }
} else {
  const holding = await hold();
  parentPort?.postMessage(shown(holding));
  parentPort?.once('message', leave);
}
