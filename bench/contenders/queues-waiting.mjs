// @ts-check
/**
 * A get is pending on each of many queues, of which one at a time is woken, from its sleep: what is measured is how long
 * a message is on its way, from before its put until its get has it.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { Queue } from 'interproc';

import { sleeper } from '../harness/idle-side.mjs';
import { monotonicNanoseconds } from '../harness/monotonic-clock.mjs';
import { TimedSamples } from '../harness/timed-samples.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */
/** @typedef {{ readonly queue: number, readonly serial: number, readonly sentAt: number }} Letter */

/** Between two messages: long enough for the waiting side to fall asleep. */
const PAUSE_MS = 1;

/** @type {import('interproc').CustomCodec<Letter>} */
const letters = {
  name: 'letter',
  encode: ({ queue, serial, sentAt }) =>
    new Uint8Array(Float64Array.of(queue, serial, sentAt).buffer),
  decode(bytes) {
    const [queue = NaN, serial = NaN, sentAt = NaN] = new Float64Array(bytes.slice().buffer);
    return { queue, serial, sentAt };
  },
};

/** @param {number} index */
const nameOf = (index) => `waiting-${index}`;

/** @param {SideContext} context */
function createAll({ parameters: { queues = 1, capacityBytes } }) {
  const options = { capacityBytes, maxParticipants: 2, codec: letters };
  return Array.from({ length: queues }, (_, index) => Queue.create(nameOf(index), options));
}

/**
 * Gets what comes, wherever it comes.
 * @param {readonly Queue<Letter>[]} all
 * @param {(letter: Letter, queue: number) => void} onLetter
 * @returns {Promise<void>} when the queues have been closed
 */
async function getFromEach(all, onLetter) {
  await Promise.all(
    all.map(async (queue, index) => {
      try {
        for (;;) onLetter(await queue.get(), index);
      } catch (error) {
        if (Object(error).code !== 'ERR_CLOSED') throw error;
      }
    }),
  );
}

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function consumer(context) {
  const all = createAll(context);
  /** @type {number[]} milliseconds, of the messages that no run has counted yet */
  const arrived = [];
  let serial = 0;
  let onArrival = () => {};
  const ended = getFromEach(all, (letter, queue) => {
    const now = monotonicNanoseconds();
    if (letter.queue !== queue || letter.serial !== serial) {
      throw new Error(`queue ${queue} got ${JSON.stringify(letter)} instead of message ${serial}`);
    }
    serial += 1;
    arrived.push((now - letter.sentAt) / 1e6);
    onArrival();
  });
  // Before it is waited for; a failure is then the failure of the run.
  ended.catch(() => {});
  return {
    async run(count) {
      const startedAt = performance.now();
      const complete = new Promise((resolve) => {
        onArrival = () => {
          if (arrived.length >= count) resolve(undefined);
        };
        onArrival();
      });
      await Promise.race([complete, ended]);
      const samples = new TimedSamples(count);
      for (const milliseconds of arrived.splice(0, count)) samples.add(milliseconds);
      return { ...samples.report(), seconds: (performance.now() - startedAt) / 1e3 };
    },
    async close() {
      for (const queue of all) queue.close();
      await ended;
    },
  };
}

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function producer({ parameters: { queues = 1 } }) {
  const all = Array.from({ length: queues }, (_, index) =>
    Queue.open(nameOf(index), { codec: letters }),
  );
  let serial = 0;
  // Steps of a number that has no divisor in common with theirs visit all of them, far apart.
  const step = 7919;
  return {
    async run(count) {
      for (let i = 0; i < count; i += 1) {
        await sleep(PAUSE_MS);
        const queue = (serial * step) % queues;
        all[queue]?.putSync({ queue, serial, sentAt: monotonicNanoseconds() });
        serial += 1;
      }
      return [];
    },
    close() {
      for (const queue of all) queue.close();
    },
  };
}

/** What this process has in memory of its own, in bytes. */
function residentBytes() {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^RssAnon:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/**
 * What the files of a directory take.
 * @param {string} directory
 */
function storedBytes(directory) {
  return readdirSync(directory)
    .map((name) => statSync(`${directory}/${name}`).blocks * 512)
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** @param {SideContext} context */
function waiter(context) {
  const { queues = 1 } = context.parameters;
  const before = residentBytes();
  const all = createAll(context);
  let letters = 0;
  const ended = getFromEach(all, () => {
    letters += 1;
  });
  const resident = (residentBytes() - before) / queues;
  const shared = storedBytes(`${context.directory}/objects`) / queues;
  return sleeper(
    () => letters === 0,
    async () => {
      for (const queue of all) queue.close();
      await ended;
    },
    { residentBytesPerQueue: resident, sharedBytesPerQueue: shared },
  );
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queues-waiting',
  what: 'Queue: an await get pending on each of so many queues',
  patterns: {
    wakeOne: { launch: ['consumer', 'producer'], roles: { consumer, producer } },
    idle: { launch: ['sleeper'], roles: { sleeper: waiter } },
  },
};
