// @ts-check
/** One worker of terminated-workers.mjs: plays its role until it is terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import { Queue } from '../../../dist/index.js';
import { MessageAccount } from './message-account.mjs';
import { SeededRandom } from './seeded-random.mjs';

/** @typedef {{ id: number, padding: string }} Message */

const { name, role, thread, seed, buffer } =
  /** @type {{ name: string, role: string, thread: number, seed: number, buffer: SharedArrayBuffer }} */ (
    workerData
  );
const random = new SeededRandom(seed);
const account = new MessageAccount(buffer);
/** @type {Queue<Message>} */
const queue = Queue.open(name);
const asleep = new Int32Array(new SharedArrayBuffer(4));

/** @returns {Message | undefined} */
function newMessage() {
  const id = account.create();
  return id < 0 ? undefined : { id, padding: 'x'.repeat(random.below(200)) };
}

/** Blocks; the others get on. */
function pause() {
  Atomics.wait(asleep, 0, 0, 1);
}

async function awaitGets() {
  for (;;) {
    account.mayHold(thread, 1);
    account.waits(thread, true);
    const { id } = await queue.get();
    account.waits(thread, false);
    account.done(id);
    account.mayHold(thread, 0);
  }
}

function blockInGets() {
  for (;;) {
    account.mayHold(thread, 1);
    account.waits(thread, true);
    const { id } = queue.getSync();
    account.waits(thread, false);
    account.done(id);
    account.mayHold(thread, 0);
  }
}

function blockInPuts() {
  for (;;) {
    const message = newMessage();
    if (message === undefined) return;
    account.waits(thread, true);
    queue.putSync(message);
    account.waits(thread, false);
    account.accept(message.id);
  }
}

/** @param {Awaited<ReturnType<typeof queue.receive>>} received */
function acknowledge(received) {
  account.acking(received.value.id);
  received.ack();
  account.done(received.value.id);
}

function blockInReceives() {
  for (;;) {
    account.waits(thread, true);
    const received = queue.receiveSync();
    account.waits(thread, false);
    acknowledge(received);
  }
}

async function receiveAndHold() {
  const held = [];
  for (;;) {
    account.waits(thread, true);
    held.push(await queue.receive());
    account.waits(thread, false);
    // Most stay held for good, and some are settled while others are being received.
    if (held.length < 4 && random.below(4) > 0) continue;
    const settled = held.splice(random.below(held.length), 1)[0];
    if (settled === undefined) continue;
    if (random.below(4) === 0) settled.nack();
    else acknowledge(settled);
  }
}

/** @param {(count: number) => void} take */
async function burst(take) {
  for (;;) {
    account.waits(thread, true);
    const count = 1 + random.below(16);
    if (random.below(2) === 0) {
      const messages = Array.from({ length: count }, newMessage).filter((one) => one !== undefined);
      const went = await queue.putMany(messages, { timeoutMs: 2 }).then(
        () => messages.length,
        (error) => {
          if (error.code !== 'ERR_TIMEOUT') throw error;
          return error.accepted;
        },
      );
      for (const { id } of messages.slice(0, went)) account.accept(id);
    } else {
      take(count);
    }
    account.waits(thread, false);
    pause();
  }
}

/** @param {number} count */
function getSome(count) {
  account.mayHold(thread, count);
  for (const { id } of queue.tryGetMany({ max: count })) account.done(id);
  account.mayHold(thread, 0);
}

/** @param {number} count */
function receiveSome(count) {
  for (let i = 0; i < count; i += 1) {
    const received = queue.tryReceive();
    if (received === undefined) return;
    acknowledge(received);
  }
}

/** @type {Record<string, () => void | Promise<void>>} */
const ROLES = {
  'awaiting get': awaitGets,
  'blocked in getSync': blockInGets,
  'blocked in putSync': blockInPuts,
  'blocked in receiveSync': blockInReceives,
  'receiving and holding': receiveAndHold,
  'in a burst of puts and gets': () => burst(getSome),
  'in a burst of puts and receives': () => burst(receiveSome),
};

parentPort?.postMessage('plays');
await ROLES[role]?.();
