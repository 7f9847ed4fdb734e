// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {import('./contender.mjs').Report} Report */
/** @typedef {import('./contender.mjs').Side} Side */

/**
 * A side that waits, and says what the waiting cost its process: all threads, as the kernel counts.
 * @param {() => boolean} isStillWaiting whether what it waits for has not happened
 * @param {() => void | Promise<void>} [close]
 * @param {Pick<Report, 'residentBytesPerQueue' | 'sharedBytesPerQueue'>} [memory]
 * @returns {Side}
 */
export function sleeper(isStillWaiting, close = () => {}, memory = {}) {
  return {
    async run(seconds) {
      const before = process.resourceUsage();
      await sleep(seconds * 1000);
      const after = process.resourceUsage();
      const cpuMicroseconds =
        after.userCPUTime - before.userCPUTime + after.systemCPUTime - before.systemCPUTime;
      const contextSwitches =
        after.voluntaryContextSwitches -
        before.voluntaryContextSwitches +
        after.involuntaryContextSwitches -
        before.involuntaryContextSwitches;
      return {
        cpuPercent: cpuMicroseconds / (seconds * 1e4),
        contextSwitchesPerSecond: contextSwitches / seconds,
        verified: isStillWaiting(),
        ...memory,
      };
    },
    close,
  };
}
