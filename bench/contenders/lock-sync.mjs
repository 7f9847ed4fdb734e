// @ts-check
import { Lock } from 'interproc';
import { timeBatches } from '../harness/call-batches.mjs';

function caller() {
  const lock = Lock.create('uncontended');
  return {
    /** @param {number} count */
    run: (count) => timeBatches(count, () => lock.acquireSync().release()),
    close: () => lock.close(),
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'lock-sync',
  what: 'Lock: acquireSync and release, nobody else there',
  patterns: { calls: { launch: ['caller'], roles: { caller } } },
};
