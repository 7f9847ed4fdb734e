// @ts-check
/**
 * Puts its share of the soak, in batches: one producer blocks in its puts, the next awaits them.
 *   soak-producer.mjs QUEUE PRODUCER COUNT SEED
 */
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';
import { SoakSizes, SoakWriter } from './soak-message.mjs';

const BATCH = 256;
const BATCH_BYTES = 1 << 17;

const [name = '', ...numbers] = process.argv.slice(2);
const [producer = 0, count = 0, seed = 0] = numbers.map(Number);
const queue = Queue.open(name, { codec: 'raw' });
const sizes = new SoakSizes(seed);
const writer = new SoakWriter(producer);
const slab = new Uint8Array(BATCH_BYTES);
const isBlocking = producer % 2 === 0;

/** @param {Uint8Array[]} messages */
async function put(messages) {
  if (isBlocking) queue.putManySync(messages);
  else await queue.putMany(messages);
}

let bytes = 0;
/** @type {Uint8Array[]} */
let batch = [];
let used = 0;
for (let number = 0; number < count; number += 1) {
  const size = sizes.next();
  bytes += size;
  const fits = used + size <= BATCH_BYTES;
  if ((!fits || batch.length === BATCH) && batch.length > 0) {
    await put(batch);
    batch = [];
    used = 0;
  }
  // A larger one has its own array; it comes alone, since nothing fits beside it.
  const message = size <= BATCH_BYTES ? slab.subarray(used, (used += size)) : new Uint8Array(size);
  writer.write(message, number);
  batch.push(message);
}
if (batch.length > 0) await put(batch);
queue.close();
say('put', { count, bytes });
