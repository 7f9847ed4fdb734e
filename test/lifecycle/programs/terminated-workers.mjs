// @ts-check
/**
 * The main thread and four workers share one queue, which the main thread has open twice. Workers are terminated at random moments in
 * every state and replaced; at the end the main thread accounts for every message.
 *   terminated-workers.mjs TERMINATIONS SEED [receiving]
 * receiving: no worker uses `get`, which a termination may rob of the message in its hands.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';
import { MessageAccount } from './message-account.mjs';
import { SeededRandom } from './seeded-random.mjs';

/** @typedef {{ id: number, padding: string }} Message */

const [terminations = 0, seed = 0] = process.argv.slice(2, 4).map(Number);
const isReceiving = process.argv[4] === 'receiving';
const THREADS = 4;
const MAIN = THREADS;
const NAME = 'shared';
const ROLES = [
  'blocked in putSync',
  'receiving and holding',
  ...(isReceiving
    ? ['blocked in receiveSync', 'in a burst of puts and receives']
    : ['awaiting get', 'blocked in getSync', 'in a burst of puts and gets']),
];

const random = new SeededRandom(seed);
const buffer = MessageAccount.createBuffer();
const account = new MessageAccount(buffer);
/** @type {Queue<Message>} */
const first = Queue.create(NAME, { capacityBytes: 8192 });
/** @type {Queue<Message>} */
const second = Queue.open(NAME);

/** How many of the smallest messages fit. Leaves the queue empty. */
function room() {
  let count = 0;
  while (first.tryPut({ id: -1, padding: '' })) count += 1;
  for (let i = 0; i < count; i += 1) {
    if (second.tryGet()?.id !== -1) throw new Error('the queue was not empty');
  }
  return count;
}

function put() {
  const id = account.create();
  if (id < 0) return false;
  const went = second.tryPut({ id, padding: 'x'.repeat(random.below(100)) });
  if (went) account.accept(id);
  return went;
}

function take() {
  const received = first.tryReceive();
  if (received === undefined) return false;
  const { id } = received.value;
  account.acking(id);
  received.ack();
  account.done(id);
  return true;
}

/** The main thread fills the queue, or empties it, or waits for a message, so that the workers meet all of it. */
async function play() {
  while (playing) {
    const mood = random.below(4);
    const until = performance.now() + random.below(20);
    if (mood === 0) while (put());
    if (mood === 1) while (take());
    while (performance.now() < until) {
      if (mood === 2) {
        await delay(1);
        if (random.below(2) === 0) put();
        else take();
      } else if (mood === 3) {
        account.mayHold(MAIN, 1);
        const message = await second.get({ timeoutMs: 5 }).catch((error) => {
          if (error.code !== 'ERR_TIMEOUT') throw error;
        });
        if (message !== undefined) account.done(message.id);
        account.mayHold(MAIN, 0);
      } else {
        await delay(1);
      }
    }
  }
}

let left = terminations;
let permitted = 0;
/** @type {Record<string, { terminated: number, whileAtIt: number }>} */
const tally = Object.fromEntries(ROLES.map((role) => [role, { terminated: 0, whileAtIt: 0 }]));

/** @param {number} thread */
async function terminateOneAfterAnother(thread) {
  while (left > 0) {
    left -= 1;
    const role = random.oneOf(ROLES);
    const worker = new Worker(new URL('terminated-worker.mjs', import.meta.url), {
      workerData: { name: NAME, role, thread, seed: random.below(2 ** 32), buffer },
    });
    const failed = new Promise((_, reject) => worker.once('error', reject));
    const plays = new Promise((resolve) => worker.once('message', resolve));
    // One in five is terminated while it is still starting, joining or not yet there at all.
    if (random.below(5) === 0) await Promise.race([delay(random.below(40)), failed]);
    else await Promise.race([plays.then(() => delay(random.below(15))), failed]);
    failed.catch(() => {});
    const wasAtIt = account.isWaiting(thread);
    await worker.terminate();
    permitted += account.inHand(thread);
    account.mayHold(thread, 0);
    account.waits(thread, false);
    const count = tally[role];
    if (count !== undefined) {
      count.terminated += 1;
      if (wasAtIt) count.whileAtIt += 1;
    }
  }
}

const before = { room: room(), participants: first.stats().participants };
let playing = true;
const played = play();
await Promise.all(Array.from({ length: THREADS }, (_, thread) => terminateOneAfterAnother(thread)));
playing = false;
await played;

let remained = 0;
for (let message = first.tryGet(); message !== undefined; message = first.tryGet()) {
  account.remained(message.id);
  remained += 1;
}
const after = { room: room(), participants: first.stats().participants };
say('result', {
  before,
  after,
  tally,
  messages: account.created,
  remained,
  lost: account.lost().length,
  permitted,
  unacknowledged: first.stats().unacknowledged,
});
first.close();
second.close();
