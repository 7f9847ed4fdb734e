// @ts-check
import { Lock } from 'interproc';
import { timeBatches } from '../harness/call-batches.mjs';
import { contend } from '../harness/contention.mjs';
import { oneCaller } from '../harness/counting.mjs';

/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/** @param {SideContext} context */
function alone({ parameters }) {
  const lock = Lock.create('uncontended');
  return {
    /** @param {number} count */
    run: (count) =>
      timeBatches(count, () => lock.acquireSync().release(), parameters.callsPerSample),
    close: () => lock.close(),
  };
}

/** @param {SideContext} context */
function oneOfTwo(context) {
  const lock = Lock.openOrCreate('contended');
  return contend(
    context,
    () => lock.acquireSync(),
    () => lock.close(),
  );
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'lock-sync',
  what: 'Lock: acquireSync and release',
  patterns: {
    calls: oneCaller(alone),
    contend: { launch: ['caller', 'rival'], roles: { caller: oneOfTwo, rival: oneOfTwo } },
  },
};
