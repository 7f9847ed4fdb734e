// @ts-check
import { setImmediate as turn } from 'node:timers/promises';

import { BYTES } from '../harness/bench-queue.mjs';
import { queueConsumer, queueOneWay, queueProducer } from '../harness/queue-sides.mjs';

/** So often the event loop gets its turn, in which Node lets go of the ArrayBuffers of past leases. */
const LEASES_PER_TURN = 1024;

const producer = queueProducer(BYTES, async (queue, source, count, { parameters }) => {
  const reserve = () => {
    const slot = queue.reserveWhenAvailableSync(parameters.bytes);
    const memory = /** @type {Uint8Array<ArrayBuffer>} */ (slot.bytes);
    return { slot, message: source.messageIn(memory) };
  };
  for (let i = 0; i < count; i += 1) {
    const { slot, message } = reserve();
    source.write(message);
    source.stamp(message);
    slot.commit();
    if (i % LEASES_PER_TURN === LEASES_PER_TURN - 1) await turn();
  }
  for (let i = 0; i < source.stops; i += 1) {
    const { slot, message } = reserve();
    source.stampStop(message);
    slot.commit();
  }
});

const consumer = queueConsumer(BYTES, async (queue, check) => {
  let count = 0;
  for (let isOver = false; !isOver;) {
    const view = queue.peekWhenAvailableSync();
    const { buffer, length } = view.bytes;
    isOver = !check.acceptWords(new Int32Array(buffer), length);
    view.release();
    count += 1;
    if (count % LEASES_PER_TURN === 0) await turn();
  }
});

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-leases',
  what: 'Queue: messages made in a reserved slot and read where they lie',
  patterns: { oneWay: queueOneWay(producer, consumer) },
};
