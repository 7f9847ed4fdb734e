// @ts-check
/** Keeps a queue from ever being empty, until it is killed. */
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const [name = ''] = process.argv.slice(2);
const queue = Queue.open(name);
const filler = Array.from({ length: 64 }, () => 'filler');
while (queue.tryPut('filler'));
say('filled');
for (;;) queue.putManySync(filler);
