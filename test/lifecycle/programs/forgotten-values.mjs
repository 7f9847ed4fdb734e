// @ts-check
// Makes values, arrays and memory and forgets them; says how many objects are left once the garbage is collected. Needs --expose-gc.
import { setTimeout as sleep } from 'node:timers/promises';

import { list, SharedArray, SharedMemory, Struct, Value } from '../../../dist/index.js';

const say = (/** @type {string} */ word, /** @type {unknown} */ data) =>
  process.stdout.write(`${word} ${JSON.stringify(data)}\n`);

const Point = Struct({ x: 'int32' });

/** @returns {ArrayBufferView | undefined} all that is kept of them */
function makeAndForget() {
  for (let i = 0; i < 20; i += 1) {
    new Value('int32').add(1);
    void new Value(Point).value;
    new SharedArray('int32', 3)[0] = 1;
    new SharedArray('bool', 3).fill(true);
    void new SharedMemory(10).read();
    new Value('float64').lock.acquireSync();
  }
  return new SharedArray('int32', [7, 8]).subarray(1);
}

async function collect() {
  for (let i = 0; i < 50 && list().length > (kept === undefined ? 0 : 1); i += 1) {
    globalThis.gc?.();
    await sleep(20);
  }
}

let kept = makeAndForget();
await collect();
say('kept', [list().length, kept === undefined ? 0 : new Int32Array(kept.buffer)[1]]);
kept = undefined;
await collect();
say('left', list().length);
