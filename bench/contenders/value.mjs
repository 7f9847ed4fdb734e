// @ts-check
import { timeBatches } from '../harness/call-batches.mjs';
import { countingCaller, oneCaller } from '../harness/counting.mjs';
import { alone, timedLoop } from '../harness/loop-sides.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

// In the sides, so that the scenario is left out, not the benchmark, where the package was not built.
const load = () => import('../../dist/index.js');

/**
 * @param {SideContext} context
 * @returns {Promise<Side>}
 */
async function readWrite({ parameters }) {
  const { Value } = await load();
  const n = new Value(parameters.type === 'float64' ? 'float64' : 'int32');
  return timedLoop(
    (count) => {
      for (let i = 0; i < count; i += 1) n.value = n.value + 1;
    },
    () => n.value,
    (count) => count,
    () => n.close(),
  );
}

/**
 * @param {SideContext} context
 * @returns {Promise<Side>}
 */
async function atomicAdd({ parameters }) {
  const { Value } = await load();
  if (parameters.type === 'int64') {
    const n = new Value('int64');
    return timedLoop(
      (count) => {
        for (let i = 0; i < count; i += 1) n.add(1n);
      },
      () => n.value,
      (count) => count,
      () => n.close(),
    );
  }
  const n = new Value(parameters.type ?? 'int32');
  return timedLoop(
    (count) => {
      for (let i = 0; i < count; i += 1) n.add(1);
    },
    () => (parameters.type === 'float64' ? n.value : Number(n.value) >>> 0),
    (count) => count,
    () => n.close(),
  );
}

/**
 * A caller that adds 1 to a value with each call.
 * @param {(n: import('../../dist/index.js').Value<number>) => void} addOne
 */
function counting(addOne) {
  /** @param {SideContext} context */
  return async ({ parameters }) => {
    const { Value } = await load();
    const n = new Value('int32');
    return countingCaller({
      time: (count) => timeBatches(count, () => addOne(n), parameters.callsPerSample),
      read: () => n.value,
      close: () => n.close(),
    });
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'value',
  what: 'Value, which any processes share',
  patterns: {
    readWrite: alone(readWrite),
    atomicAdd: alone(atomicAdd),
    accessValue: oneCaller(
      counting((n) => {
        n.value = n.value + 1;
      }),
    ),
    addToValue: oneCaller(counting((n) => n.add(1))),
  },
};
