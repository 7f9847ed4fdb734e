// @ts-check
/**
 * A contender is one way to do what a scenario asks, in bench/contenders/<name>.mjs, default export. A scenario belongs
 * to a pattern; a contender says for each pattern that it knows how its processes do it.
 */

import { withoutCheckout } from './checkout.mjs';

/** @typedef {import('./verified-message.mjs').MessageTotals} MessageTotals */
/** @typedef {'oneWay' | 'oneWayValues' | 'roundTrip' | 'openExisting' | 'calls' | 'idle' | 'wakeOne' | 'readWrite' | 'atomicAdd' | 'readWriteElements' | 'accessValue' | 'addToValue' | 'accessElements' | 'copyArray' | 'contend'} PatternName */
/** @typedef {'producer' | 'consumer' | 'asker' | 'answerer' | 'opener' | 'caller' | 'holder' | 'sleeper' | 'codec' | 'looper' | 'keeper' | 'rival'} Role */

/**
 * What a scenario fixes for all its contenders.
 * @typedef {object} CellParameters
 * @property {number} bytes of one message; of values, about as many as they have in JSON
 * @property {import('./verified-value.mjs').ValueName} [value] which values, where the messages are values
 * @property {number} producers
 * @property {number} consumers
 * @property {number} capacityBytes of a queue
 * @property {number} [queues] where it matters how many there are
 * @property {number} [connections] the same of connections
 * @property {'int32' | 'int64' | 'float64'} [type] of a number in shared memory
 * @property {'native' | 'socket'} [backend] which one of this package, if not the native one
 * @property {number} [callsPerSample] so many calls are timed together where a single one is shorter than reading the clock
 */

/**
 * What one side says about one run. Times are nanoseconds of the common clock.
 * @typedef {object} Report
 * @property {number} [startedAt] by a producer
 * @property {number} [finishedAt] by a consumer
 * @property {MessageTotals} [totals] by both
 * @property {number} [seconds] by a side that sees the whole run
 * @property {number} [count]
 * @property {boolean} [verified]
 * @property {number} [meanUs]
 * @property {number} [p50Us]
 * @property {number} [p99Us]
 * @property {number} [guarded] what several sides counted together, as this one saw it last
 * @property {number} [cpuPercent]
 * @property {number} [contextSwitchesPerSecond]
 * @property {number} [residentBytesPerQueue]
 * @property {number} [sharedBytesPerQueue]
 */

/**
 * One process of a cell, set up.
 * @typedef {object} Side
 * @property {(amount: number) => Report | Report[] | Promise<Report | Report[]>} run
 *   does it once: so many messages (all producers together), repetitions, or seconds
 * @property {() => void | Promise<void>} close
 */

/**
 * @typedef {object} SideContext
 * @property {CellParameters} parameters
 * @property {number} index its number among the sides of its role
 * @property {string} directory of this cell alone, for sockets and the like
 * @property {(role: Role, serialization: 'json' | 'advanced') => Promise<import('./side-process.mjs').SideProcess>} startPeer
 *   starts another side as a child with an IPC channel, on its own core
 */

/** @typedef {(context: SideContext) => Side | Promise<Side>} SideSetUp */

/**
 * Done by processes of Node. They are started one after the other, each after the one before is set up.
 * @typedef {object} NodeSides
 * @property {readonly Role[]} launch by the harness, in this order; others are started by a side
 * @property {Partial<Record<Role, SideSetUp>>} roles
 */

/**
 * Done by a program of native/bench that makes its processes itself and prints one line, a Report in JSON. It is given
 * `--bytes`, `--count` and `--cpus` besides.
 * @typedef {object} NativeSides
 * @property {string} program
 * @property {(parameters: CellParameters) => string[]} [programArguments] in front
 */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} what in one line, for the reader of the table
 * @property {Partial<Record<PatternName, NodeSides | NativeSides>>} patterns
 */

/** This contender cannot run here and now: it is left out, and the reason said. */
export class Unavailable extends Error {}

/**
 * @param {string} name
 * @returns {Promise<Contender>}
 * @throws {Unavailable} if the module, or something that it needs, does not load
 */
export async function loadContender(name) {
  try {
    const module = await import(new URL(`../contenders/${name}.mjs`, import.meta.url).href);
    return module.default;
  } catch (cause) {
    throw new Unavailable(`it does not load: ${reasonOf(cause)}`, { cause });
  }
}

/** @param {unknown} cause */
function reasonOf(cause) {
  const text = String(cause instanceof Error ? cause.message : cause);
  const reason = withoutCheckout(text).split('\n', 1)[0] ?? '';
  return reason.includes('Cannot find module') ? `${reason} (npm run build?)` : reason;
}
