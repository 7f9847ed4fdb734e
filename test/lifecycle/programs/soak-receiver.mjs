// @ts-check
/**
 * Receives messages one by one and acknowledges each after writing it down, until the queue ends or it is killed.
 *   soak-receiver.mjs QUEUE LOG blocking|awaiting
 */
import { openSync, writeSync } from 'node:fs';
import { EOFError, Queue } from '../../../dist/index.js';
import { say } from './line.mjs';
import { readSoakMessage } from './soak-message.mjs';

const [name = '', log = '', how = ''] = process.argv.slice(2);
const queue = Queue.open(name, { codec: 'raw' });
const file = openSync(log, 'ax');
const record = new Uint32Array(3);
say('receives');
try {
  for (;;) {
    const received = how === 'blocking' ? queue.receiveSync() : await queue.receive();
    const { producer, number } = readSoakMessage(received.value);
    record.set([producer, number, received.deliveries]);
    // The work that must be done at least once. Killed from here to the ack, it is done twice.
    writeSync(file, record);
    received.ack();
  }
} catch (error) {
  if (!(error instanceof EOFError)) throw error;
}
queue.close();
