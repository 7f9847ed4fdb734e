// @ts-check
/** Workers are terminated while they load the package, or open and close queues: `terminated-openers.mjs TIMES SEED`. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';
import { SeededRandom } from './seeded-random.mjs';

const NAME = 'jobs';

function openForGood() {
  // The addon loads at the first use, which comes after this.
  parentPort?.postMessage('begins');
  for (;;) {
    Queue.open(NAME).close();
    new Queue().close();
    try {
      Queue.open('absent');
    } catch (error) {
      if (/** @type {{ code: string }} */ (error).code !== 'ERR_NOT_FOUND') throw error;
    }
  }
}

async function terminateThem() {
  const [times = 0, seed = 0] = process.argv.slice(2).map(Number);
  const random = new SeededRandom(seed);
  const queue = Queue.create(NAME);
  for (let i = 0; i < times; i += 1) {
    const worker = new Worker(new URL(import.meta.url));
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await delay(random.below(5));
    await worker.terminate();
  }
  say('result', { participants: queue.stats().participants });
  queue.close();
}

await (isMainThread ? terminateThem() : openForGood());
