// @ts-check
/**
 * What becomes of handles that nobody closes, seen by garbage collection: `node --expose-gc posix-forgotten.mjs CASE NAME`. Says
 * how many mappings there are at each point; where ArrayBuffers cannot be transferred, says so.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { markAsUntransferable } from 'node:worker_threads';
import { PosixSemaphore, PosixSharedMemory } from '../../../dist/posix.js';
import { say } from './line.mjs';

const [deed = '', name = ''] = process.argv.slice(2);
const gc = /** @type {() => void} */ (globalThis.gc);
const BYTES = 10_000;

/** Memory and semaphores that are mapped. */
const mapped = () => readFileSync('/proc/self/maps', 'utf8').split('/dev/shm/').length - 1;

/** Collects until so many are left, or until it is plain that there will never be so few. @param {number} count */
async function collected(count) {
  for (let i = 0; i < 200 && mapped() > count; i += 1) {
    gc();
    await delay(5);
  }
  return mapped();
}

const open = () => PosixSharedMemory.open(name);
/** Of what is held here nothing is forgotten. @type {ArrayBufferView[]} */
const kept = [];

/** False: this runtime has no transfers. @param {PosixSharedMemory} memory */
function keepTaken({ buffer }) {
  const { transfer } = /** @type {{ transfer?: () => ArrayBuffer }} */ (
    /** @type {unknown} */ (ArrayBuffer.prototype)
  );
  if (transfer !== undefined) kept.push(new Uint8Array(transfer.call(buffer)));
  return transfer !== undefined;
}

/** Whether the array that is kept still shows the memory, and what is mapped then and after. */
async function keptAndDropped() {
  const after = await collected(0);
  /** @type {Uint8Array} */ (kept[0]).fill(9);
  const reader = open();
  const seen = reader.read(new Uint8Array(1), BYTES - 1)[0];
  reader.close();
  kept.length = 0;
  return { after, seen, afterwards: await collected(0) };
}

/** @type {Record<string, () => Promise<unknown>>} */
const CASES = {
  async 'forgotten handles'() {
    for (let i = 0; i < 10; i += 1) open();
    for (let i = 0; i < 10; i += 1) new Uint8Array(open().buffer).fill(1);
    const before = mapped();
    return { before, after: await collected(0) };
  },

  async 'forgotten semaphores'() {
    // All handles of one process share one mapping of the C library's.
    for (let i = 0; i < 10; i += 1) PosixSemaphore.open(name);
    const before = mapped();
    return { before, after: await collected(0) };
  },

  async 'a kept array'() {
    (() => kept.push(new Uint8Array(open().buffer, 5)))();
    return keptAndDropped();
  },

  async 'taken away and closed'() {
    const memory = open();
    if (!keepTaken(memory)) return 'cannot be transferred';
    memory.close();
    return keptAndDropped();
  },

  async 'taken away and forgotten'() {
    return keepTaken(open()) ? keptAndDropped() : 'cannot be transferred';
  },

  async 'marked and closed'() {
    (() => {
      const memory = open();
      markAsUntransferable(memory.buffer);
      const array = new Uint8Array(memory.buffer);
      memory.close();
      array[0] = 1;
    })();
    return { afterwards: await collected(0) };
  },

  /** No turn of the event loop, in which finalizers run. */
  async 'closed in a loop'() {
    for (let i = 0; i < 20_000; i += 1) {
      const memory = open();
      if (i % 2 === 0) new Uint8Array(memory.buffer)[0] = 1;
      memory.close();
    }
    return { after: mapped(), afterwards: await collected(0) };
  },
};

say('result', await CASES[deed]?.());
