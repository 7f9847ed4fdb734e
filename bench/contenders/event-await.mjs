// @ts-check
import { Event } from 'interproc';
import { TimedSamples } from '../harness/timed-samples.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */

/** Each side clears what it was woken by, and sets the other's. */
function answerer() {
  const there = Event.create('there');
  const back = Event.create('back');
  return {
    /** @param {number} count */
    async run(count) {
      for (let i = 0; i < count; i += 1) {
        await there.wait();
        there.clear();
        back.set();
      }
      return [];
    },
    close() {
      there.close();
      back.close();
    },
  };
}

/** @returns {Side} */
function asker() {
  const there = Event.open('there');
  const back = Event.open('back');
  return {
    async run(count) {
      const samples = new TimedSamples(count);
      for (let i = 0; i < count; i += 1) {
        const askedAt = performance.now();
        there.set();
        await back.wait();
        back.clear();
        samples.add(performance.now() - askedAt);
      }
      return samples.report();
    },
    close() {
      there.close();
      back.close();
    },
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'event-await',
  what: 'two Events, one each way: set, await wait, clear',
  patterns: { roundTrip: { launch: ['answerer', 'asker'], roles: { answerer, asker } } },
};
