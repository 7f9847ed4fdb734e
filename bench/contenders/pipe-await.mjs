// @ts-check
import { makeConnections, takeConnections } from '../harness/bench-pipe.mjs';
import { sleeper } from '../harness/idle-side.mjs';
import { pipeRoundTrip } from '../harness/pipe-sides.mjs';
import { AWAITING } from '../harness/round-trips.mjs';

/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/**
 * A recv that is pending on both ends of so many connections.
 * @param {SideContext} context
 */
function waiter(context) {
  const { connections = 1 } = context.parameters;
  const all = [...makeConnections(context, connections), ...takeConnections(connections)];
  let isWaiting = true;
  const over = () => {
    isWaiting = false;
  };
  const ended = Promise.all(all.map((connection) => connection.recv().then(over, over)));
  return sleeper(
    () => isWaiting,
    async () => {
      for (const connection of all) connection.close();
      await ended;
    },
  );
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-await',
  what: 'Pipe: await send and await recv',
  patterns: {
    roundTrip: pipeRoundTrip(
      AWAITING,
      (connection, bytes) => connection.send(bytes),
      (connection) => connection.recv(),
    ),
    idle: { launch: ['sleeper'], roles: { sleeper: waiter } },
  },
};
