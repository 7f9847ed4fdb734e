// @ts-check

/**
 * By nearest rank: always a value that was measured.
 * @param {ArrayLike<number>} sorted in ascending order, not empty
 * @param {number} percent
 */
export function percentile(sorted, percent) {
  const rank = Math.max(1, Math.ceil((sorted.length * percent) / 100));
  return at(sorted, rank - 1);
}

/** @param {readonly number[]} values not empty */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? at(sorted, middle)
    : (at(sorted, middle - 1) + at(sorted, middle)) / 2;
}

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} min
 * @property {number} max
 * @property {readonly number[]} values in the order of the rounds
 */

/**
 * @param {readonly number[]} values not empty
 * @returns {Spread}
 */
export function spreadOf(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), values };
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} index
 */
function at(values, index) {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no value ${index} among ${values.length}`);
  return value;
}
