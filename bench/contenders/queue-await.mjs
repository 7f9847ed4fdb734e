// @ts-check
import { createBenchQueue, openBenchQueue } from '../harness/bench-queue.mjs';
import { sleeper } from '../harness/idle-side.mjs';
import { TimedSamples } from '../harness/timed-samples.mjs';
import { MessageCheck, MessageSource } from '../harness/verified-message.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function answerer(context) {
  const there = createBenchQueue(context, 'there');
  const back = createBenchQueue(context, 'back');
  return {
    async run(count) {
      for (let i = 0; i < count; i += 1) await back.put(await there.get());
      return [];
    },
    close() {
      there.close();
      back.close();
    },
  };
}

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function asker({ parameters }) {
  const there = openBenchQueue('there');
  const back = openBenchQueue('back');
  return {
    async run(count) {
      const samples = new TimedSamples(count);
      const source = new MessageSource(parameters);
      const check = new MessageCheck(parameters);
      const message = source.createMessage();
      for (let i = 0; i < count; i += 1) {
        source.stamp(message);
        const askedAt = performance.now();
        await there.put(message.bytes);
        const reply = await back.get();
        samples.add(performance.now() - askedAt);
        check.accept(reply);
      }
      return samples.report();
    },
    close() {
      there.close();
      back.close();
    },
  };
}

/**
 * A get that is pending all the time.
 * @param {SideContext} context
 */
function waiter(context) {
  const queue = createBenchQueue(context, 'idle');
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
    roundTrip: { launch: ['answerer', 'asker'], roles: { answerer, asker } },
    idle: { launch: ['sleeper'], roles: { sleeper: waiter } },
  },
};
