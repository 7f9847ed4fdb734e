/** How much a test does: what fits into CI, or with INTERPROC_LONG=1 the long run. */

export const isLong = process.env['INTERPROC_LONG'] === '1';

export function atScale<T>(inCi: T, inLongRun: T): T {
  return isLong ? inLongRun : inCi;
}

/** The seed of a random test: INTERPROC_SEED brings a run back. Printed, for a failure without its seed is lost. */
export function printedSeed(what: string): number {
  const given = process.env['INTERPROC_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  console.log(`${what}: INTERPROC_SEED=${seed}`);
  return seed;
}
