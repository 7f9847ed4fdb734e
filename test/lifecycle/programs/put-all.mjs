// @ts-check
/** The second terminal: puts what it is given and is gone. */
import { Queue } from '../../../dist/index.js';

const [name = '', ...values] = process.argv.slice(2);
const queue = Queue.openOrCreate(name);
for (const value of values) await queue.put(JSON.parse(value));
queue.close();
