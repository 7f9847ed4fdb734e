// @ts-check
/** Puts one message into each of many queues, in random order, and holds them open until it is told to go. */
import { Queue } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';
import { manyQueues } from './many-queues.mjs';
import { SeededRandom } from './seeded-random.mjs';

const [count = '0', seed = '0'] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const queues = manyQueues(Number(count), (name, options) => Queue.open(name, options));
const order = queues.map((_, index) => index);
for (let left = order.length; left > 1; left -= 1) {
  const chosen = random.below(left);
  [order[left - 1], order[chosen]] = [order[chosen] ?? 0, order[left - 1] ?? 0];
}
for (const index of order) queues[index]?.putSync(index);
say('rung');
await new Ears().line();
for (const queue of queues) queue.close();
