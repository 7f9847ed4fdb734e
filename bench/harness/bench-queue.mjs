// @ts-check
import { Queue } from 'interproc';

/** @typedef {import('./contender.mjs').SideContext} SideContext */

/**
 * The side that is set up first makes the queues, the others open them: all as unrelated programs, by name.
 * @param {SideContext} context
 * @param {string} name
 * @returns {Queue<Uint8Array>}
 */
export function createBenchQueue({ parameters }, name) {
  return Queue.create(name, { capacityBytes: parameters.capacityBytes, codec: 'raw' });
}

/**
 * @param {string} name
 * @returns {Queue<Uint8Array>}
 */
export function openBenchQueue(name) {
  return Queue.open(name);
}
