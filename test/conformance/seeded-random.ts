/** Numbers in [0, 1) from a seed that is printed: INTERPROC_SEED brings a run back. */
export function seededRandom(what: string): () => number {
  const given = process.env['INTERPROC_SEED'];
  let state = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  console.log(`${what}: INTERPROC_SEED=${state}`);
  return () => {
    // A linear congruential generator, its upper bits.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}
