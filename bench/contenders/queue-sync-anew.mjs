// @ts-check
import { BYTES } from '../harness/bench-queue.mjs';
import { queueOneWay, queueProducer } from '../harness/queue-sides.mjs';
import { getIntoConsumer } from './queue-sync.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-sync-anew',
  what: 'Queue: putSync of a message that is made anew each time, and getInto',
  patterns: {
    oneWay: queueOneWay(
      queueProducer(BYTES, (queue, source, count) => {
        const message = source.createMessage();
        for (let i = 0; i < count; i += 1) {
          source.write(message);
          source.stamp(message);
          queue.putSync(message.bytes);
        }
        for (let i = 0; i < source.stops; i += 1) queue.putSync(source.stop());
      }),
      getIntoConsumer,
    ),
  },
};
