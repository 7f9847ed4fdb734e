// @ts-check
import { pipeOneWay } from '../harness/pipe-sides.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-recv-sync',
  what: 'Pipe: sendSync and recvSync, a fresh array for each message',
  patterns: {
    oneWay: pipeOneWay(
      (connection, source, count) => {
        const message = source.createMessage();
        for (let i = 0; i < count; i += 1) {
          source.stamp(message);
          connection.sendSync(message.bytes);
        }
        source.stampStop(message);
        connection.sendSync(message.bytes);
      },
      (connection, check) => {
        while (check.accept(connection.recvSync()));
      },
    ),
  },
};
