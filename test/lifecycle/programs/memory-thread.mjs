// @ts-check
/** A thread of memory-threads.mjs. */
import { once } from 'node:events';
import { Worker, parentPort, workerData } from 'node:worker_threads';
import { Queue } from '../../../dist/index.js';

const options = /** @type {const} */ ({ backend: 'memory', codec: 'string' });
const { does, name, id, from, to, how } = workerData;
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

/** Somebody ends this thread; until then it is there. */
function stay() {
  setInterval(() => {}, 60_000);
}

/** @type {Record<string, () => unknown>} */
const DEEDS = {
  async 'put when told'() {
    port.postMessage('there');
    await once(port, 'message');
    port.close();
    const jobs = Queue.open(name, options);
    await jobs.put('from one who was there before');
    jobs.close();
  },

  async 'join the row'() {
    const row = Queue.openOrCreate(name, options);
    await row.put(String(id));
    port.postMessage('there');
    await once(port, 'message');
    row.close();
    port.close();
  },

  'have a worker put'() {
    new Worker(new URL(import.meta.url), { workerData: { does: 'put', name } });
  },

  async put() {
    const jobs = Queue.open(name, options);
    await jobs.put('from a worker of a worker');
  },

  async answer() {
    const jobs = /** @type {Queue<{ answers: Queue<string> }>} */ (
      Queue.open(name, { backend: 'memory' })
    );
    const { answers } = await jobs.get();
    await answers.put('by a handle that travelled');
  },

  'take and die'() {
    const jobs = Queue.open(from, options);
    const { value } = jobs.receiveSync();
    Queue.open(to, options).putSync(value);
    if (how === 'exit') process.exit();
    if (how === 'throw') throw new Error('as it was to be');
  },

  hold() {
    const held = Queue.create(name, options);
    process.once('exit', () => held.close());
    port.postMessage('there');
    stay();
  },

  block() {
    const jobs = Queue.open(name, options);
    port.postMessage('there');
    try {
      jobs.getSync();
    } catch (error) {
      port.postMessage({ code: /** @type {{ code?: string }} */ (error).code });
    }
  },

  async chatter() {
    const row = Queue.open(name, options);
    for (;;) await row.put(String(id));
  },
};

await DEEDS[does]?.();
