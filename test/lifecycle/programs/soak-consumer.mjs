// @ts-check
/**
 * Takes messages in batches until the queue ends; checks each, and leaves a bitmap of what it got for each producer.
 *   soak-consumer.mjs QUEUE CONSUMER PRODUCERS COUNT DIRECTORY
 */
import { writeFileSync } from 'node:fs';
import { EOFError, Queue } from '../../../dist/index.js';
import { say } from './line.mjs';
import { readSoakMessage } from './soak-message.mjs';

const [name = '', consumer = '', producers = '', count = '', directory = ''] =
  process.argv.slice(2);
const queue = Queue.open(name, { codec: 'raw' });
const isBlocking = Number(consumer) % 2 === 0;
const bitmaps = Array.from(
  { length: Number(producers) },
  () => new Uint8Array(Math.ceil(Number(count) / 8)),
);
const last = bitmaps.map(() => -1);
let got = 0;
let twice = 0;
let disordered = 0;

/** @param {Uint8Array} message */
function note(message) {
  const { producer, number } = readSoakMessage(message);
  const bitmap = bitmaps[producer];
  if (bitmap === undefined || number >= Number(count)) {
    throw new Error(`message ${number} of producer ${producer} was never put`);
  }
  const bit = 1 << (number & 7);
  const byte = bitmap[number >>> 3] ?? 0;
  if ((byte & bit) !== 0) twice += 1;
  bitmap[number >>> 3] = byte | bit;
  if (number <= (last[producer] ?? 0)) disordered += 1;
  last[producer] = number;
  got += 1;
}

try {
  for (;;) {
    for (const message of isBlocking ? queue.getManySync() : await queue.getMany()) note(message);
  }
} catch (error) {
  if (!(error instanceof EOFError)) throw error;
}
queue.close();
for (const [producer, bitmap] of bitmaps.entries()) {
  writeFileSync(`${directory}/${consumer}-${producer}.bitmap`, bitmap);
}
say('got', { count: got, twice, disordered });
