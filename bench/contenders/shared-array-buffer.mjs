// @ts-check
import { alone, plainArray, timedLoop } from '../harness/loop-sides.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function atomicAdd(context) {
  if (context.parameters.type === 'int64') {
    const xs = /** @type {BigInt64Array} */ (plainArray(context, 1, true));
    return timedLoop(
      (count) => {
        for (let i = 0; i < count; i += 1) Atomics.add(xs, 0, 1n);
      },
      () => xs[0],
      (count) => count,
      () => {},
    );
  }
  const xs = /** @type {Int32Array} */ (plainArray(context, 1, true));
  return timedLoop(
    (count) => {
      for (let i = 0; i < count; i += 1) Atomics.add(xs, 0, 1);
    },
    () => (xs[0] ?? 0) >>> 0,
    (count) => count,
    () => {},
  );
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'shared-array-buffer',
  what: 'Atomics.add on a SharedArrayBuffer, which the threads of one process share',
  patterns: { atomicAdd: alone(atomicAdd) },
};
