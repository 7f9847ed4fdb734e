// @ts-check
/** A thread that has the hub's end of a line, and sends back whatever comes. */
import { parentPort, workerData } from 'node:worker_threads';

import { HubSleep } from '../../../dist/backends/brokered/rings/hub-bell.js';
import { HubLine } from '../../../dist/backends/memory/hub-line.js';
import { viewsOf } from '../../../dist/backends/brokered/rings/line-memory.js';

/** @type {{ memory: SharedArrayBuffer, hubWords: SharedArrayBuffer, lifeline: string }} */
const { memory, hubWords, lifeline } = workerData;
let sent = 0;
/** Until the other side is gone. */
let isDeaf = false;

/** @type {any} */
const hub = {
  /** @param {import('../../../dist/backends/brokered/line.js').Outlet} outlet */
  connect(outlet) {
    return {
      /** @param {Buffer} bytes */
      receive(bytes) {
        sent += bytes.length;
        outlet.write(Buffer.from(bytes));
      },
      resume: () => {},
      lost: () => parentPort?.postMessage(sent),
    };
  },
};

const line = new HubLine(hub, viewsOf(memory), lifeline, {
  catchUp: (then) => then(),
  lost: () => parentPort?.close(),
});
const sleep = new HubSleep(new Int32Array(hubWords), work);

function work() {
  if (isDeaf) return;
  sleep.enter();
  while (line.serve());
  sleep.leave();
  if (line.serve()) setImmediate(work);
  else sleep.sleep();
}

// Keeps this thread alive until the line has ended.
parentPort?.on('message', () => {
  isDeaf = true;
  parentPort?.postMessage('deaf');
});
line.accept();
work();
