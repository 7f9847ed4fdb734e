// @ts-check
// Does one thing with a value and an array that are there, and says so.
//   node shared-value.mjs VALUE ACT
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';

import { SharedArray, Value } from '../../../dist/index.js';

const [name = '', act = ''] = isMainThread ? process.argv.slice(2) : workerData;
const say = (/** @type {string} */ word, /** @type {unknown} */ data = null) =>
  process.stdout.write(`${word} ${JSON.stringify(data)}\n`);

const n = act === 'terminate workers' ? undefined : Value.open(name, { type: 'int32' });
const isNegative = (/** @type {number} */ v) => v < 0;

/** @type {Record<string, () => unknown>} */
const acts = {
  async await() {
    say('ready');
    await n?.waitFor(isNegative);
  },
  block() {
    say('ready');
    n?.waitForSync(isNegative);
  },
  async 'await next'() {
    const before = n?.value ?? 0;
    const waiting = n?.waitFor((v) => v > before);
    say('ready');
    say('seen', await waiting);
    n?.close();
  },
  'add for ever'() {
    say('ready');
    for (;;) n?.add(1);
  },
  'write for ever'() {
    const p = Value.open(`${name}-struct`);
    say('ready');
    for (let i = 0; ; i += 1) p.value = { a: i, b: i, c: i };
  },
  'exit with all open'() {
    new SharedArray('float64', 10)[0] = 1;
    void n?.waitFor(isNegative);
    process.exit(0);
  },
  throw() {
    new SharedArray('float64', 10)[0] = 1;
    throw new Error('as it should');
  },
  'wait unref'() {
    void n?.unref().waitFor(isNegative);
  },
  async 'terminate workers'() {
    for (const what of ['block', 'await', 'add for ever', 'write for ever']) {
      const worker = new Worker(fileURLToPath(import.meta.url), {
        workerData: [name, what],
        stdout: true,
      });
      await new Promise((resolve) => worker.stdout.once('data', resolve));
      await worker.terminate();
      say('terminated', what);
    }
  },
};
await acts[act]?.();
