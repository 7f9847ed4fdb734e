// @ts-check
/**
 * Two threads take turns, and tell each other by another way what they have done. `locked`: how often one was told that the lock is
 * released, and found it locked all the same. `stale`: how often one was told what the value is now, and found an older one.
 */
import { once } from 'node:events';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { Lock, SharedMemory, Struct, Value } from '../../../dist/index.js';
import { say } from './line.mjs';

const [rounds = '1'] = process.argv.slice(2);

const Pair = Struct({ left: 'int32', right: 'int32' });

const share = () => ({
  lock: Lock.openOrCreate('by-turns'),
  scalar: Value.openOrCreate('scalar', 'int32', 0),
  pair: Value.openOrCreate('pair', Pair, { left: 0, right: 0 }),
  memory: SharedMemory.openOrCreate('memory', 4),
});

/** Until the word says so. */
function until(/** @type {Int32Array} */ word, /** @type {number} */ wanted) {
  // It is there so soon that what was done before may not have arrived.
  for (let i = 0; i < 10_000; i += 1) if (Atomics.load(word, 0) === wanted) return;
  for (let now = Atomics.load(word, 0); now !== wanted; now = Atomics.load(word, 0)) {
    Atomics.wait(word, 0, now);
  }
}

function pass(/** @type {Int32Array} */ word, /** @type {number} */ now) {
  Atomics.store(word, 0, now);
  Atomics.notify(word, 0);
}

/** The turn is theirs whose number is the word's parity. How often the lock was locked, though the other one has released it. */
function lockByTurns(
  /** @type {ReturnType<typeof share>} */ { lock },
  /** @type {Int32Array} */ turn,
  /** @type {0 | 1} */ own,
) {
  let missed = 0;
  for (let round = 0; round < Number(rounds); round += 1) {
    const mine = 2 * round + own;
    until(turn, mine);
    const guard = lock.tryAcquire();
    if (guard === null) missed += 1;
    else guard.release();
    pass(turn, mine + 1);
  }
  return missed;
}

function store(
  /** @type {ReturnType<typeof share>} */ { scalar, pair, memory },
  /** @type {Int32Array} */ turn,
) {
  for (let round = 0; round < Number(rounds); round += 1) {
    const told = 2 * round + 1;
    // One of them: what is said next would bring news of it.
    if (round % 3 === 0) scalar.value = told;
    if (round % 3 === 1) pair.value = { left: told, right: told };
    if (round % 3 === 2) memory.write(new Uint8Array(Int32Array.of(told).buffer));
    pass(turn, told);
    until(turn, told + 1);
  }
}

/** How often something else was there than what was told. */
function look(
  /** @type {ReturnType<typeof share>} */ { scalar, pair, memory },
  /** @type {Int32Array} */ turn,
) {
  const looks = [
    () => scalar.value,
    () => pair.value.left,
    () => new Int32Array(memory.read().buffer)[0],
  ];
  let stale = 0;
  for (let round = 0; round < Number(rounds); round += 1) {
    const told = 2 * round + 1;
    until(turn, told);
    if (looks[round % 3]?.() !== told) stale += 1;
    pass(turn, told + 1);
  }
  return stale;
}

if (isMainThread) {
  const shared = share();
  const turn = new Int32Array(new SharedArrayBuffer(4));
  const told = new Int32Array(new SharedArrayBuffer(4));
  const other = new Worker(new URL(import.meta.url), {
    argv: process.argv.slice(2),
    workerData: { turn, told },
  });
  const ended = once(other, 'message');
  const locked = lockByTurns(shared, turn, 0);
  store(shared, told);
  const [others] = await ended;
  say('missed', { locked: locked + others.locked, stale: others.stale });
  for (const object of Object.values(shared)) object.close();
} else {
  const { parentPort } = await import('node:worker_threads');
  const shared = share();
  const { turn, told } = workerData;
  const locked = lockByTurns(shared, turn, 1);
  const stale = look(shared, told);
  parentPort?.postMessage({ locked, stale });
  for (const object of Object.values(shared)) object.close();
}
