// @ts-check

/**
 * Runs more and more until a run is long enough to tell how long `seconds` would be, then runs that, and returns what it
 * gave. The earlier runs warm up compilers, caches and mappings, and count for nothing.
 * @template {{ seconds: number }} Result
 * @param {object} options
 * @param {number} options.first the smallest count
 * @param {number} options.multipleOf every count is
 * @param {number} options.seconds that the last run should take
 * @param {(count: number) => Promise<Result>} run
 */
export async function runGrowing({ first, multipleOf, seconds }, run) {
  /** @param {number} count */
  const round = (count) => Math.max(1, Math.round(count / multipleOf)) * multipleOf;
  let count = round(first);
  for (;;) {
    const { seconds: taken } = await run(count);
    if (taken >= seconds / 10) return run(Math.max(count, round((count * seconds) / taken)));
    // A first run is slow for reasons of its own, so that what it foretells is too little rather than too much.
    count = round(count * Math.min(16, Math.max(2, seconds / 8 / taken)));
  }
}
