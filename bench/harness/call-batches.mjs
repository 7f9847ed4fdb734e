// @ts-check
import { TimedSamples } from './timed-samples.mjs';

/** Calls that are timed together, for a clock that is read for each would cost as much as they do. */
const BATCH = 1000;

/**
 * What one of very many short calls takes: a sample is the mean of a batch.
 * @param {number} count how many samples
 * @param {() => unknown} call
 */
export async function timeBatches(count, call) {
  const samples = new TimedSamples(count);
  for (let i = 0; i < count; i += 1) {
    const startedAt = performance.now();
    for (let k = 0; k < BATCH; k += 1) call();
    samples.add((performance.now() - startedAt) / BATCH);
  }
  return inAll(samples);
}

/**
 * The same of calls that are awaited.
 * @param {number} count
 * @param {() => Promise<unknown>} call
 */
export async function timeAwaitedBatches(count, call) {
  const samples = new TimedSamples(count);
  for (let i = 0; i < count; i += 1) {
    const startedAt = performance.now();
    for (let k = 0; k < BATCH; k += 1) await call();
    samples.add((performance.now() - startedAt) / BATCH);
  }
  return inAll(samples);
}

/** @param {TimedSamples} samples */
function inAll(samples) {
  const report = samples.report();
  return { ...report, seconds: report.seconds * BATCH };
}
