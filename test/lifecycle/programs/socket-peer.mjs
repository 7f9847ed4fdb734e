// @ts-check
/** A client of a broker that is to die, or to see its broker die: socket-peer <role> [argument]. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import {
  Barrier,
  Condition,
  Event,
  Lock,
  Pipe,
  Queue,
  RWLock,
  Semaphore,
  Value,
} from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

const [, , role = '', argument = ''] = process.argv;

/** Takes from 'in', puts to 'out', acknowledges: of each message, all of it or nothing may have been done when it dies. */
async function consume() {
  const from = Queue.open('in');
  const to = Queue.open('out');
  for (;;) {
    const message = await from.receive();
    // Most of the time it has one in hand.
    await sleep(2);
    await to.put(message.value);
    message.ack();
  }
}

/** One pending wait of every kind, on objects of this process. */
async function waitForAll() {
  // Held by another handle: a turn after one's own is no wait for the broker.
  const lock = Lock.create('lock');
  const owner = Lock.open('lock');
  await owner.acquire();
  const readers = RWLock.create('readers');
  const writer = RWLock.open('readers');
  await writer.acquireWrite();
  const condition = new Condition();
  await condition.acquire();
  const full = new Queue({ maxItems: 1 });
  await full.put(1);
  const [one, other] = Pipe();
  const listener = Pipe.listen('service');
  const value = new Value('int32', 0);
  /** @type {Record<string, Promise<unknown>>} */
  const waits = {
    get: new Queue().get(),
    receive: new Queue().receive(),
    put: full.put(2),
    join: full.join(),
    acquire: lock.acquire(),
    semaphore: new Semaphore(0).acquire(),
    read: readers.acquireRead(),
    condition: condition.wait(),
    event: new Event().wait(),
    barrier: new Barrier(2).wait(),
    recv: one.recv(),
    accept: listener.accept(),
    value: value.waitFor((now) => now === 1),
  };
  /** @type {Record<string, string>} */
  const codes = {};
  const settled = Object.entries(waits).map(async ([name, wait]) => {
    codes[name] = await wait.then(
      () => 'fulfilled',
      (/** @type {any} */ error) => String(error.code ?? error),
    );
  });
  setTimeout(() => say('waiting'), 50);
  await Promise.all(settled);
  say('settled', codes);
  // What is there for good must not be in the way of what is new.
  const q = Queue.create('anew');
  await q.put('alive');
  say('anew', await q.get());
  for (const each of [q, one, other, listener, value, lock, owner, writer]) each.close();
}

/** @type {Record<string, () => unknown>} */
const ROLES = {
  consume,
  waitForAll,
  waitInWorker: async () => {
    new Worker(new URL(import.meta.url), { argv: ['waitForAll'] });
  },
  blocked: () => {
    say('blocking');
    try {
      Queue.open('in').getSync();
    } catch (error) {
      say('settled', /** @type {any} */ (error).code);
    }
  },
  hold: async () => {
    const guard = await Lock.open('lock').acquire();
    say('held', { recovered: guard.recovered ?? null });
    setInterval(() => {}, 1_000);
  },
  talk: async () => {
    const connection = await Pipe.connect('service');
    say('connected');
    for (let i = 0; ; i += 1) await connection.send(i);
  },
  putAndExit: async () => {
    const q = Queue.open('in');
    const count = Number(argument);
    for (let i = 0; i < count; i += 1) await q.put(i);
    process.exit();
  },
  boardAndDie: async () => {
    const to = Queue.open('in');
    const passenger = Queue.create('passenger');
    const die = () => process.kill(process.pid, 'SIGKILL');
    // What is encoded before has its ticket when a getter runs.
    if (argument === 'encoded')
      await to.put({
        passenger,
        get end() {
          return die();
        },
      });
    await to.put({ passenger });
    die();
  },
  workers: async () => {
    const threads = Array.from(
      { length: Number(argument) },
      () => new Worker(new URL(import.meta.url), { argv: ['consume'] }),
    );
    const ears = new Ears();
    say('started');
    while ((await ears.line()) === 'terminate') {
      await threads.pop()?.terminate();
      say('terminated');
    }
    process.exit();
  },
};

await ROLES[role]?.();
