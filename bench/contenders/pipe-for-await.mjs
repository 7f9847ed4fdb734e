// @ts-check
import { pipeOneWay } from '../harness/pipe-sides.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-for-await',
  what: 'Pipe: await send and for await',
  patterns: {
    oneWay: pipeOneWay(
      async (connection, source, count) => {
        const message = source.createMessage();
        for (let i = 0; i < count; i += 1) {
          source.stamp(message);
          await connection.send(message.bytes);
        }
        source.stampStop(message);
        await connection.send(message.bytes);
      },
      async (connection, check) => {
        for await (const message of connection) {
          if (!check.accept(message)) break;
        }
      },
    ),
  },
};
