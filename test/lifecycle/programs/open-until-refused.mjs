// @ts-check
/** Opens queues until the system refuses, waits in vain for want of a doorbell, and goes on with less. */
import { InterprocError, Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

/** @type {Queue<unknown>[]} */
const queues = [];
const open = () => queues.push(new Queue({ capacityBytes: 4096, maxParticipants: 2 }));
try {
  for (;;) open();
} catch (error) {
  if (!(error instanceof InterprocError)) throw error;
  const { code, errno, message } = error;
  say('refused', { opened: queues.length, code, errno, message });
}
const refusal = await Promise.allSettled([queues[0]?.get()]);
say('waited', refusal[0]?.status === 'rejected' ? refusal[0].reason.errno : 'for a message');
// One for the doorbell, and one for a new queue.
queues.shift()?.close();
queues.shift()?.close();
open();
const pending = queues.map((queue) => queue.get());
for (const [index, queue] of queues.entries()) queue.putSync(index);
say('got', await Promise.all(pending));
for (const queue of queues) queue.close();
