// @ts-check
/** Two processes that want the same lock over and over, each to count up a number in a file, which two at once would spoil. */

import { openSync, constants, readSync, writeSync } from 'node:fs';

import { monotonicNanoseconds } from './monotonic-clock.mjs';
import { TimedSamples } from './timed-samples.mjs';

/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */

export const CONTENDERS = 2;

/** Where the number stands. */
const FILE = 'guarded';

/** @param {SideContext} context */
function openNumber({ directory }) {
  const descriptor = openSync(`${directory}/${FILE}`, constants.O_RDWR | constants.O_CREAT, 0o600);
  const number = new Float64Array(1);
  return {
    addOne() {
      readSync(descriptor, number, 0, number.byteLength, 0);
      number[0] = (number[0] ?? NaN) + 1;
      writeSync(descriptor, number, 0, number.byteLength, 0);
    },
    get last() {
      return number[0] ?? NaN;
    },
  };
}

/**
 * @param {SideContext} context
 * @param {() => { release: () => void }} acquire blocks while another has it
 * @param {() => void} close
 * @returns {Side}
 */
export function contend(context, acquire, close) {
  const number = openNumber(context);
  return {
    run(count) {
      const own = count / CONTENDERS;
      const samples = new TimedSamples(own);
      const startedAt = monotonicNanoseconds();
      for (let i = 0; i < own; i += 1) {
        const wantedAt = performance.now();
        const guard = acquire();
        number.addOne();
        guard.release();
        samples.add(performance.now() - wantedAt);
      }
      const finishedAt = monotonicNanoseconds();
      return { ...samples.report(), startedAt, finishedAt, guarded: number.last };
    },
    close,
  };
}

/**
 * The same with a lock that is awaited.
 * @param {SideContext} context
 * @param {() => Promise<{ release: () => void }>} acquire
 * @param {() => void} close
 * @returns {Side}
 */
export function contendAwaiting(context, acquire, close) {
  const number = openNumber(context);
  return {
    async run(count) {
      const own = count / CONTENDERS;
      const samples = new TimedSamples(own);
      const startedAt = monotonicNanoseconds();
      for (let i = 0; i < own; i += 1) {
        const wantedAt = performance.now();
        const guard = await acquire();
        number.addOne();
        guard.release();
        samples.add(performance.now() - wantedAt);
      }
      const finishedAt = monotonicNanoseconds();
      return { ...samples.report(), startedAt, finishedAt, guarded: number.last };
    },
    close,
  };
}
