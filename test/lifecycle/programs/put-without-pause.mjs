// @ts-check
/** Puts or sends numbers as fast as it can until it is killed, and notes in a file how many went: put-without-pause <kind> <file> */
import { openSync, writeSync } from 'node:fs';

import { Pipe, Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const [, , kind = '', file = ''] = process.argv;

const descriptor = openSync(file, 'r+');
const note = new Uint32Array(1);
const message = new Uint32Array(16);
const bytes = new Uint8Array(message.buffer);

/** @type {(bytes: Uint8Array) => void} */
let give;
if (kind === 'queue') {
  const queue = Queue.open('numbers');
  give = (number) => queue.putSync(number);
} else {
  const connection = await Pipe.connect('numbers', { codec: 'raw' });
  give = (number) => connection.sendSync(number);
}
say('ready');
for (let count = 0; ; count++) {
  message[0] = count;
  give(bytes);
  note[0] = count + 1;
  writeSync(descriptor, note, 0, 4, 0);
}
