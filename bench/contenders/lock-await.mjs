// @ts-check
import { Lock } from 'interproc';
import { timeAwaitedBatches } from '../harness/call-batches.mjs';

function caller() {
  const lock = Lock.create('uncontended');
  return {
    /** @param {number} count */
    run: (count) => timeAwaitedBatches(count, async () => (await lock.acquire()).release()),
    close: () => lock.close(),
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'lock-await',
  what: 'Lock: await acquire and release, nobody else there',
  patterns: { calls: { launch: ['caller'], roles: { caller } } },
};
