// @ts-check
/** Has a get pending on each of many queues, and says when every one of them has got its own message. */
import { Queue } from '../../../dist/index.js';
import { manyQueues } from './many-queues.mjs';
import { say } from './line.mjs';

const [count = '0'] = process.argv.slice(2);
const queues = manyQueues(Number(count), (name, options) => Queue.create(name, options));
/** @type {number[]} */
const order = [];
const served = queues.map(async (queue, index) => {
  const got = await queue.get();
  if (got !== index) throw new Error(`queue ${index} got the message of queue ${got}`);
  order.push(index);
});
say('waiting');
await Promise.all(served);
const counts = queues.map((queue) => queue.stats());
say('woken', {
  order,
  waits: counts.map(({ waits }) => waits),
  wakes: counts.map(({ wakes }) => wakes),
});
for (const queue of queues) queue.close();
