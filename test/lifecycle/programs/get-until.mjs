// @ts-check
/** Takes messages, one after another, until it meets a certain one. */
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const [name = '', wanted = ''] = process.argv.slice(2);
const queue = Queue.open(name);
let others = 0;
while (JSON.stringify(queue.getSync()) !== wanted) others += 1;
say('found', { after: others });
queue.close();
