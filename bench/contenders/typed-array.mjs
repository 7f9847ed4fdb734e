// @ts-check
import { alone, countElements, ELEMENTS, plainArray, timedLoop } from '../harness/loop-sides.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * @param {SideContext} context
 * @returns {Side}
 */
function readWrite(context) {
  const xs = /** @type {Float64Array} */ (plainArray(context, 1));
  return timedLoop(
    (count) => {
      for (let i = 0; i < count; i += 1) xs[0] = /** @type {number} */ (xs[0]) + 1;
    },
    () => xs[0],
    (count) => count,
    () => {},
  );
}

/** @param {SideContext} context */
function readWriteElements(context) {
  return countElements(/** @type {Float64Array} */ (plainArray(context, ELEMENTS)), () => {});
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'typed-array',
  what: 'a plain typed array of this process',
  patterns: { readWrite: alone(readWrite), readWriteElements: alone(readWriteElements) },
};
