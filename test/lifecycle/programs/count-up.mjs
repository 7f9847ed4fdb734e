// @ts-check
/** Puts 0, 1, 2, … as fast as it can, and says now and then how many were accepted, until it is killed. */
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const REPORT_EVERY = 50;

const [name = ''] = process.argv.slice(2);
/** @type {Queue<number>} */
const queue = Queue.open(name);
for (let number = 0; ; number += 1) {
  queue.putSync(number);
  if ((number + 1) % REPORT_EVERY === 0) say('accepted', number + 1);
}
