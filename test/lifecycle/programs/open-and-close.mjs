// @ts-check
/**
 * Opens and closes queues, over and over, and counts what the process has before and after. Needs --expose-gc.
 *   open-and-close.mjs CYCLES WARM_UP_CYCLES
 */
import { readFileSync, readdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const [cycles = 0, warmUpCycles = 0] = process.argv.slice(2).map(Number);
const directory = process.env['INTERPROC_DIR'] ?? '';

/** The ways of a queue's short life, in turn. @type {(() => unknown)[]} */
const LIVES = [
  () => Queue.create('short').close(),
  () => new Queue().close(),
  () => Queue.open('kept').close(),
  () => {
    const queue = Queue.openOrCreate('short');
    queue.putSync('message');
    queue.getSync();
    queue.close();
  },
  async () => {
    const queue = Queue.open('kept');
    const pending = queue.get();
    queue.close();
    await pending.catch(() => {});
  },
  () => {
    const queue = Queue.open('kept');
    queue.putSync('message');
    queue.receiveSync().ack();
    queue.close();
  },
  // Forgotten without a close: what nobody can reach is closed when it is collected.
  () => void new Queue(),
];

async function collect() {
  for (let i = 0; i < 4; i += 1) {
    globalThis.gc?.();
    await turn();
  }
}

async function count() {
  await collect();
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    maps: readFileSync('/proc/self/maps', 'utf8').trimEnd().split('\n').length,
    shared: readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => line.includes(directory)).length,
    files: readdirSync(directory).length,
    residentBytes: process.memoryUsage.rss(),
  };
}

/** @param {number} rounds */
async function live(rounds) {
  for (let i = 0; i < rounds; i += 1) {
    const pending = LIVES[i % LIVES.length]?.();
    if (pending !== undefined) await pending;
    // Collected before the forgotten ones are too many for the table of mappings; others would be collected in time as well.
    if (i % 1000 === 999) await collect();
  }
}

const kept = Queue.create('kept');
await live(warmUpCycles);
const before = await count();
await live(cycles);
say('counted', { before, after: await count() });
kept.close();
