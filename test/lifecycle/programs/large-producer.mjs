// @ts-check
/** Puts messages of all sizes until it is killed, or as many as it is told; says `put N` after each. */
import { Queue } from '../../../dist/index.js';
import { makeMessage } from './large-message.mjs';
import { say } from './line.mjs';

const [name = '', producer = '0', count = 'Infinity'] = process.argv.slice(2);
const queue = Queue.open(name, { codec: 'raw' });
say('ready');
for (let number = 1; number <= Number(count); number += 1) {
  queue.putSync(makeMessage(Number(producer), number));
  say('put', number);
}
queue.close();
