// @ts-check
/** One of several that start at the same moment, and none of them knows who will be first. */
import { Queue } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

const [name = ''] = process.argv.slice(2);
const ears = new Ears();
say('ready');
await ears.line();
const queue = Queue.openOrCreate(name);
queue.putSync(process.pid);
queue.close();
