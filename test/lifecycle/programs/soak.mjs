// @ts-check
/**
 * Two producers, two consumers and every message accounted for.
 *   soak.mjs [--messages N] [--kills K] [--seed S]
 * Without kills: each message exactly once, and in order per producer. With kills, of consumers that use `receive`: none lost, no more
 * duplicates than kills, all of them marked. Closes with the verdict; the exit code is 0 if it holds.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { list, Queue } from '../../../dist/index.js';
import { say } from './line.mjs';
import { SeededRandom } from './seeded-random.mjs';

const { values: options } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000000' },
    kills: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
});
const kills = Number(options.kills);
const seed = Number(options.seed);
const PRODUCERS = 2;
const CONSUMERS = 2;
const share = Math.ceil(Number(options.messages) / PRODUCERS);
const messages = share * PRODUCERS;

/** No progress for so long is a hang. */
const WATCHDOG_MS = 60_000;
const LOOK_EVERY_MS = 5;
const REPORT_EVERY_MS = 10_000;
const RECORD_BYTES = 12;

const random = new SeededRandom(seed);
const reports = mkdtempSync(`${tmpdir()}/interproc-soak-`);
const isOwnDirectory = process.env['INTERPROC_DIR'] === undefined;
if (isOwnDirectory) {
  process.env['INTERPROC_DIR'] = `/dev/shm/interproc-soak-${process.pid}`;
  mkdirSync(process.env['INTERPROC_DIR'], { mode: 0o700 });
}
const directory = process.env['INTERPROC_DIR'] ?? '';

/** @typedef {{ name: string, process: import('node:child_process').ChildProcess, output: string[], ended: Promise<void>, isWanted: boolean }} Child */

/** @type {Set<Child>} */
const children = new Set();
/** @type {string[]} */
const complaints = [];

/**
 * @param {string} program
 * @param {(string | number)[]} args
 * @returns {Child}
 */
