// @ts-check
/** Reads a queue as a stream: one message is handed out, and the next one stands in the stream. */
import { once } from 'node:events';
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const [name = ''] = process.argv.slice(2);
const readable = Queue.open(name).toReadable();
say('took', readable.read());
readable.read(0);
if (readable.readableLength === 0) await once(readable, 'readable');
say('holding', readable.readableLength);
setInterval(() => {}, 60_000);
