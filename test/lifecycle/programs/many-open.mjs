// @ts-check
/** Has many queues open, perhaps with a get pending on each, and does nothing. */
import { Queue } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

const [count = '0', does = ''] = process.argv.slice(2);
const queues = Array.from({ length: Number(count) }, () => new Queue());
if (does === 'waits') for (const queue of queues) queue.get().catch(() => {});
if (does === 'has waited') {
  const pending = queues.map((queue) => queue.get());
  for (const queue of queues) queue.putSync(1);
  await Promise.all(pending);
}
say('idle', queues.length);
await new Ears().line();
for (const queue of queues) queue.close();