function start(program, args) {
  const file = fileURLToPath(new URL(`${program}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  /** @type {string[]} */
  const output = [];
  child.stdout.on('data', (chunk) => output.push(String(chunk)));
  /** @type {Child} */
  const made = {
    name: [program, ...args].join(' '),
    process: child,
    output,
    isWanted: true,
    ended: new Promise((resolve) => {
      child.once('close', (code, signal) => {
        children.delete(made);
        if (made.isWanted && code !== 0)
          complaints.push(`${made.name} ended with ${code ?? signal}`);
        resolve();
      });
    }),
  };
  children.add(made);
  return made;
}

/**
 * What it said last.
 * @param {Child} child
 */
function lastWord({ output }) {
  const line = output.join('').trimEnd().split('\n').at(-1) ?? '';
  return JSON.parse(line.slice(line.indexOf(' ') + 1));
}

const queue = Queue.create('soak', { codec: 'raw', capacityBytes: 32 << 20 });
const startedAt = performance.now();

/** Tells how it goes, and stops a run that does not get on. */
async function watch() {
  let seen = -1;
  let seenAt = performance.now();
  let reportedAt = seenAt;
  while (isRunning) {
    await delay(200);
    const { gets } = queue.stats();
    const now = performance.now();
    if (gets !== seen) {
      seen = gets;
      seenAt = now;
    } else if (now - seenAt > WATCHDOG_MS) {
      complaints.push(`nothing was got for ${WATCHDOG_MS / 1000} s: ${describe()}`);
      for (const child of children) child.process.kill('SIGKILL');
      return;
    }
    if (now - reportedAt > REPORT_EVERY_MS) {
      reportedAt = now;
      const perSecond = Math.round((gets / (now - startedAt)) * 1000);
      console.log(`${gets} messages, ${perSecond} a second, ${queue.size} waiting`);
    }
  }
}

function describe() {
  const running = [...children].map(({ name, process: { pid } }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return `${name}: ${/State:\s*(.*)/.exec(status)?.[1]} in ${readFileSync(`/proc/${pid}/wchan`, 'utf8')}`;
  });
  return JSON.stringify({ stats: queue.stats(), list: list(), running }, undefined, 2);
}

/** @returns {Child[]} */
function startProducers() {
  return Array.from({ length: PRODUCERS }, (_, producer) =>
    start('soak-producer', ['soak', producer, share, random.below(2 ** 32)]),
  );
}

/** @param {Child[]} producers */
async function endAfter(producers) {
  await Promise.all(producers.map(({ ended }) => ended));
  queue.end();
}

async function withoutKills() {
  const consumers = Array.from({ length: CONSUMERS }, (_, consumer) =>
    start('soak-consumer', ['soak', consumer, PRODUCERS, share, reports]),
  );
  const producers = startProducers();
  await endAfter(producers);
  await Promise.all(consumers.map(({ ended }) => ended));
  if (complaints.length > 0) return;

  let disordered = 0;
  let duplicates = 0;
  let lost = 0;
  for (const consumer of consumers) {
    const said = lastWord(consumer);
    disordered += said.disordered;
    duplicates += said.twice;
  }
  for (let producer = 0; producer < PRODUCERS; producer += 1) {
    const bitmaps = Array.from({ length: CONSUMERS }, (_, consumer) =>
      readFileSync(`${reports}/${consumer}-${producer}.bitmap`),
    );
    for (let number = 0; number < share; number += 1) {
      const bit = 1 << (number & 7);
      const count = bitmaps.filter((map) => ((map[number >>> 3] ?? 0) & bit) !== 0).length;
      if (count === 0) lost += 1;
      else duplicates += count - 1;
    }
  }
  const bytes = producers.reduce((sum, producer) => sum + lastWord(producer).bytes, 0);
  report({ lost, duplicates, unmarked: 0, disordered, kills: 0, bytes });
  if (lost + duplicates + disordered > 0) complaints.push('not exactly once and in order');
}

async function withKills() {
  let incarnation = 0;
  /** @param {number} consumer */
  const startReceiver = (consumer) => {
    incarnation += 1;
    const log = `${reports}/${String(incarnation).padStart(6, '0')}.log`;
    return start('soak-receiver', ['soak', log, consumer % 2 === 0 ? 'blocking' : 'awaiting']);
  };
  const receivers = Array.from({ length: CONSUMERS }, (_, consumer) => startReceiver(consumer));
  const producers = startProducers();
  let hasEnded = false;
  const ended = endAfter(producers).then(() => {
    hasEnded = true;
  });

  const received = () =>
    readdirSync(reports).reduce((sum, file) => sum + statSync(`${reports}/${file}`).size, 0) /
    RECORD_BYTES;
  let killed = 0;
  while (killed < kills && complaints.length === 0) {
    // The kills are spread over the messages, and each comes at a random moment.
    const due = (messages * (killed + random.fraction())) / kills;
    while (received() < due && complaints.length === 0) await delay(LOOK_EVERY_MS);
    await delay(random.fraction() * LOOK_EVERY_MS);
    const consumer = random.below(CONSUMERS);
    const victim = receivers[consumer];
    if (victim === undefined || !children.has(victim)) {
      if (hasEnded) break; // it has come to its end: there is nobody left to kill
      continue;
    }
    victim.isWanted = false;
    victim.process.kill('SIGKILL');
    await victim.ended;
    killed += 1;
    receivers[consumer] = startReceiver(consumer);
  }
  await ended;
  await Promise.all(receivers.map((receiver) => receiver.ended));
  if (complaints.length > 0) return;

  /** @type {Uint8Array[]} */
  const counts = Array.from({ length: PRODUCERS }, () => new Uint8Array(share));
  let duplicates = 0;
  let unmarked = 0;
  let disordered = 0;
  for (const file of readdirSync(reports).sort()) {
    const bytes = readFileSync(`${reports}/${file}`);
    const records = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const last = counts.map(() => -1);
    for (let i = 0; i < records.length; i += 3) {
      const [producer = 0, number = 0, deliveries = 0] = records.subarray(i, i + 3);
      const seen = counts[producer];
      if (seen === undefined) throw new Error(`producer ${producer} does not exist`);
      if ((seen[number] ?? 0) > 0) duplicates += 1;
      // Of all who wrote it down, one at most was the first.
      if (deliveries === 1 && (seen[number] ?? 0) >= 128) unmarked += 1;
      seen[number] = (seen[number] ?? 0) + (deliveries === 1 ? 128 : 1);
      if (deliveries > 1) continue;
      if (number <= (last[producer] ?? 0)) disordered += 1;
      last[producer] = number;
    }
  }
  const lost = counts.reduce((sum, seen) => sum + seen.filter((count) => count === 0).length, 0);
  const bytes = producers.reduce((sum, producer) => sum + lastWord(producer).bytes, 0);
  report({ lost, duplicates, unmarked, disordered, kills: killed, bytes });
  if (lost > 0) complaints.push('messages were lost');
  if (duplicates > killed) complaints.push('more duplicates than kills');
  if (unmarked > 0) complaints.push('a duplicate was not marked');
  if (disordered > 0) complaints.push('first deliveries were out of order');
}

/** @param {{ lost: number, duplicates: number, unmarked: number, disordered: number, kills: number, bytes: number }} found */
function report(found) {
  const seconds = (performance.now() - startedAt) / 1000;
  const perSecond = Math.round(messages / seconds);
  const megabytes = Math.round(found.bytes / seconds / 1e6);
  console.log(
    `${messages} messages, ${(found.bytes / 1e9).toFixed(1)} GB, in ${seconds.toFixed(1)} s: ${perSecond} a second, ${megabytes} MB/s`,
  );
  say('result', { messages, ...found, seconds, seed });
}

console.log(
  `soak: ${messages} messages, ${PRODUCERS} producers, ${CONSUMERS} consumers, ${kills} kills, --seed ${seed}`,
);
let isRunning = true;
const watching = watch();
await (kills === 0 ? withoutKills() : withKills());
isRunning = false;
await watching;
queue.close();
rmSync(reports, { recursive: true, force: true });
if (isOwnDirectory) {
  const left = readdirSync(directory);
  if (left.length > 0) complaints.push(`left behind: ${left.join(' ')}`);
  rmSync(directory, { recursive: true, force: true });
}
for (const complaint of complaints) console.log(complaint);
console.log(`soak ${complaints.length === 0 ? 'passed' : 'FAILED'}`);
process.exitCode = complaints.length === 0 ? 0 : 1;
