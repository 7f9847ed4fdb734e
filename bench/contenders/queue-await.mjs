// @ts-check
import { BYTES } from '../harness/bench-queue.mjs';
import { sleeper } from '../harness/idle-side.mjs';
import {
  queueConsumer,
  queueOneWay,
  queueProducer,
  queueRoundTrip,
} from '../harness/queue-sides.mjs';
import { receiveEachAwaited } from '../harness/receiving.mjs';
import { AWAITING } from '../harness/round-trips.mjs';
import { sendEachAwaited } from '../harness/sending.mjs';

/**
 * A get that is pending all the time.
 * @param {import('../harness/contender.mjs').SideContext} context
 */
function waiter(context) {
  const queue = BYTES.createQueue(context, 'idle');
  let isWaiting = true;
  const over = () => {
    isWaiting = false;
  };
  const ended = queue.get().then(over, over);
  return sleeper(
    () => isWaiting,
    async () => {
      queue.close();
      await ended;
    },
  );
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-await',
  what: 'Queue: await put and await get',
  patterns: {
    oneWay: queueOneWay(
      queueProducer(BYTES, (queue, source, count) =>
        sendEachAwaited(source, count, (message) => queue.put(message)),
      ),
      queueConsumer(BYTES, (queue, check) => receiveEachAwaited(check, () => queue.get())),
    ),
    roundTrip: queueRoundTrip(
      AWAITING,
      (queue, bytes) => queue.put(bytes),
      (queue) => queue.get(),
    ),
    idle: { launch: ['sleeper'], roles: { sleeper: waiter } },
  },
};
