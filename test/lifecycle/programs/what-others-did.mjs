// @ts-check
/**
 * Two threads take a lock by turns, and tell each other by another way that they have released it. `missed`: how often one was
 * told so and found it locked all the same.
 */
import { once } from 'node:events';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { Lock } from '../../../dist/index.js';
import { say } from './line.mjs';

const [rounds = '1'] = process.argv.slice(2);

/** The turn is theirs whose number is the word's parity. */
function takeTurns(
  /** @type {Lock} */ lock,
  /** @type {Int32Array} */ turn,
  /** @type {0 | 1} */ own,
) {
  let missed = 0;
  for (let round = 0; round < Number(rounds); round += 1) {
    const mine = 2 * round + own;
    for (let now = Atomics.load(turn, 0); now !== mine; now = Atomics.load(turn, 0)) {
      Atomics.wait(turn, 0, now);
    }
    const guard = lock.tryAcquire();
    if (guard === null) missed += 1;
    else guard.release();
    Atomics.store(turn, 0, mine + 1);
    Atomics.notify(turn, 0);
  }
  return missed;
}

if (isMainThread) {
  const lock = Lock.create('by-turns');
  const turn = new Int32Array(new SharedArrayBuffer(4));
  const other = new Worker(new URL(import.meta.url), {
    argv: process.argv.slice(2),
    workerData: { turn },
  });
  const ended = once(other, 'message');
  const missed = takeTurns(lock, turn, 0);
  const [others] = await ended;
  say('missed', missed + others);
  lock.close();
} else {
  const { parentPort } = await import('node:worker_threads');
  const lock = Lock.open('by-turns');
  parentPort?.postMessage(takeTurns(lock, workerData.turn, 1));
  lock.close();
}
