// @ts-check
import { once } from 'node:events';

import { Arrivals } from './arrivals.mjs';
import { EventRoundTrips } from './event-round-trips.mjs';
import { MessageCheck, MessageSource } from './verified-message.mjs';
import { ValueCheck, ValueSource } from './verified-value.mjs';

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
 * What a producer sends, as it goes into the channel.
 * @typedef {object} Sendings
 * @property {() => void} start the clock of the run
 * @property {() => unknown} next
 * @property {() => unknown} stop
 * @property {() => import('./contender.mjs').Report} report
 */

/**
 * The patterns over a child's IPC channel, with the receiver, or the one who asks, as the parent.
 * @param {Travel} travel
 * @returns {{ oneWay: NodeSides, oneWayValues: NodeSides, roundTrip: NodeSides }}
 */
export function childProcessPatterns(travel) {
  return {
    oneWay: {
      launch: ['consumer'],
      roles: {
        consumer: ({ parameters, startPeer }) =>
          consumer(startPeer, travel.serialization, {
            createCheck: () => new MessageCheck(parameters),
            unpack: travel.unpack,
          }),
        producer: ({ parameters }) => producer(() => bytesToSend(parameters, travel)),
      },
    },
    oneWayValues: {
      launch: ['consumer'],
      roles: {
        consumer: ({ parameters, startPeer }) =>
          consumer(startPeer, travel.serialization, {
            createCheck: () => new ValueCheck(parameters),
            unpack: (packed) => packed,
          }),
        producer: ({ parameters }) => producer(() => new ValueSource(parameters)),
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
 * @template Message
 * @param {SideContext['startPeer']} startPeer
 * @param {Travel['serialization']} serialization
 * @param {object} options
 * @param {() => import('./arrivals.mjs').Check<Message>} options.createCheck
 * @param {(packed: unknown) => Message} options.unpack
 * @returns {Promise<Side>}
 */
async function consumer(startPeer, serialization, { createCheck, unpack }) {
  const arrivals = new Arrivals(createCheck);
  const peer = await startPeer('producer', serialization);
  peer.child.on('message', (packed) => arrivals.accept(unpack(packed)));
  return {
    run: async (count) => (await Promise.all([arrivals.nextReport(), peer.run(count)])).flat(),
    close: () => peer.stop(),
  };
}

/**
 * @param {import('./contender.mjs').CellParameters} parameters
 * @param {Travel} travel
 * @returns {Sendings}
 */
function bytesToSend(parameters, { pack }) {
  const source = new MessageSource(parameters);
  const message = source.createMessage();
  return {
    start: () => source.start(),
    next() {
      source.stamp(message);
      return pack(message.bytes);
    },
    stop() {
      source.stampStop(message);
      return pack(message.bytes);
    },
    report: () => source.report(),
  };
}

/**
 * @param {() => Sendings} createSendings for one run
 * @returns {Side}
 */
function producer(createSendings) {
  /**
   * Resolves when it has been written.
   * @param {unknown} packed
   * @returns {Promise<void>}
   */
  const sendAndWait = (packed) =>
    new Promise((resolve, reject) => {
      process.send?.(packed, undefined, undefined, (error) => (error ? reject(error) : resolve()));
    });
  return {
    async run(count) {
      const sendings = createSendings();
      sendings.start();
      for (let i = 0; i < count; i += 1) {
        // Packed at once, so the message can be stamped again. False means that much is waiting to be written: a
        // program that goes on all the same fills its memory and gets slower, so this one waits for the next to leave.
        if (process.send?.(sendings.next()) === false && i + 1 < count) {
          i += 1;
          await sendAndWait(sendings.next());
        }
      }
      await sendAndWait(sendings.stop());
      return sendings.report();
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
