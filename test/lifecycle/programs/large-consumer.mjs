// @ts-check
/** Receives messages of all sizes until the queue has ended or it is killed; says `got { producer, number, whole, deliveries }`, acknowledges, says `acked`. */
import { EOFError, Queue } from '../../../dist/index.js';
import { readMessage } from './large-message.mjs';
import { say } from './line.mjs';

const [name = ''] = process.argv.slice(2);
const queue = Queue.open(name, { codec: 'raw' });
say('ready');
try {
  for (;;) {
    const message = queue.receiveSync();
    say('got', { ...readMessage(message.value), deliveries: message.deliveries });
    message.ack();
    say('acked');
  }
} catch (error) {
  if (!(error instanceof EOFError)) throw error;
}
queue.close();
say('finished');
