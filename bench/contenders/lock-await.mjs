// @ts-check
import { Lock } from 'interproc';
import { timeAwaitedBatches } from '../harness/call-batches.mjs';
import { contendAwaiting } from '../harness/contention.mjs';
import { oneCaller } from '../harness/counting.mjs';

/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/** @param {SideContext} context */
function alone({ parameters }) {
  const lock = Lock.create('uncontended');
  return {
    /** @param {number} count */
    run: (count) =>
      timeAwaitedBatches(
        count,
        async () => (await lock.acquire()).release(),
        parameters.callsPerSample,
      ),
    close: () => lock.close(),
  };
}

/** @param {SideContext} context */
function oneOfTwo(context) {
  const lock = Lock.openOrCreate('contended');
  return contendAwaiting(
    context,
    () => lock.acquire(),
    () => lock.close(),
  );
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'lock-await',
  what: 'Lock: await acquire and release',
  patterns: {
    calls: oneCaller(alone),
    contend: { launch: ['caller', 'rival'], roles: { caller: oneOfTwo, rival: oneOfTwo } },
  },
};
