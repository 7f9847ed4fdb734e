// @ts-check
import { connectInto, listenForOne, socketPath } from '../harness/socket-sides.mjs';
import { EventRoundTrips } from '../harness/event-round-trips.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * @param {SideContext} context
 * @returns {Promise<Side>}
 */
async function answerer(context) {
  const { connected } = await listenForOne(socketPath(context));
  void connected.then((socket) => {
    socket.on('data', (message) => socket.write(message));
  });
  return {
    run: () => [],
    async close() {
      (await connected).destroy();
    },
  };
}

/**
 * @param {SideContext} context
 * @returns {Promise<Side>}
 */
async function asker(context) {
  // So small a message, alone on its way, comes in one piece; the check would notice if it did not.
  const socket = await connectInto(socketPath(context), (chunk) => trips.onReply(chunk));
  const trips = new EventRoundTrips(context.parameters, (message) => {
    // The only one there is: it comes back before it is stamped again.
    socket.write(message);
  });
  return {
    run: (count) => trips.run(count),
    close() {
      socket.destroy();
    },
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'unix-socket',
  what: 'node:net over a Unix socket, no framing: one message is under way at a time',
  patterns: {
    roundTrip: { launch: ['answerer', 'asker'], roles: { answerer, asker } },
  },
};
