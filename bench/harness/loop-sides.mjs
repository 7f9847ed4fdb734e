// @ts-check
/** Loops over a number, or many, in memory: the same source for every contender, each in a process of its own. */

import { monotonicNanoseconds } from './monotonic-clock.mjs';

/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */
/** @typedef {import('./contender.mjs').NodeSides} NodeSides */
/** @typedef {Int32Array | BigInt64Array | Float64Array} Numbers */

/** Few enough for the first cache. */
export const ELEMENTS = 1_000;

const ARRAYS = { int32: Int32Array, int64: BigInt64Array, float64: Float64Array };

/**
 * A typed array of a scenario's type.
 * @param {SideContext} context
 * @param {number} length
 * @param {boolean} [isShared]
 * @returns {Numbers}
 */
export function plainArray({ parameters }, length, isShared = false) {
  const Kind = ARRAYS[parameters.type ?? 'int32'];
  if (!isShared) return new Kind(length);
  const buffer = new SharedArrayBuffer(length * Kind.BYTES_PER_ELEMENT);
  // Its types want an ArrayBuffer; it takes both.
  return new Kind(/** @type {ArrayBuffer} */ (/** @type {unknown} */ (buffer)));
}

/**
 * What one loop took, and whether it left what it should.
 * @param {(count: number) => void} loop
 * @param {() => unknown} read
 * @param {(count: number) => number} expected
 * @param {() => void} close
 * @returns {Side}
 */
export function timedLoop(loop, read, expected, close) {
  let before = Number(read());
  return {
    run(count) {
      const startedAt = monotonicNanoseconds();
      loop(count);
      const seconds = (monotonicNanoseconds() - startedAt) / 1e9;
      const now = Number(read());
      const verified = now - before === expected(count);
      before = now;
      return { seconds, count, verified };
    },
    close,
  };
}

/**
 * Adds 1 to each element of an array, over and over.
 * @param {{ [index: number]: number }} xs
 * @param {() => void} close
 */
export function countElements(xs, close) {
  return timedLoop(
    (count) => {
      for (let round = 0; round < count / ELEMENTS; round += 1) {
        for (let i = 0; i < ELEMENTS; i += 1) xs[i] = /** @type {number} */ (xs[i]) + 1;
      }
    },
    () => xs[ELEMENTS - 1],
    (count) => count / ELEMENTS,
    close,
  );
}

/**
 * @param {(context: SideContext) => Side | Promise<Side>} looper
 * @returns {NodeSides}
 */
export function alone(looper) {
  return { launch: ['looper'], roles: { looper } };
}
