// @ts-check
/**
 * Changes two numbers in shared memory under a lock, one after the other, until it is told to end: whoever gets the lock finds them
 * equal, or is told that its last owner did not finish.
 */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

import { Lock, SharedMemory } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

const [way = 'await'] = process.argv.slice(2);
const lock = Lock.open('lock');
const memory = SharedMemory.open('numbers');
const numbers = new Int32Array(memory.buffer, 0, 2);
let done = 0;
let isEnding = false;

/** @param {boolean} wasRecovered */
function begin(wasRecovered) {
  const [first = 0, second = 0] = numbers;
  if (wasRecovered) say('recovered');
  else if (first !== second) say('violation', { first, second });
  numbers[1] = first;
  numbers[0] = first + 1;
}

function finish() {
  numbers[1] = /** @type {number} */ (numbers[0]);
  done += 1;
}

const ears = new Ears();
const told = ears.line().then(() => {
  isEnding = true;
});
say('ready');
for (let i = 0; !isEnding; i += 1) {
  const guard = way === 'await' ? await lock.acquire() : lock.acquireSync();
  begin(guard.recovered);
  // Now and then for long enough to be killed just then.
  if (i % 50 === 0) await sleep(5);
  else if (way === 'await' && i % 3 === 0) await turn();
  finish();
  guard.release();
  if (i % 64 === 0) await turn();
}
await told;
say('done', done);
memory.close();
lock.close();
