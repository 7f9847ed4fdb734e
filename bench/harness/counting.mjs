// @ts-check
/** @typedef {import('./contender.mjs').NodeSides} NodeSides */
/** @typedef {import('./contender.mjs').Report} Report */
/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */

/**
 * Something that one more is added to with each call.
 * @typedef {object} Counter
 * @property {(count: number) => Promise<Report & { calls: number }>} time so many samples
 * @property {() => number | Promise<number>} read all that was added
 * @property {() => void} close
 */

/**
 * Times the calls, and verifies that none was lost.
 * @param {Counter} counter
 * @returns {Side}
 */
export function countingCaller({ time, read, close }) {
  return {
    async run(count) {
      const before = await read();
      const { calls, ...report } = await time(count);
      return { ...report, verified: (await read()) - before === calls };
    },
    close,
  };
}

/**
 * A process that calls, and nobody else.
 * @param {(context: SideContext) => Side | Promise<Side>} caller
 * @returns {NodeSides}
 */
export function oneCaller(caller) {
  return { launch: ['caller'], roles: { caller } };
}

/** @param {Iterable<unknown>} numbers */
export function sumOf(numbers) {
  let sum = 0;
  for (const number of numbers) sum += Number(number);
  return sum;
}
