// @ts-check
/**
 * A short life with a queue, announced step by step: `doing` before, `did` after. Somewhere in it the process is killed or stopped from
 * below (INTERPROC_FAULT), and what was announced tells what must be true then.
 *   step-by-step.mjs LIFE
 * Begins when it is told to.
 */
import { Queue } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

const [life = ''] = process.argv.slice(2);
const NAME = 'jobs';
const ears = new Ears();

/**
 * @template T
 * @param {string} step
 * @param {string} value the message it is about
 * @param {() => T | Promise<T>} act
 * @returns {Promise<T>}
 */
async function announced(step, value, act) {
  say('step', { at: 'doing', step, value });
  const result = await act();
  say('step', { at: 'did', step, value });
  return result;
}

/**
 * @param {unknown} value
 * @param {string} expected
 */
function check(value, expected) {
  if (value !== expected) throw new Error(`got ${String(value)} instead of ${expected}`);
}

/** Every kind of call on a queue that holds m1, m2 and m3 and is also open elsewhere. */
async function exchange() {
  const queue = Queue.open(NAME);
  await announced('put', 'v1', () => queue.putSync('v1'));
  const first = await announced('receive', 'm1', () => queue.receiveSync());
  check(first.value, 'm1');
  await announced('ack', 'm1', () => first.ack());
  await announced('get', 'm2', async () => check(await queue.get(), 'm2'));
  const third = await announced('receive', 'm3', () => queue.receive());
  check(third.value, 'm3');
  await announced('nack', 'm3', () => third.nack());
  const again = await announced('receive', 'm3', () => queue.receive());
  check(again.value, 'm3');
  await announced('put', 'v2', () => queue.put('v2'));
  await announced('close', '', () => queue.close());
}

/**
 * A step that the test prepares before, and may end from outside once it has begun.
 * @param {string} step
 * @param {string} value
 * @param {() => unknown} act
 */
async function prepared(step, value, act) {
  say('step', { at: 'before', step, value });
  await ears.line();
  await announced(step, value, act);
}

/** The waits: nothing is there to get, and no room to put. */
async function wait() {
  const queue = Queue.open(NAME);
  await prepared('get', 'w1', async () => check(await queue.get(), 'w1'));
  await prepared('get', 'w2', () => check(queue.getSync(), 'w2'));
  await prepared('receive', 'w3', async () => {
    const received = await queue.receive();
    check(received.value, 'w3');
    await announced('ack', 'w3', () => received.ack());
  });
  await prepared('put', 'w4', () => queue.put('w4'));
  await prepared('put', 'w5', () => queue.putSync('w5'));
  await announced('close', '', () => queue.close());
}

/** The other side of the waits: somebody sleeps, and is to be woken. */
async function wake() {
  const queue = Queue.open(NAME);
  await prepared('put', 'awaited', () => queue.putSync('awaited'));
  await prepared('put', 'blocked for', () => queue.putSync('blocked for'));
  await prepared('make room', 'filler', () => check(queue.getSync(), 'filler'));
  await announced('close', '', () => queue.close());
}

/** Alone from the creation to the removal. */
async function live() {
  const queue = await announced('create', '', () => Queue.create(NAME));
  await announced('put', 'v1', () => queue.putSync('v1'));
  await announced('get', 'v1', () => check(queue.getSync(), 'v1'));
  await announced('get', 'v2', async () => {
    const pending = queue.get();
    await queue.put('v2');
    check(await pending, 'v2');
  });
  await announced('close', '', () => queue.close());
}

/** @type {Record<string, () => Promise<void>>} */
const LIVES = { exchange, wait, wake, live };
if ((await ears.line()) !== undefined) {
  await LIVES[life]?.();
  say('lived', life in LIVES);
}
