// @ts-check
/** Workers are terminated while they hold a slot and a message in place: `terminated-leases.mjs TIMES`. */
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const NAME = 'frames';

async function holdForGood() {
  /** @type {Queue<Uint8Array>} */
  const q = Queue.open(NAME);
  const view = await q.peekWhenAvailable();
  const slot = await q.reserveWhenAvailable(3000);
  slot.bytes.fill(view.bytes[0] ?? 0);
  parentPort?.postMessage('holds');
  // Busy with the memory when the end comes.
  for (;;) slot.bytes.fill(view.bytes.length);
}

async function terminateThem() {
  const times = Number(process.argv[2]);
  /** @type {Queue<Uint8Array>} */
  const q = Queue.create(NAME, { codec: 'raw', capacityBytes: 8192 });
  let deliveries = 0;
  await q.put(new Uint8Array([7]));
  for (let i = 0; i < times; i += 1) {
    const worker = new Worker(new URL(import.meta.url));
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    const held = q
      .leases()
      .map(({ kind, pid, isOwn }) => ({ kind, own: pid === process.pid, isOwn }));
    if (JSON.stringify(held) !== EXPECTED) throw new Error(`in turn ${i}: ${JSON.stringify(held)}`);
    await worker.terminate();
    const received = q.tryReceive();
    if (received?.value[0] !== 7) throw new Error(`in turn ${i} the message did not come back`);
    deliveries = received.deliveries;
    if (q.leases().length > 0) throw new Error(`in turn ${i} a lease is left`);
    received.nack();
  }
  const last = q.peek();
  last.release();
  q.reserve(8192).commit(1);
  say('result', { deliveries, whole: q.getNowait().length, participants: q.stats().participants });
  q.close();
}

const EXPECTED = JSON.stringify([
  { kind: 'message', own: true, isOwn: false },
  { kind: 'slot', own: true, isOwn: false },
]);
await (isMainThread ? terminateThem() : holdForGood());
