// @ts-check
import { BYTES } from '../harness/bench-queue.mjs';
import { TimedSamples } from '../harness/timed-samples.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function holder(context) {
  const queue = BYTES.createQueue(context, 'existing');
  return { run: () => [], close: () => queue.close() };
}

/** @returns {Side} */
function opener() {
  return {
    run(count) {
      const samples = new TimedSamples(count);
      for (let i = 0; i < count; i += 1) {
        const startedAt = performance.now();
        BYTES.openQueue('existing').close();
        samples.add(performance.now() - startedAt);
      }
      return samples.report();
    },
    close() {},
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-open',
  what: 'Queue.open and close, while another process has the queue open',
  patterns: { openExisting: { launch: ['holder', 'opener'], roles: { holder, opener } } },
};
