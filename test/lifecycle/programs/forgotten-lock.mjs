// @ts-check
/** Run with --expose-gc: forgets a handle by which it holds a lock, and gets the lock by another. */
import { setTimeout as sleep } from 'node:timers/promises';

import { Lock } from '../../../dist/index.js';
import { say } from './line.mjs';

const lock = Lock.create('forgotten');

async function holdAndForget() {
  const guard = await Lock.open('forgotten').acquire();
  say('held', guard.isHeld);
}

await holdAndForget();
const waiting = lock.acquire();
let isOver = false;
void waiting.then(() => {
  isOver = true;
});
while (!isOver) {
  globalThis.gc?.();
  await sleep(5);
}
say('recovered', (await waiting).recovered);
// What was forgotten is in nobody's way.
lock.release();
lock.acquireSync().release();
lock.close();
