// @ts-check
import { once } from 'node:events';

import { Arrivals } from './arrivals.mjs';
import { EventRoundTrips } from './event-round-trips.mjs';
import { timeSending } from './sending.mjs';
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
 * The patterns over a child's IPC channel, with the receiver, or the one who asks, as the parent.
 * @param {Travel} travel
 * @returns {{ oneWay: NodeSides, oneWayValues: NodeSides, roundTrip: NodeSides }}
 */
export function childProcessPatterns(travel) {
  const { serialization, pack, unpack } = travel;
  return {
    oneWay: oneWay(serialization, {
      createSource: ({ parameters }) => new MessageSource(parameters),
      createCheck: ({ parameters }) => new MessageCheck(parameters),
      pack,
      unpack,
    }),
    oneWayValues: oneWay(serialization, {
      createSource: ({ parameters }) => new ValueSource(parameters),
      createCheck: ({ parameters }) => new ValueCheck(parameters),
      pack: (value) => value,
      unpack: (packed) => packed,
    }),
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
 * What goes over the channel, how it is packed, and how it is verified.
 * @template Message
 * @typedef {object} Cargo
 * @property {(context: SideContext) => import('./sending.mjs').Source<Message>} createSource
 * @property {(context: SideContext) => import('./arrivals.mjs').Check<Message>} createCheck
 * @property {(message: Message) => unknown} pack
 * @property {(packed: unknown) => Message} unpack
 */

/**
 * @template Message
 * @param {Travel['serialization']} serialization
 * @param {Cargo<Message>} cargo
 * @returns {NodeSides}
 */
function oneWay(serialization, cargo) {
  return {
    launch: ['consumer'],
    roles: {
      consumer: (context) => consumer(context, serialization, cargo),
      producer: (context) => producer(context, cargo),
    },
  };
}

/**
 * @template Message
 * @param {SideContext} context
 * @param {Travel['serialization']} serialization
 * @param {Cargo<Message>} cargo
 * @returns {Promise<Side>}
 */
async function consumer(context, serialization, { createCheck, unpack }) {
  const arrivals = new Arrivals(() => createCheck(context));
  const peer = await context.startPeer('producer', serialization);
  peer.child.on('message', (packed) => arrivals.accept(unpack(packed)));
  return {
    run: async (count) => (await Promise.all([arrivals.nextReport(), peer.run(count)])).flat(),
    close: () => peer.stop(),
  };
}

/**
 * @template Message
 * @param {SideContext} context
 * @param {Cargo<Message>} cargo
 * @returns {Side}
 */
function producer(context, { createSource, pack }) {
  /**
   * Resolves when it has been written.
   * @param {Message} message
   * @returns {Promise<void>}
   */
  const sendAndWait = (message) =>
    new Promise((resolve, reject) => {
      process.send?.(pack(message), undefined, undefined, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  return {
    run(count) {
      const source = createSource(context);
      return timeSending(source, async () => {
        for (let i = 0; i < count; i += 1) {
          // Packed at once, so the message can be stamped again. False means that much is waiting to be written: a
          // program that goes on all the same fills its memory and gets slower, so this one waits for the next to leave.
          if (process.send?.(pack(source.next())) === false && i + 1 < count) {
            i += 1;
            await sendAndWait(source.next());
          }
        }
        await sendAndWait(source.stop());
      });
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
