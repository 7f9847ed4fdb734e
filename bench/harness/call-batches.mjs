// @ts-check
import { TimedSamples } from './timed-samples.mjs';

/** Calls that are timed together, for a clock that is read for each would cost as much as they do. */
const BATCH = 1000;

/**
 * What one of very many short calls takes: a sample is the mean of a batch.
 * @param {number} count how many samples
 * @param {() => unknown} call
 * @param {number} [batch]
 */
export async function timeBatches(count, call, batch = BATCH) {
  const samples = new TimedSamples(count);
  for (let i = 0; i < count; i += 1) {
    const startedAt = performance.now();
    for (let k = 0; k < batch; k += 1) call();
    samples.add((performance.now() - startedAt) / batch);
  }
  return inAll(samples, batch);
}

/**
 * The same of calls that are awaited.
 * @param {number} count
 * @param {() => Promise<unknown>} call
 * @param {number} [batch]
 */
export async function timeAwaitedBatches(count, call, batch = BATCH) {
  const samples = new TimedSamples(count);
  for (let i = 0; i < count; i += 1) {
    const startedAt = performance.now();
    for (let k = 0; k < batch; k += 1) await call();
    samples.add((performance.now() - startedAt) / batch);
  }
  return inAll(samples, batch);
}

/**
 * @param {TimedSamples} samples
 * @param {number} batch
 */
function inAll(samples, batch) {
  const report = samples.report();
  return { ...report, seconds: report.seconds * batch, calls: report.count * batch };
}
