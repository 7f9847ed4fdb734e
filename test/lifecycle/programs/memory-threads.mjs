// @ts-check
/** Threads of one process on the memory backend: does one thing, and says what came of it. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import { Queue, list } from '../../../dist/index.js';
import { isHubThere } from '../../../dist/backends/memory/joining.js';
import { say } from './line.mjs';

const [deed = '', ...args] = process.argv.slice(2);
const options = /** @type {const} */ ({ backend: 'memory', codec: 'string' });

/**
 * A thread that does one thing of memory-thread.mjs and says so.
 * @param {string} does
 * @param {object} [rest]
 */
function thread(does, rest) {
  return new Worker(new URL('memory-thread.mjs', import.meta.url), {
    workerData: { does, ...rest },
  });
}

/**
 * What a thread says next; rejects with what it died of.
 * @param {Worker} worker
 */
async function said(worker) {
  const [what] = await once(worker, 'message');
  return what;
}

/** What nobody else holds would be closed, when garbage is collected. */
/** @type {unknown[]} */
const kept = [];

/** @param {() => unknown} call */
function codeOf(call) {
  try {
    return call();
  } catch (error) {
    return /** @type {{ code?: string }} */ (error).code;
  }
}

/** @type {Record<string, () => unknown>} */
const DEEDS = {
  async 'a thread that was there before the first use'() {
    const worker = thread('put when told', { name: 'jobs' });
    await said(worker);
    const jobs = Queue.create('jobs', options);
    worker.postMessage('now');
    const got = await jobs.get();
    await once(worker, 'exit');
    return got;
  },

  async 'eight threads at once, strangers to each other'() {
    // None of them inherits anything from another, and this one has nothing to tell them.
    const workers = Array.from({ length: 8 }, (_, id) =>
      thread('join the row', { name: 'row', id }),
    );
    await Promise.all(workers.map(said));
    const row = Queue.open('row', options);
    const found = row.tryGetMany().map(Number).sort();
    for (const worker of workers) worker.postMessage('go');
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
    return found;
  },

  async 'a worker of a worker'() {
    const jobs = Queue.create('jobs', options);
    const worker = thread('have a worker put', { name: 'jobs' });
    const got = await jobs.get();
    await once(worker, 'exit');
    return got;
  },

  async 'a handle in a message'() {
    const jobs = Queue.create('jobs', { backend: 'memory' });
    const answers = /** @type {Queue<string>} */ (new Queue(options));
    const worker = thread('answer', { name: 'jobs' });
    await jobs.put({ answers });
    const got = await answers.get();
    await once(worker, 'exit');
    return got;
  },

  'a death that a blocked thread learns of'() {
    const jobs = Queue.create('jobs', options);
    jobs.putSync('work');
    const begun = Queue.create('begun', options);
    // This thread goes back to its event loop only at the end: nobody can tell it or ask it anything.
    const worker = thread('take and die', { from: 'jobs', to: 'begun', how: args[0] });
    worker.on('error', () => {});
    begun.getSync();
    const { value, deliveries } = jobs.receiveSync();
    return { value, deliveries };
  },

  async 'two handles in one thread'() {
    const one = Queue.create('jobs', options);
    const other = Queue.open('jobs', options);
    const got = other.get();
    await one.put('to oneself');
    const result = { got: await got, participants: one.stats().participants };
    other.close();
    return { ...result, left: one.stats().participants };
  },

  async 'the end of the thread that has the hub'() {
    const host = thread('hold', { name: 'held' });
    await said(host);
    const held = Queue.open('held', options);
    const pending = held.get().then(
      () => ({ code: 'got', message: '' }),
      (thrown) => thrown,
    );
    await host.terminate();
    const error = await pending;
    held.close();
    const left = list({ backend: 'memory' }).length;
    const anew = Queue.create('held', options);
    await anew.put('anew');
    return { code: error.code, message: error.message, left, got: await anew.get() };
  },

  async 'the end of the thread that has the hub, unnoticed'() {
    const host = thread('hold', { name: 'held' });
    await said(host);
    const held = Queue.open('held', options);
    const isOver = new Int32Array(new SharedArrayBuffer(4));
    void host.terminate();
    // Without a turn of the event loop, in which it would be told.
    while (isHubThere()) Atomics.wait(isOver, 0, 0, 1);
    const anew = Queue.create('held', options);
    anew.putSync('anew');
    return { got: anew.getSync(), old: codeOf(() => held.tryGet()) };
  },

  'a list of what is not there'() {
    return {
      listed: list({ backend: 'memory' }),
      isHubThere: isHubThere(),
      isListedStill: kept.push(Queue.create('jobs', options)) && list({ backend: 'memory' }).length,
    };
  },

  async 'the end of the thread that has the hub, for one that is blocked'() {
    const host = thread('hold', { name: 'held' });
    await said(host);
    const blocked = thread('block', { name: 'held' });
    await said(blocked);
    await delay(100);
    // It may say so before the other one's end is known here.
    const answer = said(blocked);
    await host.terminate();
    return answer;
  },

  async 'nothing but nonsense on the channel'() {
    const jobs = Queue.create('jobs', options);
    const channel = new BroadcastChannel('interproc.memory');
    const nonsense = [
      null,
      7,
      'offer',
      { kind: 'offer' },
      { kind: 'offer', layout: 1, memory: new SharedArrayBuffer(0), lifeline: 'x' },
      { kind: 'offer', layout: 1, memory: new SharedArrayBuffer(64), lifeline: 'x' },
      { kind: 'offer', layout: 99, memory: new SharedArrayBuffer(64), lifeline: 'x' },
      { kind: 'answer', lifeline: 7 },
    ];
    for (const one of nonsense) channel.postMessage(one);
    channel.close();
    const worker = thread('have a worker put', { name: 'jobs' });
    const got = await jobs.get();
    await once(worker, 'exit');
    return got;
  },

  async 'two copies of the package'() {
    const [copy = ''] = args;
    /** @type {typeof import('../../../dist/index.js')} */
    const other = await import(copy);
    const jobs = Queue.create('jobs', options);
    const same = other.Queue.open('jobs', options);
    await same.put('from the other copy');
    const got = await jobs.get();
    return {
      got,
      isAnother: other.Queue !== Queue,
      listed: other.list({ backend: 'memory' }).length,
    };
  },

  async 'no handle that a test runner would find'() {
    // Which starting any thread opens.
    for (const stream of [process.stdout, process.stderr]) stream.write('');
    await delay(10);
    const before = process.getActiveResourcesInfo();
    const jobs = Queue.create('jobs', options);
    await jobs.put('x');
    await jobs.get();
    const pending = jobs.get();
    /** Waits for it: connections are made and closed in turns of the event loop. */
    const untilDiffers = async (/** @type {boolean} */ differs) => {
      while ((`${process.getActiveResourcesInfo()}` !== `${before}`) !== differs) await delay(10);
      return differs;
    };
    const during = await untilDiffers(true);
    await jobs.put('y');
    await pending;
    return { during, after: await untilDiffers(false) };
  },

  'process.exit, a thread blocked'() {
    kept.push(Queue.create('jobs', options));
    thread('block', { name: 'jobs' }).on('message', () => process.exit(7));
  },

  'process.exit, everybody at work'() {
    const row = Queue.create('row', options);
    for (let id = 0; id < 4; id++) thread('chatter', { name: 'row', id });
    setTimeout(() => process.exit(7), 300);
    const chat = async () => {
      for (;;) await row.get();
    };
    void chat();
  },

  'an uncaught error'() {
    const jobs = Queue.create('jobs', options);
    void jobs.get();
    setTimeout(() => {
      throw new Error('as it was to be');
    }, 10);
  },

  'the end of its text'() {
    const jobs = Queue.create('jobs', options);
    jobs.putSync('left');
    void jobs
      .unref()
      .get()
      .then(() => jobs.get());
  },
};

const result = await DEEDS[deed]?.();
if (result !== undefined) say('result', result);
