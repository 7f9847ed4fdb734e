// @ts-check
import { createRequire } from 'node:module';
import { timeBatches } from '../harness/call-batches.mjs';

/** What crosses into native code and back with one number each way, and does nothing there. */
function caller() {
  const addon = createRequire(import.meta.url)('../../build/Release/interproc.node');
  const nobody = 2 ** 32 - 1;
  return {
    /** @param {number} count */
    run: (count) => timeBatches(count, () => addon.isLocked(nobody)),
    close() {},
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'native-call',
  what: 'one call into the addon that finds nothing to do',
  patterns: { calls: { launch: ['caller'], roles: { caller } } },
};
