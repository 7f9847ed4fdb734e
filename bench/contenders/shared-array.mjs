// @ts-check
import { timeBatches } from '../harness/call-batches.mjs';
import { countingCaller, oneCaller, sumOf } from '../harness/counting.mjs';
import { alone, countElements, ELEMENTS } from '../harness/loop-sides.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */
/** @typedef {import('../../dist/index.js').SharedArray<number>} Numbers */

/** @param {SideContext} context */
async function createArray({ parameters }) {
  const { SharedArray } = await import('../../dist/index.js');
  return new SharedArray(parameters.type === 'float64' ? 'float64' : 'int32', ELEMENTS);
}

/**
 * @param {SideContext} context
 * @returns {Promise<Side>}
 */
async function readWriteElements(context) {
  const xs = await createArray(context);
  return countElements(xs, () => xs.close());
}

/**
 * A caller that adds 1 to some element with each call.
 * @param {(xs: Numbers) => () => void} createAddOne
 */
function counting(createAddOne) {
  /** @param {SideContext} context */
  return async (context) => {
    const xs = await createArray(context);
    const addOne = createAddOne(xs);
    return countingCaller({
      time: (count) => timeBatches(count, addOne, context.parameters.callsPerSample),
      read: () => sumOf(xs.slice()),
      close: () => xs.close(),
    });
  };
}

/** @param {Numbers} xs */
function inTurn(xs) {
  let turn = 0;
  return () => {
    xs[turn] = /** @type {number} */ (xs[turn]) + 1;
    turn = turn + 1 === ELEMENTS ? 0 : turn + 1;
  };
}

/** @param {Numbers} xs */
function inCopy(xs) {
  return () => {
    const copy = xs.slice();
    copy[ELEMENTS - 1] = (copy[ELEMENTS - 1] ?? NaN) + 1;
    xs.set(copy);
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'shared-array',
  what: 'SharedArray, which any processes share',
  patterns: {
    readWriteElements: alone(readWriteElements),
    accessElements: oneCaller(counting(inTurn)),
    copyArray: oneCaller(counting(inCopy)),
  },
};
