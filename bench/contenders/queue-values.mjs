// @ts-check
import { Queue } from 'interproc';

import { queueOneWay } from '../harness/queue-sides.mjs';
import { ValueCheck, ValueSource } from '../harness/verified-value.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function consumer({ parameters }) {
  const queue = Queue.create('bench', { capacityBytes: parameters.capacityBytes });
  return {
    run() {
      const check = new ValueCheck(parameters);
      while (check.accept(queue.getSync()));
      return check.report();
    },
    close: () => queue.close(),
  };
}

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function producer({ parameters }) {
  const queue = Queue.open('bench');
  return {
    run(count) {
      const source = new ValueSource(parameters);
      source.start();
      for (let i = 0; i < count; i += 1) queue.putSync(source.next());
      queue.putSync(source.stop());
      return source.report();
    },
    close: () => queue.close(),
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'queue-values',
  what: "Queue: putSync and getSync with the codec that it has by default, 'structured'",
  patterns: { oneWayValues: queueOneWay(producer, consumer) },
};
