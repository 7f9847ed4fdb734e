// @ts-check
import { once } from 'node:events';

import { Arrivals } from './arrivals.mjs';
import { EventRoundTrips } from './event-round-trips.mjs';
import { MessageSource } from './verified-message.mjs';

/** @typedef {import('./contender.mjs').NodeSides} NodeSides */
/** @typedef {import('./contender.mjs').Side} Side */
/** @typedef {import('./contender.mjs').SideContext} SideContext */

/**
 * How bytes travel over an IPC channel of one serialization.
 * @typedef {object} Travel
 * @property {'json' | 'advanced'} serialization
 * @property {(bytes: Uint8Array) => unknown} pack
 * @property {(packed: unknown) => Uint8Array} unpack
 */

/**
 * Both patterns over a child's IPC channel, with the receiver, or the one who asks, as the parent.
 * @param {Travel} travel
 * @returns {{ oneWay: NodeSides, roundTrip: NodeSides }}
 */
export function childProcessPatterns(travel) {
  return {
    oneWay: {
      launch: ['consumer'],
      roles: {
        consumer: (context) => consumer(context, travel),
        producer: (context) => producer(context, travel),
      },
    },
    roundTrip: {
      launch: ['asker'],
      roles: {
        asker: (context) => asker(context, travel),
        answerer: () => answerer(travel),
      },
    },
  };
}

/**
 * @param {SideContext} context
 * @param {Travel} travel
 * @returns {Promise<Side>}
 */
async function consumer({ parameters, startPeer }, { serialization, unpack }) {
  const arrivals = new Arrivals(parameters);
  const peer = await startPeer('producer', serialization);
  peer.child.on('message', (packed) => arrivals.accept(unpack(packed)));
  return {
    run: async (count) => (await Promise.all([arrivals.nextReport(), peer.run(count)])).flat(),
    close: () => peer.stop(),
  };
}

/**
 * @param {SideContext} context
 * @param {Travel} travel
 * @returns {Side}
 */
function producer({ parameters }, { pack }) {
  /**
   * Resolves when it has been written.
   * @param {Uint8Array} bytes
   * @returns {Promise<void>}
   */
  const sendAndWait = (bytes) =>
    new Promise((resolve, reject) => {
      process.send?.(pack(bytes), undefined, undefined, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  return {
    async run(count) {
      const source = new MessageSource(parameters);
      const message = source.createMessage();
      source.start();
      for (let i = 0; i < count; i += 1) {
        source.stamp(message);
        // Packed at once, so the message can be stamped again. False means that much is waiting to be written: a
        // program that goes on all the same fills its memory and gets slower, so this one waits for the next to leave.
        if (process.send?.(pack(message.bytes)) === false && i + 1 < count) {
          i += 1;
          source.stamp(message);
          await sendAndWait(message.bytes);
        }
      }
      source.stampStop(message);
      await sendAndWait(message.bytes);
      return source.report();
    },
    close() {
      process.disconnect();
    },
  };
}

/**
 * @param {SideContext} context
 * @param {Travel} travel
 * @returns {Promise<Side>}
 */
async function asker({ parameters, startPeer }, { serialization, pack, unpack }) {
  const peer = await startPeer('answerer', serialization);
  const trips = new EventRoundTrips(parameters, (bytes) => {
    peer.child.send(/** @type {import('node:child_process').Serializable} */ (pack(bytes)));
  });
  peer.child.on('message', (packed) => trips.onReply(unpack(packed)));
  return {
    run: (count) => trips.run(count),
    async close() {
      await Promise.all([once(peer.child, 'disconnect'), peer.stop()]);
    },
  };
}

/**
 * @param {Travel} travel
 * @returns {Side}
 */
function answerer({ pack, unpack }) {
  process.on('message', (packed) => {
    process.send?.(pack(unpack(packed)));
  });
  return {
    run: () => [],
    close() {
      process.disconnect();
    },
  };
}
