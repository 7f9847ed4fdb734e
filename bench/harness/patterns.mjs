// @ts-check
/**
 * A pattern says how a cell is run and what its reports amount to: nothing is a figure that was not verified.
 */

import { CONTENDERS } from './contention.mjs';
import { runGrowing } from './growing-count.mjs';
import { addTotals } from './verified-message.mjs';

/** @typedef {import('./cell.mjs').Cell} Cell */
/** @typedef {import('./contender.mjs').CellParameters} CellParameters */
/** @typedef {import('./contender.mjs').PatternName} PatternName */
/** @typedef {import('./contender.mjs').Report} Report */

/**
 * How long a cell may take.
 * @typedef {object} Effort
 * @property {number} seconds of the measured run
 * @property {number} idleSeconds of one that only waits
 */

/**
 * @callback Measure
 * @param {Cell} cell
 * @param {CellParameters} parameters
 * @param {Effort} effort
 * @returns {Promise<Record<string, number>>} the figures by name
 */

/** @type {Measure} */
async function measureOneWay(cell, parameters, { seconds }) {
  const { bytes, producers } = parameters;
  const first = Math.max(64, Math.floor(2 ** 17 / bytes));
  const result = await runGrowing({ first, multipleOf: producers, seconds }, async (count) => {
    const reports = await cell.run(count);
    return { count, seconds: verifiedSeconds(reports, count) };
  });
  const messagesPerSecond = result.count / result.seconds;
  return { messagesPerSecond, bytesPerSecond: messagesPerSecond * bytes };
}

/**
 * From the first producer's first message to the last consumer's last.
 * @param {readonly Report[]} reports
 * @param {number} count
 */
function verifiedSeconds(reports, count) {
  const [only] = reports;
  if (reports.length === 1 && only?.seconds !== undefined) {
    if (only.verified !== true || only.count !== count) {
      throw new Error(`the program did not verify its messages: ${JSON.stringify(only)}`);
    }
    return only.seconds;
  }
  const producers = reports.filter((report) => report.startedAt !== undefined);
  const consumers = reports.filter((report) => report.finishedAt !== undefined);
  const sent = addTotals(producers.flatMap((report) => report.totals ?? []));
  const received = addTotals(consumers.flatMap((report) => report.totals ?? []));
  if (sent.count !== count || JSON.stringify(sent) !== JSON.stringify(received)) {
    throw new Error(
      `of ${count} messages, sent were ${JSON.stringify(sent)}, received ${JSON.stringify(received)}`,
    );
  }
  return elapsed([...producers, ...consumers]);
}

/** @param {readonly Report[]} reports */
function elapsed(reports) {
  const startedAt = Math.min(...reports.flatMap((report) => report.startedAt ?? []));
  const finishedAt = Math.max(...reports.flatMap((report) => report.finishedAt ?? []));
  return (finishedAt - startedAt) / 1e9;
}

/** @type {Measure} */
async function measureRepetitions(cell, _parameters, { seconds }) {
  const { meanUs, p50Us, p99Us } = await runGrowing(
    { first: 100, multipleOf: 1, seconds },
    async (count) => {
      const reports = await cell.run(count);
      const timed = reports.find((report) => report.seconds !== undefined);
      if (timed?.verified !== true || timed.count !== count) {
        throw new Error(`the repetitions are not verified: ${JSON.stringify(reports)}`);
      }
      return { ...timed, seconds: timed.seconds ?? NaN };
    },
  );
  return { meanUs: meanUs ?? NaN, p50Us: p50Us ?? NaN, p99Us: p99Us ?? NaN };
}

/** @type {Measure} */
async function measureIdle(cell, _parameters, { idleSeconds }) {
  // What Node still does after starting (compiling, collecting) is not the queue's.
  await cell.run(Math.min(1, idleSeconds));
  const [report] = await cell.run(idleSeconds);
  if (report?.verified !== true) throw new Error('the wait was over before it was ended');
  const { cpuPercent = NaN, contextSwitchesPerSecond = NaN } = report;
  const { residentBytesPerQueue, sharedBytesPerQueue } = report;
  return {
    cpuPercent,
    contextSwitchesPerSecond,
    ...(residentBytesPerQueue === undefined ? {} : { residentBytesPerQueue }),
    ...(sharedBytesPerQueue === undefined ? {} : { sharedBytesPerQueue }),
  };
}

/** One thread that does something over and over. @type {Measure} */
async function measureLoop(cell, _parameters, { seconds }) {
  const result = await runGrowing({ first: 100_000, multipleOf: 1_000, seconds }, async (count) => {
    const [report] = await cell.run(count);
    if (report?.verified !== true || report.count !== count) {
      throw new Error(`the loop is not verified: ${JSON.stringify(report)}`);
    }
    return { count, seconds: report.seconds ?? NaN };
  });
  return { nanosecondsEach: (result.seconds / result.count) * 1e9 };
}

/** Several sides that keep each other waiting, and count together what none may count at the same time. @type {Measure} */
async function measureContention(cell, _parameters, { seconds }) {
  let total = 0;
  const { count, reports, ...result } = await runGrowing(
    { first: 100, multipleOf: CONTENDERS, seconds },
    async (count) => {
      const reports = await cell.run(count);
      total += count;
      const guarded = Math.max(...reports.map((report) => report.guarded ?? NaN));
      if (guarded !== total) throw new Error(`${total} were counted, and came to ${guarded}`);
      return { count, reports, seconds: elapsed(reports) };
    },
  );
  /** @param {(report: Report) => number | undefined} figure */
  const worst = (figure) => Math.max(...reports.map((report) => figure(report) ?? NaN));
  return {
    sectionsPerSecond: count / result.seconds,
    p50Us: worst((report) => report.p50Us),
    p99Us: worst((report) => report.p99Us),
  };
}

/** @type {Readonly<Record<PatternName, Measure>>} */
export const PATTERNS = Object.freeze({
  oneWay: measureOneWay,
  oneWayValues: measureOneWay,
  roundTrip: measureRepetitions,
  openExisting: measureRepetitions,
  calls: measureRepetitions,
  idle: measureIdle,
  wakeOne: measureRepetitions,
  readWrite: measureLoop,
  atomicAdd: measureLoop,
  readWriteElements: measureLoop,
  accessValue: measureRepetitions,
  addToValue: measureRepetitions,
  accessElements: measureRepetitions,
  copyArray: measureRepetitions,
  contend: measureContention,
});
