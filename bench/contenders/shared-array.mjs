// @ts-check
import { alone, ELEMENTS, timedLoop } from '../harness/loop-sides.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * @param {SideContext} context
 * @returns {Promise<Side>}
 */
async function readWriteElements({ parameters }) {
  const { SharedArray } = await import('../../dist/index.js');
  const xs = new SharedArray(parameters.type === 'float64' ? 'float64' : 'int32', ELEMENTS);
  return timedLoop(
    (count) => {
      for (let round = 0; round < count / ELEMENTS; round += 1) {
        for (let i = 0; i < ELEMENTS; i += 1) xs[i] = /** @type {number} */ (xs[i]) + 1;
      }
    },
    () => xs[ELEMENTS - 1],
    (count) => count / ELEMENTS,
    () => xs.close(),
  );
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'shared-array',
  what: 'SharedArray, which any processes share',
  patterns: { readWriteElements: alone(readWriteElements) },
};
