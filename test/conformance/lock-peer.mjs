// @ts-check
// Somebody else, in a thread of his own: opens a lock by its name and does with it what he is told.
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import * as interproc from '../../dist/index.js';

/** Long enough for the other thread to be blocked by then; nothing depends on it but what is tested. */
const UNTIL_BLOCKED_MS = 20;

/** @type {{ className: string, name: string }} */
const { className, name } = workerData;
/** @type {any} */
const classes = interproc;
const handle = classes[className].open(name);

/** @type {Record<string, () => unknown>} */
const doing = {
  acquire: () => handle.acquire({ timeoutMs: 60_000 }),
  release: () => handle.release(),
  acquireRead: () => handle.acquireRead({ timeoutMs: 60_000 }),
  releaseRead: () => handle.releaseRead(),
  acquireWrite: () => handle.acquireWrite({ timeoutMs: 60_000 }),
  releaseWrite: () => handle.releaseWrite(),
  set: () => handle.set(),
  clear: () => handle.clear(),
  notify: () => handle.with(() => handle.notify()),
  notifyAll: () => handle.with(() => handle.notifyAll()),
  // Waits for others who come later.
  come: () => void handle.wait().catch(() => undefined),
  close: () => handle.close(),
};

/** @param {{ acts: string[], isBlocked: boolean, number: number }} told */
async function act({ acts, isBlocked, number }) {
  for (const one of acts) {
    if (isBlocked) await sleep(UNTIL_BLOCKED_MS);
    await doing[one]?.();
  }
  parentPort?.postMessage(number);
}

parentPort?.on('message', (told) => {
  if (told !== 'leave') {
    void act(told);
    return;
  }
  handle.close();
  parentPort?.close();
});
parentPort?.postMessage('open');
