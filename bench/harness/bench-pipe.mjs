// @ts-check
import { Pipe, Queue } from 'interproc';

/** @typedef {import('./contender.mjs').SideContext} SideContext */
/** @typedef {import('interproc').Connection<Uint8Array>} BenchConnection */

const MEETING = 'meeting';

/**
 * Makes so many connections and hands the other end of each over to the side that is set up next: as unrelated programs, by name.
 * @param {SideContext} context
 * @param {number} [count]
 * @returns {BenchConnection[]}
 */
export function makeConnections({ parameters: { capacityBytes } }, count = 1) {
  const meeting = Queue.create(MEETING, { capacityBytes: 2 ** 20 });
  const connections = Array.from({ length: count }, () => {
    const [mine, theirs] = Pipe({ codec: 'raw', capacityBytes });
    meeting.putNowait(theirs);
    return mine;
  });
  meeting.close();
  return connections;
}

/**
 * Takes over what the side before has handed over.
 * @param {number} [count]
 * @returns {BenchConnection[]}
 */
export function takeConnections(count = 1) {
  /** @type {Queue<BenchConnection>} */
  const meeting = Queue.open(MEETING);
  const connections = Array.from({ length: count }, () => meeting.getSync());
  meeting.close();
  return connections;
}

/**
 * @param {BenchConnection[]} connections
 * @returns {BenchConnection}
 */
export function only([connection]) {
  if (connection === undefined) throw new Error('there is no connection');
  return connection;
}
