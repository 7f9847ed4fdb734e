// @ts-check
/** Started too early: waits until somebody creates the queue, then takes one message. */
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const [name = ''] = process.argv.slice(2);
const opening = Queue.openWhenAvailable(name);
say('waiting');
const queue = await opening;
say('got', await queue.get());
queue.close();
