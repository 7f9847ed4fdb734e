// @ts-check
/** The first terminal: waits for one message. */
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const [name = ''] = process.argv.slice(2);
const queue = Queue.openOrCreate(name);
const next = queue.get();
say('waiting');
say('got', await next);
queue.close();
