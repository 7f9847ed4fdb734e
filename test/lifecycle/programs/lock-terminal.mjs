// @ts-check
/** Does with locks what it is told, call by call, as a person would at a prompt. A call that waits does not hold up the next one. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import * as interproc from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

/**
 * @typedef {{ id: number, call: string, target: string, args: unknown[] }} Order
 * @typedef {import('../../../dist/index.js').Guard} Guard
 */

/** @type {Map<string, any>} */
const handles = new Map();
/** @type {Map<string, Guard>} */
const guards = new Map();
/** @type {any} */
const classes = interproc;

/** @type {Worker | undefined} */
let worker;

/** Acquires in a thread of its own, which then sleeps with it: in a call that blocks, or in its event loop. */
const HOLDER = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.module).then(async (interproc) => {
    const handle = interproc[workerData.className].open(workerData.name);
    globalThis.guard = await handle[workerData.call]();
    parentPort.postMessage('held');
    if (workerData.blocks) interproc[workerData.className].create(workerData.name + '-other', 0).acquireSync();
    else setInterval(() => {}, 1000);
  });
`;

/** @type {Record<string, (target: string, ...args: any[]) => unknown>} */
const own = {
  create: (name, className, ...args) => {
    handles.set(name, classes[className].create(name, ...args));
  },
  open: (name, className) => {
    handles.set(name, classes[className].open(name));
  },
  get: (name, property) => handles.get(name)[property],
  release: (target) => (guards.get(target) ?? handles.get(target)).release(),
  exit: (code) => process.exit(Number(code)),
  throw: () =>
    setImmediate(() => {
      throw new Error('as told');
    }),
  startHolder: async (name, className, call, blocks) => {
    worker = new Worker(HOLDER, {
      eval: true,
      workerData: {
        module: new URL('../../../dist/index.js', import.meta.url).href,
        name,
        className,
        call,
        blocks,
      },
    });
    await once(worker, 'message');
  },
  terminateHolder: async () => {
    await worker?.terminate();
  },
};

/** @param {unknown} value */
function shown(value) {
  if (typeof value !== 'object' || value === null || !('recovered' in value)) return value ?? null;
  const guard = /** @type {Guard} */ (value);
  const id = `guard ${guards.size + 1}`;
  guards.set(id, guard);
  return { id, recovered: guard.recovered };
}

/** @param {Order} order */
async function obey({ id, call, target, args }) {
  try {
    const act = own[call];
    // Said before it blocks.
    if (call.endsWith('Sync')) say(`began:${id}`);
    const result = act === undefined ? handles.get(target)[call](...args) : act(target, ...args);
    if (!call.endsWith('Sync')) say(`began:${id}`);
    say(`reply:${id}`, { value: shown(await result) });
  } catch (error) {
    const { code = String(error), message = '' } = /** @type {any} */ (error);
    say(`reply:${id}`, { code, message });
  }
}

const ears = new Ears();
for (let line = await ears.line(); line !== undefined; line = await ears.line()) {
  void obey(JSON.parse(line));
}
